"""Revoke and restore clients: a partner's system is kept out, or let in again, with an audit event either way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.services.ports import Transaction, audited


@dataclass(frozen=True, slots=True)
class Revocation:
    """Revoke a client, or restore it; `actor` is who decided, as an id."""

    client_id: str
    revoked: bool
    actor: str
    wall: datetime


def revoke(tx: Transaction, items: Sequence[Revocation]) -> list[bool]:
    """Write each; False for a client that stood that way already, and then nothing is recorded."""
    changed = [tx.set_client_revoked(item.client_id, item.wall if item.revoked else None) for item in items]
    tx.insert(
        "audit_events",
        [
            audited(
                item.wall,
                "client.revoked" if item.revoked else "client.restored",
                item.actor,
                detail={"client": item.client_id},
            )
            for item, was_changed in zip(items, changed, strict=True)
            if was_changed
        ],
    )
    return changed
