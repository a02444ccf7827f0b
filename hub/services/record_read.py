"""Record a read: who looked at what is written down, and committed, before they are shown anything (TH12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.services.ports import Transaction, audited


@dataclass(frozen=True, slots=True)
class Read:
    """One look: `action` says at what, `actor` is whose, `at` business time; `detail` holds codes and ids only."""

    action: str
    actor: str
    at: datetime
    share_id: str | None = None
    delivery_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def record_read(tx: Transaction, items: Sequence[Read]) -> list[None]:
    """Keep an audit event for each read, also for one that was refused."""
    rows = [audited(item.at, item.action, item.actor, item.share_id, item.delivery_id, item.detail) for item in items]
    tx.insert("audit_events", rows)
    return [None for _ in items]
