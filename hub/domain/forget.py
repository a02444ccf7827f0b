"""When the hub forgets a story: so long after its final answer, or so long after it was sent, whichever is first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryState
from hub.domain.status import FINAL


@dataclass(frozen=True, slots=True)
class Forgetting:
    """How long a story is kept, as the partnership agreed it (R59)."""

    after_answer: timedelta = timedelta(days=30)
    after_sending: timedelta = timedelta(days=90)

    def __post_init__(self) -> None:
        """Refuse lengths that would forget a story before anybody could act on it."""
        if min(self.after_answer, self.after_sending) <= timedelta(0):
            raise ValueError("a story is kept for some time after its answer and after it was sent")


def forget_on(sent_at: datetime, final_at: datetime | None, policy: Forgetting) -> datetime:
    """Return when a share is forgotten, whatever its state; `final_at` is when its last service gave a final answer."""
    latest = sent_at + policy.after_sending
    return latest if final_at is None else min(latest, final_at + policy.after_answer)


def is_final(deliveries: Iterable[tuple[DeliveryState, AnswerState]]) -> bool:
    """Tell whether every service has given its final answer; what was cancelled owes none.

    `deliveries` are those of kind `share`. Where none is left that owes an answer, none was final: the time since
    sending alone counts.
    """
    answers = [answer for state, answer in deliveries if state is not DeliveryState.CANCELLED]
    return bool(answers) and all(answer in FINAL for answer in answers)
