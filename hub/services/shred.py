"""Shred: forget stories whose time has come, whatever their state; coded states and digests stay (R59)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.domain.calendar import london_date
from hub.domain.consent import ConsentState
from hub.domain.forget import Forgetting
from hub.services.consent_event import consent_event
from hub.services.ports import Row, Transaction, audited
from hub.services.stop_waiting import stop_waiting
from hub.services.tell import notice_row

#: Writes ids down where no backup of the database reaches; it is on disk when it returns.
WriteDown = Callable[[Sequence[str], date], None]


@dataclass(frozen=True, slots=True)
class Shred:
    """Forget at most `limit` shares, and as many messages, whose time has come."""

    business: datetime
    wall: datetime
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ShredAgain:
    """Forget shares that a restored database brought back; at most some hundreds of ids."""

    share_ids: tuple[str, ...]
    business: datetime
    wall: datetime


def shred(tx: Transaction, items: Sequence[Shred], *, policy: Forgetting, write_down: WriteDown) -> list[int]:
    """Forget what is due; returns how many shares and messages each item forgot.

    Shares count in business time, a partner's messages by the wall's clock. A share under a legal hold is passed over.
    """
    results = []
    for item in items:
        rows = tx.lock_forgettable(
            item.business - policy.after_sending, item.business - policy.after_answer, item.limit
        )
        if rows:
            # Before anything is destroyed: what a crash leaves on the list alone was due anyway.
            write_down([row["id"] for row in rows], london_date(item.wall))
            _forget(tx, rows, item.business, item.wall, "due")
            tx.insert("notices", [_notice(row, item.wall) for row in rows])
            tx.nudge_notices()
        results.append(len(rows) + tx.forget_messages_before(item.wall - policy.after_sending, item.limit))
    return results


def shred_again(tx: Transaction, items: Sequence[ShredAgain]) -> list[int]:
    """Forget what was forgotten before and came back; its sender was told then. Returns how many there were."""
    results = []
    for item in items:
        rows = tx.lock_remembered(item.share_ids)
        _forget(tx, rows, item.business, item.wall, "restored")
        results.append(len(rows))
    return results


def _forget(tx: Transaction, rows: Sequence[Row], business: datetime, wall: datetime, why: str) -> None:
    """Destroy keys and words; what waits is cancelled, what is in doubt asked about no more, and nobody waits."""
    if not rows:
        return
    ids = [row["id"] for row in rows]
    deliveries = tx.forget_shares(ids)
    waiting = [row for row in deliveries if row["is_waiting"]]
    tx.cancel([row["id"] for row in waiting], wall)
    stop_waiting(tx, [row["id"] for row in deliveries], business)
    # What was agreed for this share ends with it; so whatever is under way now is not tried again.
    ended = tx.live_consents(ids)
    tx.end_consents(ended, ConsentState.EXPIRED)
    tx.insert("consent_events", [consent_event(each, ConsentState.EXPIRED, business, "hub") for each in ended])
    forgotten = [audited(business, "share.forgotten", "hub:forget", each, None, {"why": why}) for each in ids]
    cancelled = [
        audited(business, "delivery.cancelled", "hub:forget", row["share_id"], row["id"], {"why": "forgotten"})
        for row in waiting
    ]
    tx.insert("audit_events", [*forgotten, *cancelled])


def _notice(row: Row, wall: datetime) -> Row:
    return notice_row("webhook", "share.forgotten", row["client_id"], wall, share_id=row["id"])
