"""Receive: a partner's message is kept before it is understood; the same message twice is kept once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from hub.services.pack import place
from hub.services.ports import Transaction, Vault, audited


@dataclass(frozen=True, slots=True)
class Message:
    """A verified message from a partner: `body` is what the host will parse, `message_id` a keyed hash."""

    connection_id: str
    message_id: str
    body: bytes
    wall: datetime


def receive(tx: Transaction, items: Sequence[Message], *, vault: Vault) -> list[bool]:
    """Keep messages sealed; True where it is new. The caller replies only after the commit."""
    results = []
    for item in items:
        if tx.known_message(item.connection_id, item.message_id):
            results.append(False)
            continue
        row_id, data_key = uuid4().hex, vault.new_data_key()
        tx.insert(
            "inbox",
            [
                {
                    "id": row_id,
                    "connection_id": item.connection_id,
                    "message_id": item.message_id,
                    "received_at": item.wall,
                    "state": "pending",
                    "due_at": item.wall,
                    "attempt": 0,
                    "data_key": data_key.wrapped,
                    "message": data_key.seal(item.body, place("inbox", "message", row_id)),
                }
            ],
        )
        tx.insert("audit_events", [audited(item.wall, "message.received", f"connection:{item.connection_id}")])
        tx.nudge_inbox(item.connection_id)
        results.append(True)
    return results
