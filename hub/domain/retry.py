"""When a delivery is tried again: exponential backoff with full jitter, as arithmetic alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: When what is not tried again by itself is due.
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Policy:
    """How patiently to try: the first wait at most `first_seconds`, each wait at most `cap_seconds`.

    At most `attempts` are made, and none later than `give_up_after_seconds` after the first.
    """

    first_seconds: float = 2
    cap_seconds: float = 900
    attempts: int = 12
    give_up_after_seconds: float = 5 * 86_400

    def __post_init__(self) -> None:
        """Refuse a policy that would never wait, never try or never end."""
        lengths = (self.first_seconds, self.cap_seconds, self.give_up_after_seconds)
        if not all(0 < seconds < math.inf for seconds in lengths) or self.attempts < 1:
            raise ValueError("a retry policy needs positive, finite lengths and at least one attempt")
        if self.cap_seconds < self.first_seconds:
            raise ValueError("cap_seconds must not be less than first_seconds")


def ceiling_seconds(policy: Policy, attempt: int) -> float:
    """Return the longest wait after attempt number `attempt` (from 1): doubling, up to the cap."""
    doublings = min(max(attempt, 1) - 1, 60)  # far beyond any cap, far below overflow
    return min(policy.cap_seconds, policy.first_seconds * 2.0**doublings)


def next_attempt(  # noqa: PLR0913 - arithmetic on one policy, called from one place
    policy: Policy,
    attempt: int,
    first_attempt_at: datetime,
    now: datetime,
    after: float | None = None,
    counts: bool = True,
    rand: float = 1.0,
    tries: int | None = None,
) -> datetime | None:
    """Return when to try again, or None when none is left.

    `attempt` is how many attempts have been counted, this one included when it `counts`; a snooze (`counts` false, such
    as BaRS 425) costs none. `rand` in [0, 1] spreads the wait over the whole range up to its ceiling. `after` is the
    partner's Retry-After in seconds: never tried earlier, and given up when it lies beyond the end. Whether one is left
    does not depend on `rand`: a wait that would pass the end is cut to it. `tries` is how many attempts were made,
    snoozes too, where that differs: the wait grows with it, so that a partner that only says "later" is not hammered.
    """
    if not 0 <= rand <= 1:
        raise ValueError("rand must lie between 0 and 1")
    if counts and attempt >= policy.attempts:
        return None
    left = (first_attempt_at - now).total_seconds() + policy.give_up_after_seconds
    # A Retry-After that is negative or not a number says nothing.
    earliest = after if after is not None and after > 0 else 0.0
    if left <= 0 or earliest > left:
        return None
    wait = max(earliest, ceiling_seconds(policy, attempt if tries is None else tries) * rand)
    return now + timedelta(seconds=min(wait, left))
