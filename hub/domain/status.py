"""Where a whole share stands, derived from its deliveries and answers and never stored as an opinion (R34, R37)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryState


class ShareStatus(StrEnum):
    """What the trusted person sees of the whole share."""

    HELD = "held"  #: it waits for the champion to look at it with the worker (R04)
    OPEN = "open"  #: somebody still owes something
    ANSWERED = "answered"  #: every service has decided; the person has not been told yet
    CLOSED = "closed"  #: every service has decided, and the person was told or could not be; or they have died
    WITHDRAWN = "withdrawn"  #: the person took the whole of it back


_A = AnswerState

#: The service has said what it will do. Not here, so the share stays open: a signpost is not help (R34), a waiting list
#: asks again on its date, someone who could not be reached may yet be (R38), and a question waits for its answer.
DECIDED = frozenset({_A.ACCEPTED, _A.IN_PROGRESS, _A.DECLINED, _A.REDIRECT_SUGGESTED, _A.COMPLETED})
#: Nothing more is expected of the service: the forgetting of the story is counted from here (R59).
FINAL = frozenset({_A.DECLINED, _A.REDIRECT_SUGGESTED, _A.COMPLETED})


def settled(answer: AnswerState, ask: Literal["act", "know", "meet"] = "act") -> bool:
    """Tell whether a service has said all that was asked; for `know` a receipt is all (R71)."""
    return answer in DECIDED or (ask == "know" and answer is not _A.AWAITED)


def status(
    deliveries: Iterable[tuple[DeliveryState, AnswerState]],
    *,
    ask: Literal["act", "know", "meet"] = "act",
    person_told: bool = False,
    withdrawn: bool = False,
    held: bool = False,
) -> ShareStatus:
    """Return the status of a share from its deliveries of kind `share`, each with its latest answer.

    `person_told` is the trusted person's record that the person was told, or could not be (R37). A cancelled delivery
    owes nothing; one that could not be delivered keeps the share open until the person has been told so.
    """
    every = list(deliveries)
    live = [(state, answer) for state, answer in every if state is not DeliveryState.CANCELLED]
    if withdrawn or (every and not live):
        return ShareStatus.WITHDRAWN
    if held:
        return ShareStatus.HELD
    waiting = [state for state, answer in live if not settled(answer, ask)]
    if not live or any(state is not DeliveryState.DEAD_LETTERED for state in waiting):
        return ShareStatus.OPEN
    if person_told:
        return ShareStatus.CLOSED
    return ShareStatus.OPEN if waiting else ShareStatus.ANSWERED
