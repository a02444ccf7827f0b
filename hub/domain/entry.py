"""When a service's entry may be sent by: two people approved it as it is, and somebody reached the team not long ago.

What a team is called and where it is reached goes stale: teams merge, mailboxes pass to others (TH20).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class EntryFault(StrEnum):
    """Why nothing may be sent by an entry; also the reason that its connection is held for."""

    UNAPPROVED = "entry-unapproved"
    ONE_APPROVAL = "entry-one-approval"
    UNSIGNED = "entry-unsigned"
    CHANGED = "entry-changed"
    EXPIRED = "entry-expired"


class Seen(StrEnum):
    """How somebody found out that the team is really there: proof of life."""

    RANG = "rang"
    WROTE = "wrote"
    MET = "met"


#: However long an entry is approved for, somebody has to have reached the team within this time [P].
LONGEST = timedelta(days=366)
#: How long an approval lasts unless it says less [P].
USUAL = timedelta(days=182)


@dataclass(frozen=True, slots=True)
class Approval:
    """What people said of one entry.

    `digest` is the SHA-256 of the entry that they approved, `approved_by` their ids, `seen_on` the day on which
    the team was last reached (`seen_how`), `last_day` the last one on which it holds.
    """

    service: str
    digest: str
    approved_by: tuple[str, ...]
    seen_on: date
    seen_how: Seen
    last_day: date

    @property
    def ends(self) -> date:
        """The last day on which anything may be sent by it, whatever `last_day` says."""
        return min(self.last_day, self.seen_on + LONGEST)


def fault(service: str, digest: str, approval: Approval | None, today: date) -> EntryFault | None:
    """Return why nothing may be sent by the entry of `service`, whose digest is `digest` now; None where it may."""
    if approval is None or not approval.approved_by:
        return EntryFault.UNAPPROVED
    if approval.service != service or approval.digest != digest:
        return EntryFault.CHANGED
    if len(set(approval.approved_by)) < 2:
        return EntryFault.ONE_APPROVAL
    return EntryFault.EXPIRED if today > approval.ends else None
