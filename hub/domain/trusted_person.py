"""Who may speak for the person: what a partner's system knows of their choice, and what that lets go (R01-R06)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime

from hub.domain.calendar import london_date
from hub.domain.errors import Refusal
from hub.domain.share import Said, Share


@dataclass(frozen=True, slots=True)
class Link:
    """One person's choice of one trusted person; where none is known all stand as they do here (R03).

    `topics` are the purposes it is for, none for all (R05); `can_see` are the groups that may read answers, none for
    all of the partner (R02); `until` is the last day in London. `seen` says which state of it this is.
    """

    not_safe: bool = False
    until: date | None = None
    topics: tuple[str, ...] = ()
    can_see: tuple[str, ...] = ()
    withhold_author: bool = False
    seen: str = ""


#: Nobody has to be registered first (R03).
NO_LINK = Link()

NOT_CHOSEN = Refusal(
    "not-chosen-by-person",
    "Only the person can choose who they trust.",
    "Ask the person who they would like. When they have chosen, send it again.",
    pointer="/chosen_by_person",
)
ENDED = Refusal(
    "trusted-person-ended",
    "They no longer speak for this person.",
    "Ask the person who they trust now. Send it again with that choice.",
    pointer="/trusted_person/reference",
)
OTHER_TOPIC = Refusal(
    "trusted-person-topic",
    "The person did not choose them to speak about this.",
    "Ask the person who they would like to speak about it, or if they want to change their choice.",
)
#: Only while looking at a share that waits: to send one without saying so is no mistake (R04).
CHOICE_UNSAFE = Refusal(
    "choice-unsafe",
    "You have not said that this choice of trusted person looks safe.",
    "Ring your champion first. If someone is in danger now, ring 999.",
    pointer="/nothing_suggests_unsafe",
)
NOT_WAITING = Refusal(
    "share-not-held",
    "This share is not waiting for you.",
    "Read the share to see where it is. There is nothing to do here.",
)

#: To what follows a share, where the choice has been marked as not safe since: the same words as for a held share.
LOOK_FIRST = Refusal(
    "look-first",
    "Your champion will look at this with you first. Nothing has gone yet.",
    "Ring your champion. If someone is in danger now, ring 999.",
)

#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS = (NOT_CHOSEN, ENDED, OTHER_TOPIC, CHOICE_UNSAFE, NOT_WAITING, LOOK_FIRST)


def refusals(link: Link, purpose: str, now: datetime) -> tuple[Refusal, ...]:
    """Return why this choice lets nothing go for `purpose` today; a choice that is not safe is no reason here."""
    other = bool(link.topics) and purpose not in link.topics
    return (*((ENDED,) if ended(link, now) else ()), *((OTHER_TOPIC,) if other else ()))


def ended(link: Link, now: datetime) -> bool:
    """Tell whether they no longer speak for the person."""
    return link.until is not None and link.until < london_date(now)


def as_chosen(share: Share, link: Link) -> Share:
    """Return the share with what is known of the choice: what it says itself of who may see answers counts first."""
    if link != NO_LINK:
        can_see = share.trusted_person.can_see or list(link.can_see)
        share = replace(
            share,
            trusted_person=replace(share.trusted_person, can_see=can_see),
            withhold_author=share.withhold_author or link.withhold_author,
        )
    return _unnamed(share) if share.withhold_author else share


def _unnamed(share: Share) -> Share:
    """Put the role in every place that a worker's name stands in by itself; what people said is never edited (R11)."""
    one = share.trusted_person
    role = one.contact.role

    def told(said: Said | None) -> Said | None:
        # Whoever observed it, or bears the trusted person's own name, is the worker.
        is_worker = said is not None and (said.how == "observed" or said.by == one.name)
        return replace(said, by=role) if said is not None and is_worker else said

    sections = [replace(section, said=told(section.said)) for section in share.sections]
    return replace(share, trusted_person=replace(one, name=role), sections=sections)


def must_wait(share: Share, link: Link) -> bool:
    """Tell whether a share waits for the champion: the same for a missing statement and a choice marked so (R04)."""
    return link.not_safe or not share.choice.nothing_suggests_unsafe


#: All that is told outside of the groups that may see answers (R02).
ONE_REPLIED = "One of the services replied."


def may_see(can_see: Collection[str], groups: Collection[str]) -> bool:
    """Tell whether somebody of these groups reads answers in full; no group named is the whole partner (R02)."""
    return not can_see or not set(can_see).isdisjoint(groups)
