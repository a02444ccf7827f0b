"""The follow-up list: the alerts that one person may see, late and safety first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, false, func, literal, or_, select, tuple_

from hub.domain.alert import AlertKind, AlertState
from hub.domain.alert_list import AlertFilter, AlertLine, AlertPage, Place, Shown
from hub.domain.answer import Level
from hub.domain.ladder import Priority, Role, Scope
from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, rows
from hub.store.transaction_ladder import IS_OPEN, leads

_A, _D, _S, _N = tables.alerts, tables.deliveries, tables.shares, tables.answers
#: Whether the newest answer asks not to be told yet: looked up by its delivery for the alerts that are shown alone.
_NOT_YET = (
    select(_N.c.do_not_tell_yet)
    .where(_N.c.delivery_id == _A.c.delivery_id)
    .order_by(_N.c.at.desc(), _N.c.id.desc())
    .limit(1)
    .correlate(_A)
    .scalar_subquery()
    .label("do_not_tell_yet")
)

LINE = (
    select(
        _A.c.id, _A.c.level, _A.c.kind, _A.c.priority, _A.c.state, _A.c.due_at, _A.c.raised_at, _A.c.partner_id,
        _A.c.service_id, _A.c.delivery_id, _A.c.holder, _A.c.role, _A.c.held_since, _A.c.opened_at, _A.c.taken_by,
        _A.c.taken_at, _A.c.snoozed_until, _A.c.closed_at, _A.c.closed_by, _A.c.closed_why, _D.c.share_id,
        _D.c.state.label("delivery_state"), _D.c.answer_state, _D.c.kind.label("delivery_kind"),
        _D.c.created_at.label("made_at"), _S.c.reference, _S.c.sent_at, _NOT_YET,
    )
    .join(_D, _D.c.id == _A.c.delivery_id)
    .join(_S, _S.c.id == _D.c.share_id)
)  # fmt: skip


def follow_up(
    engine: Engine, reader: Scope, wanted: AlertFilter, after: Place | None = None, limit: int = 50
) -> AlertPage:
    """Return a page of what `reader` may see, and where the next one starts.

    Open alerts come safety first, then urgent, then by how late they are, heads-ups last; of one delivery only the
    leading alert is shown. Closed ones come newest first.
    """
    statement = _page(reader, wanted, after).limit(limit + 1)
    with engine.connect() as connection:
        found = [line(each) for each in rows(connection, statement)]
    shown = tuple(found[:limit])
    return AlertPage(shown, shown[-1].place if len(found) > limit else None)


def how_many(engine: Engine, reader: Scope, wanted: AlertFilter) -> Mapping[Priority, int]:
    """Return how many of the alerts that `reader` may see there are by priority, all pages together."""
    chosen = _conditions(reader, wanted)
    statement = select(_A.c.priority, func.count()).where(*chosen).group_by(_A.c.priority)
    with engine.connect() as connection:
        return {Priority(priority): number for priority, number in connection.execute(statement)}


def _page(reader: Scope, wanted: AlertFilter, after: Place | None) -> Select[Any]:
    statement = LINE.where(*_conditions(reader, wanted))
    if wanted.shown is Shown.CLOSED:
        if after is not None:
            place = tuple_(_A.c.closed_at, _A.c.id)
            statement = statement.where(place < tuple_(literal(after.at, Instant()), literal(after.alert_id)))
        return statement.order_by(_A.c.closed_at.desc(), _A.c.id.desc())
    if after is not None:
        behind = tuple_(literal(after.priority), literal(after.at, Instant()), literal(after.alert_id))
        statement = statement.where(tuple_(_A.c.priority, _A.c.due_at, _A.c.id) > behind)
    return statement.order_by(_A.c.priority, _A.c.due_at, _A.c.id)


def _conditions(reader: Scope, wanted: AlertFilter) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = [visible(reader)]
    if wanted.shown is Shown.CLOSED:
        chosen.append(_A.c.state == literal(AlertState.CLOSED, literal_execute=True))
    else:
        chosen += [IS_OPEN, leads()]
        snoozed = _A.c.snoozed_until.is_not(None)
        chosen.append(snoozed if wanted.shown is Shown.SNOOZED else ~snoozed)
    if wanted.mine:
        chosen.append(_A.c.holder == reader.person)
    if wanted.unclaimed:
        chosen.append(_A.c.taken_by.is_(None))
    if wanted.organisation:
        chosen.append(_A.c.partner_id == wanted.organisation)
    if wanted.service:
        chosen.append(_A.c.service_id == wanted.service)
    if wanted.level is not None:
        chosen.append(_A.c.level == int(wanted.level))
    if wanted.kind is not None:
        chosen.append(_A.c.kind == wanted.kind)
    return chosen


def visible(reader: Scope) -> ColumnElement[bool]:
    """Return the condition that an alert is one that somebody may see (TH12).

    Of one partner alone its own index serves; for more, the list is read in its own order until the page is full.
    """
    if len(reader.leads) == 1 and not reader.hears:
        return _A.c.partner_id == next(iter(reader.leads))
    by_partner = _A.c.partner_id.concat("").in_(sorted(reader.leads)) if reader.leads else false()
    by_service = _A.c.service_id.concat("").in_(sorted(reader.hears)) if reader.hears else false()
    return or_(by_partner, by_service)


def line(row: Row) -> AlertLine:
    """Return one alert of a list from its row."""
    coded = {
        "level": Level(row["level"]),
        "kind": AlertKind(row["kind"]),
        "priority": Priority(row["priority"]),
        "role": Role(row["role"]),
        "do_not_tell_yet": bool(row["do_not_tell_yet"]),
    }
    return AlertLine(**{**row, **coded})
