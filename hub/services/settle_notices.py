"""Claim and settle notices: each is sent at least once under one id, so that a second copy is known as the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.services.ports import Row, Transaction, audited


@dataclass(frozen=True, slots=True)
class ClaimNotices:
    """Take at most `limit` due notices until `lease_until`."""

    limit: int
    wall: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class NoticeSettlement:
    """What became of one notice; `at` is when it was sent, or when it is due again."""

    notice: Row
    state: str
    at: datetime
    reason: str | None


def claim_notices(tx: Transaction, items: Sequence[ClaimNotices]) -> list[list[Row]]:
    """Take due notices for each item, the longest waiting first."""
    return [tx.claim_notices(item.limit, item.wall, item.lease_until) for item in items]


def settle_notices(tx: Transaction, items: Sequence[NoticeSettlement]) -> list[None]:
    """Write what became of notices, with an audit event for each that ended."""
    tx.update_notices(
        [
            {
                "id": item.notice["id"],
                "state": item.state,
                "due_at": item.at,
                "sent_at": item.at if item.state == "sent" else None,
                "reason": item.reason,
            }
            for item in items
        ]
    )
    tx.insert(
        "audit_events",
        [
            audited(
                item.at,
                f"notice.{item.state}",
                "hub:notifier",
                item.notice["share_id"],
                item.notice["delivery_id"],
                {"topic": item.notice["topic"], "channel": item.notice["channel"], "reason": item.reason or ""},
            )
            for item in items
            if item.state != "retrying"
        ],
    )
    return [None for _ in items]
