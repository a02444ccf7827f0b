"""Whether a consent permits a send right now, and in plain words why not: every reason at once (R12, R13)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from hub.domain.calendar import london_date
from hub.domain.errors import Refusal
from hub.domain.share import Category, Consent


class ConsentState(StrEnum):
    """Where a consent stands after its latest event (ISO/IEC TS 27560); only `given` permits."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a consent decides whether something may go now; dates are London's."""

    state: ConsentState
    until: date
    purpose: str
    categories: frozenset[Category]
    able_to_decide: Literal["yes", "not_sure", "no_best_interests"]
    agreed_on: date
    duties_explained: bool


def standing(consent: Consent, state: ConsentState = ConsentState.GIVEN) -> Standing:
    """Return how `consent` stands, given the state that its events lead to."""
    return Standing(
        state=state,
        until=consent.until,
        purpose=consent.purpose,
        categories=frozenset(consent.categories),
        able_to_decide=consent.agreed.able_to_decide,
        agreed_on=consent.agreed.on,
        duties_explained=consent.agreed.duties_explained,
    )


ABSENT = Refusal(
    "consent-absent",
    "They have not agreed to share with this service.",
    "Ask if they want this service to know. If they do, write down what they agree to and send it again.",
)
EXPIRED = Refusal(
    "consent-expired",
    "The time they agreed to has run out.",
    "Ask if they still want to share. If they do, put in the new end date and send it again.",
    pointer="/until",
)
WITHDRAWN = Refusal(
    "consent-withdrawn",
    "They have said stop. They no longer want to share with this service.",
    "Do not send it. If they change their mind, note what they agreed to and send it again.",
)
REFUSED = Refusal(
    "consent-refused",
    "They said no to this service.",
    "Do not send it. Ask them what else might help.",
)
SUPERSEDED = Refusal(
    "consent-superseded",
    "They have since made a new choice about this service.",
    "Use what they agreed to last, and send it again.",
)
PURPOSE = Refusal(
    "consent-purpose",
    "They agreed to share for something this service does not do.",
    "Ask them if they want what it does do, or look for another service.",
    pointer="/purpose",
)
NOT_SURE = Refusal(
    "consent-not-sure",
    "It is not yet clear that they could make this choice today.",
    "Ring your champion and look at it together before you send it.",
    pointer="/agreed/able_to_decide",
)
NO_CATEGORIES = Refusal(
    "consent-no-categories",
    "They have not said what this service may see.",
    "Ask them which parts this service may see. Tick those parts and send it again.",
    pointer="/categories",
)
FROM_THE_FUTURE = Refusal(
    "consent-from-the-future",
    "The day they agreed has not come yet.",
    "Check the date they agreed. Put it right and send it again.",
    pointer="/agreed/on",
)
DUTIES_NOT_EXPLAINED = Refusal(
    "duties-not-explained",
    "They have not been told what this service may have to do with it.",
    "Tell them, then send it again.",
    pointer="/agreed/duties_explained",
)
#: Of the whole share: while nobody has looked at it with the worker, it goes to no service (R04).
CHOICE_UNSAFE = Refusal(
    "choice-unsafe",
    "You have not said that this choice of trusted person looks safe.",
    "Ring your champion first. If someone is in danger now, ring 999.",
    pointer="/choice/nothing_suggests_unsafe",
)

#: Every refusal this module can give: the API's list of problem types and the plain-words test read it.
REFUSALS = (
    ABSENT,
    EXPIRED,
    WITHDRAWN,
    REFUSED,
    SUPERSEDED,
    PURPOSE,
    NOT_SURE,
    NO_CATEGORIES,
    FROM_THE_FUTURE,
    DUTIES_NOT_EXPLAINED,
    CHOICE_UNSAFE,
)

_STATE_REFUSALS = {
    ConsentState.EXPIRED: EXPIRED,
    ConsentState.WITHDRAWN: WITHDRAWN,
    ConsentState.REFUSED: REFUSED,
    ConsentState.SUPERSEDED: SUPERSEDED,
}


def permits(standing: Standing | None, *, purposes: Collection[str], now: datetime) -> tuple[Refusal, ...]:
    """Return every reason why nothing may go to the service now; empty when it may (R12).

    `purposes` are those that the service accepts: none accepted means none permitted. A consent is good through the
    whole of its `until` day in London. Each pointer starts at the consent.
    """
    if standing is None:
        return (ABSENT,)
    today = london_date(now)
    expired = standing.state is ConsentState.EXPIRED or standing.until < today
    ended = _STATE_REFUSALS.get(standing.state)
    found = (
        (ended is not None and ended is not EXPIRED, ended),
        (expired, EXPIRED),
        (standing.agreed_on > today, FROM_THE_FUTURE),
        (standing.purpose not in purposes, PURPOSE),
        (standing.able_to_decide == "not_sure", NOT_SURE),
        (not standing.categories, NO_CATEGORIES),
        (not standing.duties_explained, DUTIES_NOT_EXPLAINED),
    )
    return tuple(refusal for applies, refusal in found if applies and refusal is not None)
