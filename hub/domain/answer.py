"""What a service says back: the answer states, the acknowledgement ladder, and how the two relate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum, StrEnum

from hub.domain.pinpoints import pinpoints


class Level(IntEnum):
    """The acknowledgement ladder, the same for every connector (partner-contracts 1)."""

    L0 = 0  #: queued: the hub holds it
    L1 = 1  #: transported: the partner's endpoint took it
    L2 = 2  #: received: a system or person opened it
    L3 = 3  #: decided
    L4 = 4  #: outcome: the work is done


class AnswerState(StrEnum):
    """The partner's side of a delivery; the comment is the FHIR Task status it stands for."""

    AWAITED = "awaited"  #: requested
    RECEIVED = "received"  #: received
    NEEDS_INFO = "needs_info"  #: on-hold
    ACCEPTED = "accepted"  #: accepted
    IN_PROGRESS = "in_progress"  #: in-progress
    WAITING_LIST = "waiting_list"  #: on-hold
    DECLINED = "declined"  #: rejected
    REDIRECT_SUGGESTED = "redirect_suggested"  #: rejected
    SIGNPOSTED = "signposted"  #: accepted; the share stays open (R34)
    COULD_NOT_REACH = "could_not_reach"  #: on-hold (R38)
    COMPLETED = "completed"  #: completed


_A = AnswerState

TASK_STATUS: dict[AnswerState, str] = {
    _A.AWAITED: "requested",
    _A.RECEIVED: "received",
    _A.NEEDS_INFO: "on-hold",
    _A.ACCEPTED: "accepted",
    _A.IN_PROGRESS: "in-progress",
    _A.WAITING_LIST: "on-hold",
    _A.DECLINED: "rejected",
    _A.REDIRECT_SUGGESTED: "rejected",
    _A.SIGNPOSTED: "accepted",
    _A.COULD_NOT_REACH: "on-hold",
    _A.COMPLETED: "completed",
}

#: The level that an answer in this state proves.
PROVES: dict[AnswerState, Level] = {
    _A.AWAITED: Level.L0,
    _A.RECEIVED: Level.L2,
    _A.NEEDS_INFO: Level.L2,
    _A.ACCEPTED: Level.L3,
    _A.IN_PROGRESS: Level.L3,
    _A.WAITING_LIST: Level.L3,
    _A.DECLINED: Level.L3,
    _A.REDIRECT_SUGGESTED: Level.L3,
    _A.SIGNPOSTED: Level.L3,
    _A.COULD_NOT_REACH: Level.L3,
    _A.COMPLETED: Level.L4,
}

#: Moves that partners' own systems report (HMPPS duty-to-refer table, FHIR Task). A move that is not here
#: is recorded and shown as unusual, never thrown away (R35).
USUAL: dict[AnswerState, frozenset[AnswerState]] = {
    _A.AWAITED: frozenset(_A) - {_A.AWAITED},
    _A.RECEIVED: frozenset(_A) - {_A.AWAITED},
    _A.NEEDS_INFO: frozenset(_A) - {_A.AWAITED},
    _A.ACCEPTED: frozenset(_A) - {_A.AWAITED, _A.RECEIVED},
    _A.IN_PROGRESS: frozenset(_A) - {_A.AWAITED, _A.RECEIVED, _A.ACCEPTED},
    _A.WAITING_LIST: frozenset(_A) - {_A.AWAITED, _A.RECEIVED},
    _A.DECLINED: frozenset({_A.DECLINED, _A.ACCEPTED, _A.WAITING_LIST, _A.REDIRECT_SUGGESTED}),
    _A.REDIRECT_SUGGESTED: frozenset({_A.REDIRECT_SUGGESTED, _A.ACCEPTED, _A.DECLINED}),
    _A.SIGNPOSTED: frozenset(_A) - {_A.AWAITED, _A.RECEIVED},
    _A.COULD_NOT_REACH: frozenset(_A) - {_A.AWAITED, _A.RECEIVED},
    _A.COMPLETED: frozenset({_A.COMPLETED}),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said, however it was said.

    `owner` is a person, team or duty desk and, with `text`, counts as personal data (R35, R59); `reason` and
    `stage` are codes already translated into the hub's words; dates are the service's own. `check_with_person` is a
    doubt that what was sent is the person's own view (R40); `do_not_tell_yet` asks the worker to wait (R21).
    """

    state: AnswerState
    owner: str = ""
    text: str = ""
    reason: str = ""
    stage: str = ""
    next_step: str = ""
    next_date: date | None = None
    check_with_person: bool = False
    do_not_tell_yet: bool = False


def reached(levels: Iterable[Level]) -> Level:
    """Return the highest rung that a history of acknowledgements proves (L0 when there is none)."""
    return max(levels, default=Level.L0)


def is_usual(before: AnswerState, after: AnswerState) -> bool:
    """Tell whether partners normally move from `before` to `after`."""
    return after in USUAL[before]


#: The service did not help and did not say no: it counts as a closed door (R34, R38).
CLOSED_DOORS = frozenset({AnswerState.SIGNPOSTED, AnswerState.COULD_NOT_REACH})
#: The reason of an answer that says that the person has died (R69; ITK 30004 is one word for it).
PERSON_DIED = "person-died"
#: A yes that names no day may hide months of nothing, and who closes says when (R38).
OWES_A_DATE = frozenset({AnswerState.ACCEPTED, AnswerState.WAITING_LIST, AnswerState.COULD_NOT_REACH})
#: A "no" carries its reason (R38).
OWES_A_REASON = frozenset({AnswerState.DECLINED, AnswerState.WAITING_LIST, AnswerState.COULD_NOT_REACH})

#: Return-clause fields (R13, R21): what a consent may let travel back, and the answer fields each covers.
RETURNABLE: dict[str, tuple[str, ...]] = {
    "state": ("state", "stage"),
    "owner": ("owner",),
    "next_step": ("next_step", "next_date"),
    "reason": ("reason",),
    "text": ("text",),
}


def missing(answer: Answer) -> tuple[str, ...]:
    """Return the fields that a decision should have and lacks: who has it (R35), why, and by when (R38)."""
    owes = {
        "owner": PROVES[answer.state] >= Level.L3,
        "reason": answer.state in OWES_A_REASON,
        "next_date": answer.state in OWES_A_DATE,
    }
    return tuple(name for name, owed in owes.items() if owed and not getattr(answer, name))


def worth_asking(fields: Iterable[str], returns: Iterable[str]) -> tuple[str, ...]:
    """Return those of the fields that may travel back: nobody is asked for what would be held back (R21)."""
    allowed = {name for each in returns for name in RETURNABLE.get(each, ())}
    return tuple(name for name in fields if name in allowed)


_FIELDS = ("owner", "text", "reason", "stage", "next_step", "next_date")


def returnable(answer: Answer, returns: Iterable[str]) -> tuple[Answer, tuple[str, ...]]:
    """Return the answer cut down to what may travel back, and the names of the fields held back (R21).

    The state itself always returns: "they have it and have decided" is never withheld. Words that hold a postcode, a
    map value or a telephone number stay behind, codes as well, unless the service may know where they are (TH03).
    """
    clauses = set(returns)
    allowed = {name for each in clauses for name in RETURNABLE.get(each, ())}
    if "place" not in clauses:
        allowed -= {name for name in _FIELDS if isinstance(said := getattr(answer, name), str) and pinpoints(said)}
    held = tuple(name for name in _FIELDS if name not in allowed and getattr(answer, name))
    flagged = Answer(answer.state, check_with_person=answer.check_with_person, do_not_tell_yet=answer.do_not_tell_yet)
    return replace(flagged, **{name: getattr(answer, name) for name in _FIELDS if name in allowed}), held


#: What stands for every decision where only that there is one may be told (R21).
DECIDED_ONLY = "decided"


def bare_state(state: AnswerState) -> str:
    """Return all that may be told of an answer whose content may not: that they have it, or have decided (R21)."""
    if state is AnswerState.AWAITED:
        return str(state)
    return DECIDED_ONLY if PROVES[state] >= Level.L3 else str(AnswerState.RECEIVED)
