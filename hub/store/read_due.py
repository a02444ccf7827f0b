"""What is due: the reads by which the relay finds work that no nudge told it of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, bindparam, or_, select

from hub.domain.delivery import CLAIMABLE, DeliveryState
from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import rows
from hub.store.tables import InboxState, NoticeState

_D, _N, _I = tables.deliveries, tables.notices, tables.inbox
_wall = bindparam("wall", type_=Instant())

_HELD = select(tables.connections.c.id).where(tables.connections.c.held_since.is_not(None))
#: What waits on a held connection is not due: thousands of them must not push others out of the limit.
_DELIVERIES = (
    select(_D.c.connection_id, _D.c.id)
    .where(
        or_(
            _D.c.state.in_([str(state) for state in CLAIMABLE]),
            (_D.c.state == DeliveryState.IN_DOUBT) & _D.c.lease_until.is_(None),
        ),
        _D.c.due_at <= _wall,
        _D.c.connection_id.not_in(_HELD),
    )
    .order_by(_D.c.due_at)
    .limit(bindparam("limit"))
)
_INBOX = (
    select(_I.c.connection_id)
    .where(
        _I.c.state == InboxState.PENDING,
        _I.c.due_at <= _wall,
        or_(_I.c.lease_until.is_(None), _I.c.lease_until <= _wall),
    )
    .distinct()
)
_NOTICES = select(_N.c.id).where(
    or_(
        _N.c.state.in_((NoticeState.QUEUED, NoticeState.RETRYING)) & (_N.c.due_at <= _wall),
        (_N.c.state == NoticeState.SENDING) & (_N.c.lease_until <= _wall),
    )
)


def due_deliveries(engine: Engine, wall: datetime, limit: int = 2000) -> dict[str, list[str]]:
    """Return the ids that may be claimed now, or asked about, by connection; the longest overdue first."""
    found: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for each in rows(connection, _DELIVERIES, {"wall": wall, "limit": limit}):
            found.setdefault(each["connection_id"], []).append(each["id"])
    return found


def due_inbox(engine: Engine, wall: datetime) -> list[str]:
    """Return the connections with messages to read."""
    with engine.connect() as connection:
        return [each["connection_id"] for each in rows(connection, _INBOX, {"wall": wall})]


def has_due_notices(engine: Engine, wall: datetime) -> bool:
    """Tell whether a notice waits to be sent."""
    with engine.connect() as connection:
        return connection.execute(_NOTICES.limit(1), {"wall": wall}).first() is not None
