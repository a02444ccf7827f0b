"""My cover: who is away and when, and how much each of some people has in hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import Engine, bindparam, func, select

from hub.domain.alert_list import DaysOff
from hub.store import tables
from hub.store.fetch import rows
from hub.store.transaction_ladder import IS_OPEN, leads

_A, _O = tables.alerts, tables.days_off

_DAYS = (
    select(_O.c.person, _O.c.first, _O.c.last)
    .where(_O.c.person.in_(bindparam("people", expanding=True)), _O.c.last >= bindparam("day"))
    .order_by(_O.c.first, _O.c.person)
)
_HELD = (
    select(_A.c.holder, func.count().label("number"))
    .where(IS_OPEN, _A.c.holder.in_(bindparam("people", expanding=True)), leads())
    .group_by(_A.c.holder)
)


def days_off(engine: Engine, people: Collection[str], since: date) -> tuple[DaysOff, ...]:
    """Return when these people are away, from a day on, the soonest first."""
    with engine.connect() as connection:
        found = rows(connection, _DAYS, {"people": sorted(people), "day": since.isoformat()})
    return tuple(DaysOff(each["person"], each["first"], each["last"]) for each in found)


def in_hand(engine: Engine, people: Collection[str]) -> Mapping[str, int]:
    """Return how many open alerts each of these people holds; who holds none is left out."""
    with engine.connect() as connection:
        found = rows(connection, _HELD, {"people": sorted(people)})
    return {each["holder"]: each["number"] for each in found}
