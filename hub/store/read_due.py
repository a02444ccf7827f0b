"""What is due: the reads by which the relay finds work that no nudge told it of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, bindparam, exists, or_, select, text

from hub.domain.delivery import CLAIMABLE, DeliveryState
from hub.domain.notice import InboxState, NoticeState
from hub.store import tables
from hub.store.columns import Instant, listed
from hub.store.fetch import rows

_D, _N, _I = tables.deliveries, tables.notices, tables.inbox
_wall = bindparam("wall", type_=Instant())

#: In the very words of the partial index: one step into it for a connection, however much waits there.
_CLAIMABLE = text(f"deliveries.state IN ({listed(CLAIMABLE)})")
_HERE = _D.c.connection_id == bindparam("connection")
_IS_DUE = select(
    exists().where(_HERE, _CLAIMABLE, _D.c.due_at <= _wall)
    | exists().where(_HERE, _D.c.state == DeliveryState.IN_DOUBT, _D.c.due_at <= _wall, _D.c.lease_until.is_(None))
)
_HELD = select(tables.connections.c.id).where(tables.connections.c.held_since.is_not(None))
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
    _N.c.channel.in_(("email", "webhook")),
    _N.c.digest_id.is_(None),
    or_(
        _N.c.state.in_((NoticeState.QUEUED, NoticeState.RETRYING)) & (_N.c.due_at <= _wall),
        (_N.c.state == NoticeState.SENDING) & (_N.c.lease_until <= _wall),
    ),
)


def due_deliveries(engine: Engine, wall: datetime, connections: Iterable[str]) -> list[str]:
    """Return those of these connections on which something may be claimed now, or asked about; none that is held."""
    with engine.connect() as connection:
        held = set(connection.scalars(_HELD))
        return [
            each
            for each in connections
            if each not in held and connection.scalar(_IS_DUE, {"connection": each, "wall": wall})
        ]


def due_inbox(engine: Engine, wall: datetime) -> list[str]:
    """Return the connections with messages to read."""
    with engine.connect() as connection:
        return [each["connection_id"] for each in rows(connection, _INBOX, {"wall": wall})]


def has_due_notices(engine: Engine, wall: datetime) -> bool:
    """Tell whether a notice waits to be sent."""
    with engine.connect() as connection:
        return connection.execute(_NOTICES.limit(1), {"wall": wall}).first() is not None
