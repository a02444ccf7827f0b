"""Hold a connection and let it go on: what is for it waits meanwhile, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.services.ports import Transaction, audited


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold a connection for a coded reason; `actor` is who asked."""

    connection_id: str
    reason: str
    actor: str
    wall: datetime


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a connection go on; `actor` is who asked."""

    connection_id: str
    actor: str
    wall: datetime


def hold(tx: Transaction, items: Sequence[Hold]) -> list[bool]:
    """Hold connections; False for one that was held already."""
    results = []
    for item in items:
        results.append(tx.hold(item.connection_id, item.reason, item.wall))
        detail = {"connection": item.connection_id, "reason": item.reason}
        tx.insert("audit_events", [audited(item.wall, "connection.held", item.actor, detail=detail)])
    return results


def resume(tx: Transaction, items: Sequence[Resume]) -> list[int]:
    """Let connections go on, and read again what was refused; returns how many deliveries were waiting for each."""
    results = []
    for item in items:
        waiting, unread = tx.resume(item.connection_id), tx.retry_refused(item.connection_id, item.wall)
        detail = {"connection": item.connection_id, "waiting": len(waiting), "unread": unread}
        tx.insert("audit_events", [audited(item.wall, "connection.resumed", item.actor, detail=detail)])
        tx.nudge(item.connection_id, waiting)
        if unread:
            tx.nudge_inbox(item.connection_id)
        results.append(len(waiting))
    return results
