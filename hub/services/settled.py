"""What settling writes: a delivery as it stands after an attempt, and the attempt itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.domain.delivery import DeliveryState
from hub.services.ports import Row


def settled(row: Row, state: DeliveryState, due_at: datetime, reason: str, **changed: Any) -> dict[str, Any]:
    """Return a locked delivery's row in `state`, due at a wall instant; what is not `changed` stays as it was."""
    return {
        "id": row["id"],
        "state": state,
        "due_at": due_at,
        "reason": reason,
        "deaths": row["deaths"],
        "counted": row["counted"],
        "delivered_at": row["delivered_at"],
        "receipt": row["receipt"],
        "sealed_receipt": row["sealed_receipt"],
        "may_have_left": row["may_have_left"],
    } | changed


def attempt_row(row: Row, outcome: str, reason: str, ended_at: datetime) -> dict[str, Any]:
    """Return the attempt that a locked delivery is at, ended at a wall instant with a coded outcome and reason."""
    return {
        "delivery_id": row["id"],
        "number": row["attempt"],
        "claimed_at": row["claimed_at"],
        "ended_at": ended_at,
        "outcome": outcome,
        "reason": reason,
    }
