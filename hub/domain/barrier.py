"""Barriers: a door that stays shut, from when it is identified until it is removed or said to be staying (R52)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from hub.domain.answer import PERSON_DIED, Answer, AnswerState
from hub.domain.errors import IllegalTransition


class Cause(StrEnum):
    """What shows that a door is shut: what a service said, a gate that let nothing through, or silence."""

    DOOR = "door"
    GATE = "gate"
    SILENCE = "silence"


class BarrierState(StrEnum):
    """Where the partnership is with a barrier."""

    IDENTIFIED = "identified"
    UNDERSTOOD = "understood"
    ACTING = "acting"
    REMOVED = "removed"
    ACKNOWLEDGED = "acknowledged"  #: it stays, and those who meet it are told so


class BarrierEvent(StrEnum):
    """What moves a barrier."""

    FOUND = "found"
    UNDERSTOOD = "understood"
    ACTED_ON = "acted_on"
    REMOVED = "removed"
    ACKNOWLEDGED = "acknowledged"
    CAME_BACK = "came_back"


_S, _E = BarrierState, BarrierEvent

#: (from, on) -> to; `None` is a barrier that nobody has named yet. R52: one step at a time, and nothing is for ever.
MOVES: Final[dict[tuple[BarrierState | None, BarrierEvent], BarrierState]] = {
    (None, _E.FOUND): _S.IDENTIFIED,
    (_S.IDENTIFIED, _E.UNDERSTOOD): _S.UNDERSTOOD,
    (_S.UNDERSTOOD, _E.ACTED_ON): _S.ACTING,
    (_S.ACTING, _E.REMOVED): _S.REMOVED,
    (_S.ACTING, _E.ACKNOWLEDGED): _S.ACKNOWLEDGED,
    (_S.REMOVED, _E.CAME_BACK): _S.IDENTIFIED,
    (_S.ACKNOWLEDGED, _E.CAME_BACK): _S.IDENTIFIED,
}
#: Nothing more is done about these, until they come back.
RESTING: Final = frozenset(start for start, event in MOVES if start and event is _E.CAME_BACK)

#: Why a barrier came to each state: codes, so that they can be counted.
REASONS: Final[dict[BarrierState, frozenset[str]]] = {
    _S.IDENTIFIED: frozenset({"people-say-so", "counted-often", "came-back"}),
    _S.UNDERSTOOD: frozenset({"service-explained", "rule-was-found", "figures-looked-at", "people-told-us"}),
    _S.ACTING: frozenset(
        {"service-is-changing", "raised-with-leaders", "agreement-in-hand", "training-in-hand", "money-in-hand"}
    ),
    _S.REMOVED: frozenset({"rule-changed", "way-round-agreed", "service-opened", "training-done"}),
    _S.ACKNOWLEDGED: frozenset({"law-asks-for-it", "no-money-for-it", "not-ours-to-change", "safer-as-it-is"}),
}

#: Why a service says no, as the packs and the answer page code it. No other word of a reason is ever counted, for it
#: may be somebody's own, and may name someone.
NO_CODES: Final = frozenset({
    "already-with-us", "another-outcome", "another-reason", "closed-for-another-reason", "could-not-do-it",
    "did-not-come", "how-the-last-home-was-lost", "must-keep-some", "no-further-work", "no-local-connection",
    "no-room-now", "no-treatment-that-fits", "not-allocated", "not-eligible", "not-enough-to-go-on",
    "not-for-this-team", "not-in-touch", "not-known-there", "not-safe-to-contact", "not-the-right-service",
    "not-there-any-more", "not-what-we-do", "outside-our-area", "person-did-not-agree", "person-did-not-want-it",
    "stopped-by-service", "there-is-a-wait", "too-old",
})  # fmt: skip
NO_CODE: Final = "no-code"


def move(state: BarrierState | None, event: BarrierEvent) -> BarrierState:
    """Return the state after `event`; raise `IllegalTransition` where the table has no such move."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise IllegalTransition(f"no move from {state or 'nothing'} on {event}") from None


def event_to(state: BarrierState, target: BarrierState) -> BarrierEvent | None:
    """Return what a person does to bring a barrier from one state to another in a single step; None where none does."""
    return next((event for (start, event), to in MOVES.items() if start is state and to is target), None)


def shut(answer: Answer, *, coded: bool) -> str | None:
    """Return what to count of an answer that is a shut door, such as `declined/no-local-connection`; None of any other.

    A waiting list with a date is none. `coded` is False for what was heard another way: its reason is free words.
    """
    waits = answer.state is AnswerState.WAITING_LIST and answer.next_date is None
    if (not waits and answer.state not in _SHUT) or answer.reason == PERSON_DIED:
        return None
    if answer.state is AnswerState.SIGNPOSTED:
        return str(answer.state)
    code = answer.reason if coded and answer.reason in NO_CODES else NO_CODE
    return f"{answer.state}/{code}"


_SHUT: Final = frozenset({AnswerState.DECLINED, AnswerState.COULD_NOT_REACH, AnswerState.SIGNPOSTED})
