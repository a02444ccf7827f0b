"""A service as somebody else's directory lists it: whom it is for, where, and how old that word is; no way to send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

#: Older than this, a listing is stale [P]: teams move and merge within months.
STALE_AFTER = timedelta(days=182)


@dataclass(frozen=True, slots=True)
class Listing:
    """One service of a feed. `checked_on` is the newer of when it was assured and last changed, None where unknown.

    `areas` are names or codes, none meaning that it does not say; ages are in years. It names nobody, and it never is
    permission to send: that takes an entry which two people approved (TH20).
    """

    id: str
    name: str
    organisation: str = ""
    status: str = "unknown"
    minimum_age: int | None = None
    maximum_age: int | None = None
    areas: tuple[str, ...] = ()
    eligibility: str = ""
    url: str = ""
    checked_on: date | None = None

    def is_stale(self, today: date) -> bool:
        """Tell whether nobody has looked at it for too long, or nobody says when."""
        return self.checked_on is None or today - self.checked_on > STALE_AFTER

    def may_suit(self, age: int | None = None, area: str = "") -> bool:
        """Tell whether it is open, and nothing that it says of itself rules out this age or area."""
        if self.status not in {"active", "unknown"}:
            return False
        if age is not None and (
            (self.minimum_age is not None and age < self.minimum_age)
            or (self.maximum_age is not None and age > self.maximum_age)
        ):
            return False
        return not area or not self.areas or area.casefold() in {each.casefold() for each in self.areas}
