"""What the commands and pages about barriers read: barriers, how they came there, and what may become one."""

from __future__ import annotations

from sqlalchemy import Engine, bindparam, func, select

from hub.domain.barrier import Cause
from hub.store import tables
from hub.store.fetch import Row, row, rows

_B, _M, _T = tables.barriers, tables.barrier_moves, tables.tallies
_MET = (
    select(func.coalesce(func.sum(_T.c.number), 0))
    .where(_T.c.service_id == _B.c.service_id, _T.c.what == _B.c.cause, _T.c.name == _B.c.name)
    .correlate(_B)
    .scalar_subquery()
    .label("met")
)
_ALL = select(_B, _MET).order_by(_B.c.since.desc(), _B.c.id)
_ONE = select(_B, _MET).where(_B.c.id == bindparam("id"))
_MOVES = select(_M).where(_M.c.barrier_id == bindparam("id")).order_by(_M.c.number)
_MONTH = func.substr(_T.c.day, 1, 7)
_CANDIDATES = (
    select(
        _MONTH.label("month"), _T.c.service_id, _T.c.what.label("cause"), _T.c.name,
        func.sum(_T.c.number).label("met"), _B.c.id.label("barrier"), _B.c.state,
    )
    .outerjoin(_B, (_B.c.service_id == _T.c.service_id) & (_B.c.cause == _T.c.what) & (_B.c.name == _T.c.name))
    .where(_T.c.day >= bindparam("since"), _T.c.what.in_([str(each) for each in Cause]))
    .group_by(_MONTH, _T.c.service_id, _T.c.what, _T.c.name, _B.c.id, _B.c.state)
    .order_by(_MONTH.desc(), func.sum(_T.c.number).desc(), _T.c.service_id, _T.c.what, _T.c.name)
)  # fmt: skip
_BY_MONTH = (
    select(_MONTH.label("month"), _T.c.name, _T.c.service_id, func.sum(_T.c.number).label("number"))
    .where(_T.c.what == bindparam("what"), _T.c.day >= bindparam("since"))
    .group_by(_MONTH, _T.c.name, _T.c.service_id)
    .order_by(_MONTH.desc(), func.sum(_T.c.number).desc(), _T.c.name, _T.c.service_id)
)


def barriers(engine: Engine) -> list[Row]:
    """Return every barrier, the last one that moved first, each with how often it was met."""
    with engine.connect() as connection:
        return rows(connection, _ALL, {})


def barrier(engine: Engine, barrier_id: str) -> tuple[Row, list[Row]] | None:
    """Return one barrier with its moves in their order; None where there is none."""
    with engine.connect() as connection:
        found = row(connection, _ONE, {"id": barrier_id})
        return None if found is None else (found, rows(connection, _MOVES, {"id": barrier_id}))


def candidates(engine: Engine, since: str = "") -> list[Row]:
    """Return how often each shut door was met, by month, from the day `since` on, and which barrier it is already."""
    with engine.connect() as connection:
        return rows(connection, _CANDIDATES, {"since": since})


def by_month(engine: Engine, what: str, since: str = "") -> list[Row]:
    """Return how often each name of one kind was counted, by month and service: wins and training."""
    with engine.connect() as connection:
        return rows(connection, _BY_MONTH, {"what": what, "since": since})
