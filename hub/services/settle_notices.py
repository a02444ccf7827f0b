"""Claim and settle notices: each is sent at least once under one id, so that a second copy is known as the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.digest import Gathering
from hub.services.collect import note_collected
from hub.services.gather import gather
from hub.services.ports import Row, Transaction, audited
from hub.services.refuse_mail import MUST_REACH, note_mail, passes_on
from hub.services.tell import ANSWERED, DIGESTS, OPERATOR, notice_row


@dataclass(frozen=True, slots=True)
class ClaimNotices:
    """Take at most `limit` due notices of a channel (email or webhook) until `lease_until`.

    With `gathering` what becomes due for one reader goes in one mail (TH15); without, each notice goes by itself.
    """

    channel: str
    limit: int
    wall: datetime
    lease_until: datetime
    gathering: Gathering | None = None


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
_UNSENT = frozenset({"dead_lettered", "cancelled"})


def claim_notices(tx: Transaction, items: Sequence[ClaimNotices]) -> list[list[Row]]:
    """Take due notices for each item, the longest waiting first."""
    return [_claim(tx, item) for item in items]


def _claim(tx: Transaction, item: ClaimNotices) -> list[Row]:
    if item.channel == "email" and item.gathering is not None:
        gather(tx, item.wall, item.gathering)
    together = item.gathering is None
    return tx.claim_notices(item.channel, item.limit, item.wall, item.lease_until, together=together)


def settle_notices(tx: Transaction, items: Sequence[NoticeSettlement]) -> list[None]:
    """Write what became of notices, with an audit event for each that ended; a mail settles all that went in it.

    An alert that reached no champion, and a case system that takes nothing more, are told to the operator (R44, R50).
    Somebody whose mail server says no for good counts as away from then on: what they hold and have not opened passes
    on at once, and the operator hears of it once.
    """
    results: list[None] = [None for _ in items]
    items = [*items, *_within(tx, items)]
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
    refused = [row for item in items for row in note_mail(tx, item.notice, item.state, item.reason, item.at)]
    told = [*_unsent_alerts(items), *_gone(tx, items), *refused]
    if told:
        tx.insert("notices", told)
        tx.nudge_notices()
    return results


def _within(tx: Transaction, items: Sequence[NoticeSettlement]) -> list[NoticeSettlement]:
    """What went in a mail has come to the same end; while the mail is tried again, it waits with it."""
    ended = {item.notice["id"]: item for item in items if item.notice["topic"] in DIGESTS and item.state != "retrying"}
    members = tx.in_digests(list(ended))
    of = [(row, ended[row["digest_id"]]) for row in members]
    return [NoticeSettlement(row, digest.state, digest.at, digest.reason) for row, digest in of]


def _unsent_alerts(items: Sequence[NoticeSettlement]) -> list[Row]:
    """Return a notice for the operator in place of each alert's email that ended unsent."""
    return [
        notice_row("email", "alert.unsent", OPERATOR, item.at, **_ids(item.notice), alert_id=item.notice["alert_id"])
        for item in items
        if item.state in _UNSENT
        and item.notice["channel"] == "email"
        and (item.notice["alert_id"] is not None or item.notice["topic"] in MUST_REACH)
        and item.notice["share_id"] is not None
        and item.notice["recipient"] != OPERATOR
        and not passes_on(item.notice, item.reason)
    ]


def _gone(tx: Transaction, items: Sequence[NoticeSettlement]) -> list[Row]:
    """Return a notice for the operator of each client whose address is gone, once for a client."""
    gone = {
        item.notice["recipient"]: item
        for item in items
        if item.reason == GONE and not tx.was_told_gone(item.notice["recipient"])
    }
    return [notice_row("email", "webhook.gone", OPERATOR, item.at, **_ids(item.notice)) for item in gone.values()]


def _ids(notice: Row) -> dict[str, Any]:
    return {"share_id": notice["share_id"], "delivery_id": notice["delivery_id"]}
