"""Disclosure: counts are published as ranges from which nobody can work out a small one, by whatever sums (R54).

A single count under 5, none included, is "fewer than 5". From 5 on it is rounded to the nearest 5, and so may be up to
2 more or less. That is the rounding of NHS Digital's rule for hospital statistics (September 2018: small counts as `*`,
others to the nearest 5) with R54's limit of 5; unlike there, nothing and little look the same, and a total is not
rounded by itself: rounded totals can pin small counts (8 to 12 beneath a total of at most 12 leaves nothing).

A total is told by the same steps, but only where they leave every count beneath it as open as it was: near the least
and the most that its parts allow, the steps are joined. Where they are joined follows from the published parts alone,
never from the count, so that what is left out tells nothing either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Under this a count is not told (R54).
SMALL: Final = 5
#: To what a count is rounded.
STEP: Final = 5


@dataclass(frozen=True, slots=True)
class Span:
    """What is published of a count: the least and the most that it can be, both included."""

    low: int
    high: int

    @property
    def room(self) -> int:
        """How far apart its ends are."""
        return self.high - self.low

    @property
    def figure(self) -> int | None:
        """The count to the nearest 5; None where it may be under 5, or is not known as well as that."""
        return None if self.low < SMALL or self.room >= STEP else _nearest((self.low + self.high) // 2)


def told(count: int) -> Span:
    """Return what is published of a single count; raise `ValueError` below 0."""
    if count < 0:
        raise ValueError("a count is never below nothing")
    if count < SMALL:
        return Span(0, SMALL - 1)
    near = _nearest(count)
    return Span(max(SMALL, near - STEP // 2), near + STEP // 2)


def told_total(count: int, parts: Sequence[Span], room: int) -> Span:
    """Return what is published of a total beside its `parts`, which may be totals themselves.

    `room` is the most that any single count beneath it may be more than its least: each may then still be all that it
    might have been alone, whatever is known of the parts. Raises `ValueError` where it cannot be their total.
    """
    whole = together(parts)
    if not whole.low <= count <= whole.high:
        raise ValueError("a total lies within what its parts allow")
    low = next((end + 1 for end in range(count - 1, whole.low + room - 1, -1) if _cuts(end, whole, room)), whole.low)
    high = next((end for end in range(count, whole.high - room) if _cuts(end, whole, room)), whole.high)
    return Span(low, high)


def together(parts: Sequence[Span]) -> Span:
    """Return what can be said of a total from its parts alone."""
    return Span(sum(part.low for part in parts), sum(part.high for part in parts))


def _cuts(end: int, whole: Span, room: int) -> bool:
    """Tell whether a step ends here, far enough from both ends for every count to keep its room on either side.

    A count at its most needs a total of at least `whole.low + room`, and one at its least of at most
    `whole.high - room`: also where it is in a part that is a total, for that was cut by the same rule.
    """
    return told(end) != told(end + 1) and whole.low + room <= end < whole.high - room


def _nearest(count: int) -> int:
    return (count + STEP // 2) // STEP * STEP
