"""The audit log as it is exported and checked: sealed events in their order, each checkpoint after its last event."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, bindparam, func, select

from hub.store import tables
from hub.store.fetch import Row, row, rows
from hub.store.transaction_audit import NEWEST

_E, _P = tables.audit_events, tables.checkpoints
_CHUNK = 2000

_EVENTS = (
    select(
        _E.c.position, _E.c.hash, _E.c.at, _E.c.kept_at, _E.c.action, _E.c.actor, _E.c.share_id, _E.c.delivery_id,
        _E.c.detail,
    )
    .where(_E.c.position > bindparam("above"), _E.c.position <= bindparam("most"))
    .order_by(_E.c.position)
    .limit(_CHUNK)
)  # fmt: skip
_CHECKPOINTS = (
    select(_P)
    .where(_P.c.position > bindparam("above"), _P.c.position <= bindparam("most"))
    .order_by(_P.c.position)
    .limit(_CHUNK)
)
_WAITING = select(func.count()).select_from(_E).where(_E.c.position.is_(None))


def newest_checkpoint(engine: Engine) -> Row | None:
    """Return the checkpoint of the highest position."""
    with engine.connect() as connection:
        return row(connection, NEWEST)


def waiting(engine: Engine) -> int:
    """Return how many events have no place in the chain yet."""
    with engine.connect() as connection:
        return connection.scalar(_WAITING) or 0


def events(engine: Engine, most: int) -> Iterator[Row]:
    """Yield sealed events up to a position, in order; what is sealed never changes, so a piece at a time is enough."""
    above = 0
    while True:
        with engine.connect() as connection:
            found = rows(connection, _EVENTS, {"above": above, "most": most})
        yield from found
        if len(found) < _CHUNK:
            return
        above = found[-1]["position"]


def checkpoints(engine: Engine, most: int) -> Iterator[Row]:
    """Yield checkpoints up to a position, in order."""
    above = -1
    while True:
        with engine.connect() as connection:
            found = rows(connection, _CHECKPOINTS, {"above": above, "most": most})
        yield from found
        if len(found) < _CHUNK:
            return
        above = found[-1]["position"]
