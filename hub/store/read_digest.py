"""What a mail for many holds: how many alerts of each kind, and the first of them in full."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, bindparam, func, select

from hub.domain.notice import NoticeState
from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row, rows
from hub.store.read_state import notice_context
from hub.store.transaction_digest import TRYING

#: How many are named in one mail; the rest is a number, and stands in the reader's list.
NAMED: Final = 20

_N, _A, _D = tables.notices, tables.alerts, tables.deliveries
_IN = _N.c.digest_id == bindparam("digest"), _N.c.state == NoticeState.QUEUED
_FIRST = (
    select(_N)
    .outerjoin(_A, _A.c.id == _N.c.alert_id)
    .where(*_IN)
    .order_by(func.coalesce(_A.c.priority, 2), _N.c.created_at, _N.c.id)
    .limit(NAMED)
)
_COUNTS = select(
    func.count().label("total"),
    func.count().filter(_N.c.topic == "alert.undelivered", _D.c.state.in_(TRYING)).label("not_there"),
).select_from(_N.outerjoin(_D, _D.c.id == _N.c.delivery_id)).where(*_IN)  # fmt: skip
#: Of what was told of while it could not be reached, what has arrived since.
_OUTAGE = (
    select(tables.outages)
    .where(
        tables.outages.c.reader == bindparam("reader"),
        tables.outages.c.service_id == bindparam("service"),
        tables.outages.c.ended_at == bindparam("at", type_=Instant()),
    )
    .limit(1)
)


def digest_context(engine: Engine, notice: Row) -> dict[str, object]:
    """Return what a mail for many speaks of: its first notices with their contexts, and how many there are in all."""
    of = {"reader": notice["recipient"], "service": notice["service_id"], "at": notice["created_at"]}
    with engine.connect() as connection:
        counted = row(connection, _COUNTS, {"digest": notice["id"]})
        first = rows(connection, _FIRST, {"digest": notice["id"]})
        outage = row(connection, _OUTAGE, of)
    assert counted is not None
    return {
        "total": counted["total"],
        "not_there": counted["not_there"],
        "first": [(each, notice_context(engine, each)) for each in first],
        "outage": outage["alerts"] if outage is not None else 0,
    }


def readers(engine: Engine) -> list[Row]:
    """Return the readers whose mail is refused, or who asked for one mail a day."""
    with engine.connect() as connection:
        return rows(connection, _READERS, {})


_R = tables.readers
_READERS = select(_R).where(_R.c.refused_since.is_not(None) | _R.c.daily_since.is_not(None)).order_by(_R.c.person)


def is_daily(engine: Engine, person: str) -> bool:
    """Tell whether a reader asked for one mail a day."""
    with engine.connect() as connection:
        return connection.scalar(_DAILY, {"person": person}) is not None


_DAILY = select(_R.c.daily_since).where(_R.c.person == bindparam("person"))
