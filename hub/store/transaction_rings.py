"""The statements of a transaction that concern requests to be rung."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from hub.domain.ring import RingState
from hub.store import tables
from hub.store.fetch import Row, rows

_R = tables.rings


class RingStatements:
    """Requests to be rung, each told of once when it is late."""

    _connection: Connection

    def rings(self, ring_ids: Sequence[str]) -> dict[str, Row]:
        """Return those of these requests that there are."""
        return {each["id"]: each for each in rows(self._connection, _KNOWN, {"ids": list(ring_ids)})}

    def pick_up_ring(self, ring_id: str, at: datetime) -> bool:
        """Record that somebody has it; False when somebody had it already."""
        return self._connection.execute(_PICK_UP, {"ring": ring_id, "at": at}).rowcount == 1

    def late_rings(self, now: datetime, limit: int) -> list[Row]:
        """Return requests that are due, that nobody has, and of which nobody was told yet."""
        return rows(self._connection, _LATE, {"now": now, "limit": limit})

    def mark_rings_late(self, ring_ids: Sequence[str], at: datetime) -> None:
        """Record that people were told that nobody has these."""
        self._connection.execute(_MARK, {"ids": list(ring_ids), "at": at})


_KNOWN = select(_R).where(_R.c.id.in_(bindparam("ids", expanding=True)))
_PICK_UP = (
    update(_R)
    .where(_R.c.id == bindparam("ring"), _R.c.state == RingState.WAITING)
    .values(state=RingState.PICKED_UP, picked_up_at=bindparam("at"))
)
_LATE = (
    select(_R)
    .where(_R.c.state == RingState.WAITING, _R.c.told_late_at.is_(None), _R.c.due_at <= bindparam("now"))
    .order_by(_R.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_MARK = update(_R).where(_R.c.id.in_(bindparam("ids", expanding=True))).values(told_late_at=bindparam("at"))
