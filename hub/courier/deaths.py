"""The two-deaths rule: a parcel in flight at two deaths of its host is sent alone, and given up at the third."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

Treatment = Literal["normal", "alone", "give_up"]

#: Deaths after which a parcel is sent alone in a fresh host; one more, and it alone is to blame.
ALONE_AFTER = 2


def treatment(deaths: int) -> Treatment:
    """Say how the next attempt of a parcel with so many deaths is to be made, if there is to be one."""
    if deaths > ALONE_AFTER:
        return "give_up"
    return "alone" if deaths == ALONE_AFTER else "normal"


class DeathRecord:
    """How many deaths of a host each parcel was in flight at; it forgets a parcel once that is settled."""

    def __init__(self) -> None:
        self._deaths: Counter[str] = Counter()

    def died(self, tokens: Iterable[str]) -> None:
        """Record one death with these parcels in flight; once a death, not once a parcel."""
        self._deaths.update(set(tokens))

    def settled(self, token: str) -> None:
        """Forget a parcel whose attempt ended without a death."""
        self._deaths.pop(token, None)

    def treatment(self, token: str) -> Treatment:
        """Say how the parcel's next attempt is to be made, if there is to be one."""
        return treatment(self._deaths.get(token, 0))
