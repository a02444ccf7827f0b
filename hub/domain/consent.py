"""Whether a consent permits a send right now, and in plain words why not: every reason at once (R12, R13)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from hub.domain.calendar import WorkingCalendar, day_ends, london_date
from hub.domain.errors import Refusal
from hub.domain.share import BestInterests, Category, Consent


class ConsentState(StrEnum):
    """Where a consent stands after its latest event (ISO/IEC TS 27560); only `given` permits.

    `overridden` is no consent: what goes under it went without one, by the partnership's policy, and is let go once
    (R23).
    """

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    OVERRIDDEN = "overridden"


#: Exactly these let what waits under them be sent, until they end: claims, sweeps and withdrawals go by this one list.
LIVING = (ConsentState.GIVEN, ConsentState.OVERRIDDEN)


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
    by: Literal["person", "young_person", "parent_or_carer", "both"] = "person"
    young_person_refused: bool = False
    best_interests: bool = False  #: it says who decided and on what basis, where they could not


def _says_who_and_why(best: BestInterests | None) -> bool:
    return best is not None and bool(best.role.strip() and best.basis.strip())


def standing(consent: Consent) -> Standing:
    """Return how `consent` stands as it is sent: given, or refused where the person's answer is no."""
    agreed = consent.agreed
    return Standing(
        state=ConsentState.REFUSED if consent.answer == "no" else ConsentState.GIVEN,
        until=consent.until,
        purpose=consent.purpose,
        categories=frozenset(consent.categories),
        able_to_decide=agreed.able_to_decide,
        agreed_on=agreed.on,
        duties_explained=agreed.duties_explained,
        by=agreed.by,
        young_person_refused=agreed.young_person_refused,
        best_interests=_says_who_and_why(agreed.best_interests),
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
BEST_INTERESTS_MISSING = Refusal(
    "best-interests-missing",
    "They could not decide today, and it does not say who decided for them, or why.",
    "Write down the role of who decided and the code for the reason. Then send it again.",
    pointer="/agreed/best_interests",
)
AGREEMENT_MISSING = Refusal(
    "agreement-missing",
    "This team works with children. It does not say who agreed.",
    "Write down if it was the young person, a parent or carer, or both. Then send it again.",
    pointer="/agreed/by",
)
YOUNG_PERSON_REFUSED = Refusal(
    "young-person-refused",
    "The young person said no. A yes from a parent does not change that.",
    "Do not send it. Ask the young person what else might help.",
    pointer="/agreed/young_person_refused",
)
#: The same for one that another partner, another person or another service has, and for one that there never was.
REPLACES_UNKNOWN = Refusal(
    "replaces-unknown",
    "We do not know the earlier choice that this one takes the place of.",
    "Check its reference. If this is their first choice about this service, leave it out.",
    pointer="/replaces",
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

#: Every refusal this module can give: the API's list of problem types and the plain-words test read it.
REFUSALS = (
    ABSENT,
    EXPIRED,
    WITHDRAWN,
    REFUSED,
    SUPERSEDED,
    PURPOSE,
    NOT_SURE,
    BEST_INTERESTS_MISSING,
    AGREEMENT_MISSING,
    YOUNG_PERSON_REFUSED,
    REPLACES_UNKNOWN,
    NO_CATEGORIES,
    FROM_THE_FUTURE,
    DUTIES_NOT_EXPLAINED,
)

_STATE_REFUSALS = {
    ConsentState.EXPIRED: EXPIRED,
    ConsentState.WITHDRAWN: WITHDRAWN,
    ConsentState.REFUSED: REFUSED,
    ConsentState.SUPERSEDED: SUPERSEDED,
    ConsentState.OVERRIDDEN: ABSENT,
}


def permits(
    standing: Standing | None, *, purposes: Collection[str], now: datetime, children: bool = False
) -> tuple[Refusal, ...]:
    """Return every reason why nothing may go to the service now; empty when it may (R12).

    `purposes` are those that the service accepts: none accepted means none permitted. A consent is good through the
    whole of its `until` day in London. A team for `children` is told who agreed, and a young person's no is a no (R22).
    Each pointer starts at the consent. Where the answer was no, nothing else about it matters.
    """
    if standing is None:
        return (ABSENT,)
    if standing.state is ConsentState.REFUSED:
        return (REFUSED,)
    today = london_date(now)
    expired = standing.state is ConsentState.EXPIRED or standing.until < today
    ended = _STATE_REFUSALS.get(standing.state)
    found = (
        (ended is not None and ended is not EXPIRED, ended),
        (expired, EXPIRED),
        (standing.agreed_on > today, FROM_THE_FUTURE),
        (standing.purpose not in purposes, PURPOSE),
        (standing.able_to_decide == "not_sure", NOT_SURE),
        (standing.able_to_decide == "no_best_interests" and not standing.best_interests, BEST_INTERESTS_MISSING),
        (children and standing.by == "person", AGREEMENT_MISSING),
        (standing.young_person_refused, YOUNG_PERSON_REFUSED),
        (not standing.categories, NO_CATEGORIES),
        (not standing.duties_explained, DUTIES_NOT_EXPLAINED),
    )
    return tuple(refusal for applies, refusal in found if applies and refusal is not None)


def ended(state: ConsentState, ends_at: datetime, now: datetime) -> Refusal | None:
    """Return why nothing more may go under a consent that was given once; None while it lives (R12, R16).

    For whatever follows what was sent: a copy, an addendum, a correction. `ends_at` is when its last day is over.
    """
    if state is ConsentState.GIVEN:
        return EXPIRED if ends_at <= now else None
    return _STATE_REFUSALS[state]


def ending_by(now: datetime, calendar: WorkingCalendar, days: int) -> datetime:
    """Return by when a consent has to end for it to be told of now: within `days` working days (R16)."""
    return day_ends(london_date(calendar.add_working_days(now, days)))


#: A service may still say anything under these: as agreed while it lived, and for what was due when its time ran out.
_ANSWERS_RETURN = frozenset({ConsentState.GIVEN, ConsentState.EXPIRED})


def may_return(state: ConsentState, returns: Sequence[str], *, about_stopping: bool = False) -> Sequence[str]:
    """Return what of an answer may travel back now: the consent's own clause, or nothing but the state (R16, R21).

    After a stop, a no or a newer choice the clause is over. What a service says `about_stopping` still comes back by
    it: that is how the person learns what is kept, and why (R15).
    """
    return returns if about_stopping or state in _ANSWERS_RETURN else ()
