"""Collect: an answer is fetched when its case system took the notice of it, or a worker read the share (R07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.alert import AlertKind
from hub.domain.answer import Level
from hub.domain.calendar import WorkingCalendar
from hub.services.ports import Row, Transaction, audited
from hub.services.raise_alerts import Cause, Hands, raise_alerts

#: How many working days an answer may wait to be fetched [P].
COLLECT_DAYS: Final = 1


@dataclass(frozen=True, slots=True)
class Collect:
    """The sender's side has read a share, with all its answers."""

    share_id: str
    business: datetime


def collect(tx: Transaction, items: Sequence[Collect]) -> list[None]:
    """Note that the answers of shares were fetched, and close what alerts said that they were not."""
    for item in items:
        note_collected(tx, tx.uncollected_of([item.share_id]), item.business)
    return [None for _ in items]


def note_collected(tx: Transaction, waiting: Sequence[Row], at: datetime) -> None:
    """Note it of these deliveries' answers."""
    ids = list({row["delivery_id"] for row in waiting})
    if not ids:
        return
    tx.end_collecting(ids)
    tx.close_alerts_of(ids, [AlertKind.UNCOLLECTED], at)
    shares = {row["delivery_id"]: row["share_id"] for row in waiting}
    tx.insert(
        "audit_events", [audited(at, "answer.collected", "hub:answers", shares[each], each) for each in sorted(ids)]
    )


def collect_by(at: datetime, calendar: WorkingCalendar) -> datetime:
    """Return by when an answer that came at `at` has to be fetched."""
    return calendar.add_working_days(at, COLLECT_DAYS)


def tell_uncollected(tx: Transaction, who: Hands, wall: datetime, limit: int) -> int:
    """Tell the sender's champion of answers that nobody fetched in time; returns of how many.

    The answer itself waits where it is, and is sent to nobody else (R07).
    """
    due = tx.uncollected(who.now, limit)
    if not due:
        return 0
    causes = [Cause(row, Level.L4, AlertKind.UNCOLLECTED, row["collect_by"]) for row in due]
    raise_alerts(tx, causes, who, wall)
    tx.end_collecting([row["delivery_id"] for row in due], keep=True)
    return len(due)
