"""Claim and settle notices: each is sent at least once under one id, so that a second copy is known as the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.services.collect import note_collected
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import ANSWERED, INVITE, LOOK_TOGETHER, OPERATOR, RING_IN_PRIVATE, notice_row


@dataclass(frozen=True, slots=True)
class ClaimNotices:
    """Take at most `limit` due notices of a channel (email or webhook) until `lease_until`."""

    channel: str
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
    waits: bool = False  #: it said only that an answer waits for somebody who is not here (R07)


#: Why a notice ended: nobody is there to take it; or the receiver wants no more at this address (410).
NOBODY, GONE = "nobody-to-tell", "gone"
#: Somebody waits to be rung, or for a link: as with an alert, it must not end in silence.
_MUST_REACH = frozenset({INVITE, LOOK_TOGETHER, RING_IN_PRIVATE})
_UNSENT = frozenset({"dead_lettered", "cancelled"})


def claim_notices(tx: Transaction, items: Sequence[ClaimNotices]) -> list[list[Row]]:
    """Take due notices for each item, the longest waiting first."""
    return [tx.claim_notices(item.channel, item.limit, item.wall, item.lease_until) for item in items]


def settle_notices(tx: Transaction, items: Sequence[NoticeSettlement]) -> list[None]:
    """Write what became of notices, with an audit event for each that ended.

    An alert that reached no champion, and a case system that takes nothing more, are told to the operator (R44, R50).
    """
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
    for item in items:
        fetched = item.state == "sent" and not item.waits
        if fetched and item.notice["topic"] == ANSWERED and item.notice["channel"] == "webhook":
            note_collected(tx, tx.uncollected_at([item.notice["delivery_id"]]), item.at)
    told = [*_unsent_alerts(items), *_gone(tx, items)]
    if told:
        tx.insert("notices", told)
        tx.nudge_notices()
    return [None for _ in items]


def _unsent_alerts(items: Sequence[NoticeSettlement]) -> list[Row]:
    """Return a notice for the operator in place of each alert's email that ended unsent."""
    return [
        notice_row("email", "alert.unsent", OPERATOR, item.at, **_ids(item.notice), alert_id=item.notice["alert_id"])
        for item in items
        if item.state in _UNSENT
        and item.notice["channel"] == "email"
        and (item.notice["alert_id"] is not None or item.notice["topic"] in _MUST_REACH)
        and item.notice["share_id"] is not None
        and item.notice["recipient"] != OPERATOR
    ]


def _gone(tx: Transaction, items: Sequence[NoticeSettlement]) -> list[Row]:
    """Return a notice for the operator of each client whose address is gone, once for a client."""
    gone = {
        item.notice["recipient"]: item
        for item in items
        if item.reason == GONE and not tx.was_told_gone(item.notice["recipient"])
    }
    return [notice_row("email", "webhook.gone", OPERATOR, item.at, **_ids(item.notice)) for item in gone.values()]


def _ids(notice: Row) -> dict[str, str | None]:
    return {"share_id": notice["share_id"], "delivery_id": notice["delivery_id"]}
