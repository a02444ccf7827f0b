"""Sweep: what a crash or a lost nudge left behind is put right from the rows alone; nothing waits for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.consent import ConsentState
from hub.domain.delivery import DeliveryEvent, DeliveryState, move
from hub.services.ports import Row, Transaction, audited


@dataclass(frozen=True, slots=True)
class Sweep:
    """Look for expired leases and dead consent; at most `limit` of each in one transaction."""

    wall: datetime
    business: datetime
    limit: int = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many deliveries each kind of trouble touched."""

    doubted: int
    cancelled: int
    expired: int  # consents
    resumed: int


def sweep(tx: Transaction, items: Sequence[Sweep]) -> list[Swept]:
    """Put right what was left behind, for each item."""
    return [Swept(_leases(tx, item), *_dead_consent(tx, item), _strays(tx, item)) for item in items]


def _leases(tx: Transaction, item: Sweep) -> int:
    """A lease that ran out may have sent: `started` was known only to the process that died, so it is in doubt."""
    rows = tx.expired_leases(item.wall, item.limit)
    if not rows:
        return 0
    updates = []
    for row in rows:
        state = DeliveryState(row["state"])
        after = state if state is DeliveryState.IN_DOUBT else move(state, DeliveryEvent.DOUBTED)
        updates.append(
            {
                "id": row["id"],
                "state": after,
                "due_at": item.wall,
                "reason": "lease-expired",
                "deaths": row["deaths"],
                "counted": row["counted"],
                "delivered_at": row["delivered_at"],
                "receipt": row["receipt"],
                "sealed_receipt": row["sealed_receipt"],
                "may_have_left": True,
            }
        )
    tx.update_deliveries(updates)
    tx.insert(
        "attempts",
        [
            {
                "delivery_id": row["id"],
                "number": row["attempt"],
                "claimed_at": row["claimed_at"],
                "ended_at": item.wall,
                "outcome": "indoubt",
                "reason": "lease-expired",
            }
            for row in rows
        ],
    )
    tx.insert("audit_events", [_swept(row, item, "delivery.lease_expired") for row in rows])
    for row in rows:
        tx.nudge(row["connection_id"], [row["id"]])
    return len(rows)


def _dead_consent(tx: Transaction, item: Sweep) -> tuple[int, int]:
    """Consent that ended while something waited: expiry is recorded, and what waits is cancelled (R16)."""
    lapsed = tx.lapsed(item.business, item.limit)
    if lapsed:
        tx.end_consents([row["id"] for row in lapsed], ConsentState.EXPIRED)
        tx.insert(
            "consent_events",
            [
                {
                    "consent_id": row["id"],
                    "state": ConsentState.EXPIRED,
                    "at": item.business,
                    "client_id": "hub",
                    "author": "",
                }
                for row in lapsed
            ],
        )
    rows = tx.ended_before_sending(item.limit)
    tx.cancel([row["id"] for row in rows], item.wall)
    tx.stop_all_clocks([row["id"] for row in rows])
    tx.insert("audit_events", [_swept(row, item, "delivery.cancelled") for row in rows])
    return len(rows), len(lapsed)


def _strays(tx: Transaction, item: Sweep) -> int:
    """A share accepted while its connection was being resumed may be held on a connection that no longer is."""
    resumed = 0
    for connection_id in tx.stray_held():
        ids = tx.resume(connection_id)
        tx.nudge(connection_id, ids)
        detail = {"connection": connection_id, "deliveries": len(ids)}
        tx.insert("audit_events", [audited(item.business, "connection.resumed", "hub:sweep", None, None, detail)])
        resumed += len(ids)
    return resumed


def _swept(row: Row, item: Sweep, action: str) -> Row:
    return audited(item.business, action, "hub:sweep", row["share_id"], row["id"])
