"""The override policy: when a partnership adopted one, what may go without a yes while someone is at risk (R23).

It does not exist unless the partnership's file adopts it. It is no consent: nothing that asks for one is let go by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from hub.domain.calendar import london_date
from hub.domain.errors import Refusal
from hub.domain.share import Category, Override, Share

#: How long what was let go may wait for its service; then it is dead, as a consent is that ran out [P].
LASTS: Final = timedelta(hours=24)
#: Someone else's story, and anything of the police and the courts, never goes without a yes (R67, R72).
NEVER: Final = frozenset({Category.ABOUT_SOMEONE_ELSE, Category.OFFENDING})


@dataclass(frozen=True, slots=True)
class OverridePolicy:
    """What a partnership agreed: on which basis (a code), to which services, how much, and who must agree to it.

    `roles` are those of the second person, as their partner attests them; `location_ok` lets a service know where
    somebody is.
    """

    basis: str
    services: frozenset[str]
    categories: frozenset[Category]
    roles: frozenset[str]
    agreed_on: date
    assessment: str
    location_ok: bool = False


@dataclass(frozen=True, slots=True)
class Second:
    """The second worker that a partner attests for the very same request: an opaque id, and a role."""

    author: str
    role: str


@dataclass(frozen=True, slots=True)
class OverrideGrant:
    """What one service may see without a yes: nothing in it is ticked by itself."""

    basis: str
    assessment: str
    categories: frozenset[Category]
    location_ok: bool
    ticked: Mapping[Category, str] = field(default_factory=dict)


SECOND_PERSON = Refusal(
    "override-second-person",
    "A second person has to agree to this first. We cannot tell that they did.",
    "Ring now. Someone else in your team, in a role that may do this, can agree to it too. Then send it again.",
    pointer="/override",
)
BASIS = Refusal(
    "override-basis",
    "This is not the reason that your partnership agreed on.",
    "Ring now. Then ask your champion which code to use.",
    pointer="/override/basis",
)
NOT_AT_RISK = Refusal(
    "override-not-at-risk",
    "This does not say that someone is at risk now.",
    "Ask the person if they want to share. If someone is at risk, ring first.",
    pointer="/at_risk_now",
)
LOOK_FIRST = Refusal(
    "override-look-first",
    "Your champion has to look at this with you first.",
    "Ring now. Then ring your champion.",
    pointer="/choice",
)
COVERS_NOTHING = Refusal(
    "override-covers-nothing",
    "None of this may go without a yes from the person.",
    "Ring now, and tell them what they need to know.",
    pointer="/override/categories",
)
NOT_TAKEN = Refusal(
    "override-not-taken",
    "This service's system cannot take this without a yes from the person.",
    "Ring now, and tell them what they need to know.",
    pointer="/override",
)

#: Every refusal this module names, for the test of plain words.
REFUSALS = (SECOND_PERSON, BASIS, NOT_AT_RISK, LOOK_FIRST, COVERS_NOTHING, NOT_TAKEN)


def covers(policy: OverridePolicy, service_id: str, now: datetime) -> bool:
    """Tell whether a policy is for a service, and its day has come: where it is not, none exists."""
    return service_id in policy.services and policy.agreed_on <= london_date(now)


def grant(policy: OverridePolicy, asked: Override) -> OverrideGrant:
    """Return the least of what is asked and what was agreed."""
    return OverrideGrant(
        policy.basis,
        policy.assessment,
        policy.categories.intersection(asked.categories) - NEVER,
        policy.location_ok,
    )


def refusals(
    policy: OverridePolicy, share: Share, author: str, second: Second | None, *, waits: bool
) -> tuple[Refusal, ...]:
    """Return every reason why this policy lets nothing go; `waits` is a share that the champion must look at (R04)."""
    asked = share.override
    if asked is None:
        return (COVERS_NOTHING,)
    nobody_else = second is None or second.author == author or second.role.casefold() not in policy.roles
    found = (
        (not share.at_risk_now, NOT_AT_RISK),
        (asked.basis != policy.basis, BASIS),
        (nobody_else, SECOND_PERSON),
        (waits, LOOK_FIRST),
        (not grant(policy, asked).categories, COVERS_NOTHING),
    )
    return tuple(refusal for applies, refusal in found if applies)
