"""What was counted: how often each gate blocked each service, and what was answered about three of five."""

from __future__ import annotations

from sqlalchemy import Engine, bindparam, func, select

from hub.store import tables
from hub.store.fetch import Row, rows

_T = tables.tallies

_TOTALS = (
    select(_T.c.name, _T.c.service_id, func.sum(_T.c.number).label("number"), func.max(_T.c.day).label("latest"))
    .where(_T.c.what == bindparam("what"), _T.c.day >= bindparam("since"))
    .group_by(_T.c.name, _T.c.service_id)
    .order_by(_T.c.name, _T.c.service_id)
)


def totals(engine: Engine, what: str, since: str = "") -> list[Row]:
    """Return how often each name was counted for each service, from the day `since` (2026-11-20) on, or ever."""
    with engine.connect() as connection:
        return rows(connection, _TOTALS, {"what": what, "since": since})
