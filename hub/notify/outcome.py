"""What became of one try to send a notice, and when the next one is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.domain.outcome import RetryLater

__all__ = ["SCHEDULE", "Gone", "NoticeOutcome", "Refused", "RetryLater", "Sent", "wait_after"]


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side said no for good: trying the same again cannot help, and an operator should know."""

    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver asks for no more notices at this address (410): switch the address off, and tell its owner."""


NoticeOutcome = Sent | RetryLater | Refused | Gone

#: How long after the first, second, … failed try the next one is due: Standard Webhooks' schedule of 10 tries, over
#: 75 hours 35 minutes (and the 5 seconds before the second).
SCHEDULE: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def wait_after(tries: int, outcome: RetryLater, spread: float = 0.0) -> timedelta | None:
    """How long to wait after `tries` (1 or more) failed tries, or None when there are none left.

    What the other side asked for (`after`, seconds) lengthens the wait, to a day at most, and never shortens it.
    `spread` is a random number from 0 to 1 that adds up to a tenth, so that a system which comes back is not met by all
    at once.
    """
    if tries > len(SCHEDULE):
        return None
    planned = SCHEDULE[tries - 1] * (1 + spread / 10)
    asked = timedelta(seconds=min(max(outcome.after or 0, 0), 86_400))
    return max(planned, asked)
