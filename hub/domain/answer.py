"""What a service says back: the answer states, the acknowledgement ladder, and how the two relate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum


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
    `stage` are codes already translated into the hub's words; dates are the service's own.
    """

    state: AnswerState
    owner: str = ""
    text: str = ""
    reason: str = ""
    stage: str = ""
    next_step: str = ""
    next_date: date | None = None


def reached(levels: Iterable[Level]) -> Level:
    """Return the highest rung that a history of acknowledgements proves (L0 when there is none)."""
    return max(levels, default=Level.L0)


def is_usual(before: AnswerState, after: AnswerState) -> bool:
    """Tell whether partners normally move from `before` to `after`."""
    return after in USUAL[before]


#: Return-clause fields (R13, R21): what a consent may let travel back, and the answer fields each covers.
RETURNABLE: dict[str, tuple[str, ...]] = {
    "state": ("state", "stage"),
    "owner": ("owner",),
    "next_step": ("next_step", "next_date"),
    "reason": ("reason",),
    "text": ("text",),
}


def returnable(answer: Answer, returns: Iterable[str]) -> tuple[Answer, tuple[str, ...]]:
    """Return the answer cut down to what may travel back, and the names of the fields held back (R21).

    The state itself always returns: "they have it and have decided" is never withheld.
    """
    allowed = {name for clause in returns for name in RETURNABLE.get(clause, ())} | {"state"}
    kept = {
        name: getattr(answer, name)
        for name in ("owner", "text", "reason", "stage", "next_step", "next_date")
        if name in allowed
    }
    held = tuple(
        name
        for name in ("owner", "text", "reason", "stage", "next_step", "next_date")
        if name not in allowed and getattr(answer, name)
    )
    return Answer(state=answer.state, **kept), held
