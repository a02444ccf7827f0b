"""The statements of a transaction that concern barriers, and how often each was met."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select, update

from hub.domain.barrier import BarrierState, Cause
from hub.store import tables
from hub.store.fetch import Row, row, rows


class BarrierStatements:
    """How often a barrier was met is what was counted for its service under its cause and name."""

    _connection: Connection

    def lock_barrier(self, barrier_id: str) -> Row | None:
        """Take one barrier for change."""
        return row(self._connection, _LOCK, {"id": barrier_id})

    def find_barrier(self, service_id: str, cause: str, name: str) -> Row | None:
        """Take the barrier of one service for change that has this cause and name."""
        return row(self._connection, _FIND, {"service": service_id, "cause": cause, "name": name})

    def times_met(self, service_id: str, cause: str, name: str) -> int:
        """Return how often it was met, ever."""
        values = {"service": service_id, "cause": cause, "name": name}
        return int(self._connection.execute(_MET, values).scalar_one())

    def last_move(self, barrier_id: str) -> int:
        """Return the number of a barrier's last move."""
        return int(self._connection.execute(_LAST, {"id": barrier_id}).scalar_one())

    def change_barrier(self, barrier_id: str, changes: Row) -> None:
        """Write where a barrier stands now."""
        self._connection.execute(update(_B).where(_B.c.id == barrier_id).values(**changes))

    def came_back(self, limit: int) -> list[Row]:
        """Take removed barriers that were met again since, with how often that is in all."""
        return rows(self._connection, _CAME_BACK, {"limit": limit})

    def met_often(self, since: str, number: int, limit: int) -> list[Row]:
        """Return what was met so often from a day on, and is no barrier yet."""
        return rows(self._connection, _OFTEN, {"since": since, "number": number, "limit": limit})


_B, _M, _T = tables.barriers, tables.barrier_moves, tables.tallies
_LOCK = select(_B).where(_B.c.id == bindparam("id")).with_for_update()
_FIND = (
    select(_B)
    .where(_B.c.service_id == bindparam("service"), _B.c.cause == bindparam("cause"), _B.c.name == bindparam("name"))
    .with_for_update()
)
_MET = select(func.coalesce(func.sum(_T.c.number), 0)).where(
    _T.c.service_id == bindparam("service"), _T.c.what == bindparam("cause"), _T.c.name == bindparam("name")
)
_LAST = select(func.coalesce(func.max(_M.c.number), 0)).where(_M.c.barrier_id == bindparam("id"))
_IN_ALL = (
    select(func.coalesce(func.sum(_T.c.number), 0))
    .where(_T.c.service_id == _B.c.service_id, _T.c.what == _B.c.cause, _T.c.name == _B.c.name)
    .correlate(_B)
    .scalar_subquery()
)
_CAME_BACK = (
    select(_B, _IN_ALL.label("met"))
    .where(_B.c.state == BarrierState.REMOVED, _B.c.counted < _IN_ALL)
    .order_by(_B.c.id)
    .limit(bindparam("limit"))
    .with_for_update(of=_B, skip_locked=True)
)
_OFTEN = (
    select(_T.c.service_id, _T.c.what.label("cause"), _T.c.name)
    .outerjoin(_B, (_B.c.service_id == _T.c.service_id) & (_B.c.cause == _T.c.what) & (_B.c.name == _T.c.name))
    .where(_T.c.day >= bindparam("since"), _T.c.what.in_([str(each) for each in Cause]), _B.c.id.is_(None))
    .group_by(_T.c.service_id, _T.c.what, _T.c.name)
    .having(func.sum(_T.c.number) >= bindparam("number"))
    .order_by(_T.c.service_id, _T.c.what, _T.c.name)
    .limit(bindparam("limit"))
)
