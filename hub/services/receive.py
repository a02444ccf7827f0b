"""Receive: a partner's message is kept before it is understood; the same message twice is kept once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from hub.domain.errors import HubError, Refusal, Unauthenticated
from hub.services.pack import place
from hub.services.ports import Transaction, Vault, audited
from hub.services.remember import OneTime, remember


@dataclass(frozen=True, slots=True)
class Message:
    """A verified message from a partner: `body` is what the host will parse, `message_id` a keyed hash."""

    connection_id: str
    message_id: str
    body: bytes
    once: tuple[OneTime, ...]
    wall: datetime


_REPLAYED = Refusal(
    type="callback-replayed",
    title="This proof was used before",
    next_step="Prove each request anew; the same message may be sent again with a new proof.",
    origin="receiver",
)


def receive(tx: Transaction, items: Sequence[Message], *, vault: Vault) -> list[bool | HubError]:
    """Keep messages sealed; True where it is new. The caller replies only after the commit.

    A proof that was used before is refused; the partner's own second attempt bears a new one, and is kept once.
    """
    results: list[bool | HubError] = []
    for item in items:
        if not all(remember(tx, item.once)):
            results.append(Unauthenticated(_REPLAYED))
            continue
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
