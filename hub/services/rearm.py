"""Rearm: a "no" that became something else again owes an outcome, and its clock runs afresh (R43, R44)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.domain.answer import Level
from hub.domain.calendar import WorkingCalendar, england_and_wales
from hub.services.ports import Transaction

#: No window that anyone agreed is longer than this many working days.
_MOST_DAYS = 400


def rearm(tx: Transaction, delivery_ids: Sequence[str], now: datetime) -> None:
    """Let the clocks for the outcome (L4) run again from `now`, in business time, for as long as they had at first."""
    if not delivery_ids:
        return
    calendar = england_and_wales()
    tx.start_clocks(
        [
            (row["delivery_id"], int(Level.L4), _as_long(row["sent_at"], row["due_at"], now, calendar))
            for row in tx.ended_clocks(delivery_ids, int(Level.L4))
        ]
    )


def _as_long(sent_at: datetime, due_at: datetime, now: datetime, calendar: WorkingCalendar) -> datetime:
    """As many working days as there were, where it was agreed in working days; else just as much time."""
    for days in range(_MOST_DAYS):
        ends = calendar.add_working_days(sent_at, days)
        if ends == due_at:
            return calendar.add_working_days(now, days)
        if ends > due_at:
            break
    return now + (due_at - sent_at)
