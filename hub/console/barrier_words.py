"""Words of the screens about barriers: what each step is called, and the reasons for it (R52)."""

from __future__ import annotations

from typing import Final

from hub.domain.barrier import BarrierState

STEPS: Final[dict[str, str]] = {
    BarrierState.UNDERSTOOD: "We know why",
    BarrierState.ACTING: "Somebody is working on it",
    BarrierState.REMOVED: "It is gone",
    BarrierState.ACKNOWLEDGED: "It stays",
}
REASONS: Final[dict[str, str]] = {
    "people-say-so": "People say so",
    "counted-often": "It was met often",
    "came-back": "It came back",
    "service-explained": "The service told us why",
    "rule-was-found": "We found the rule",
    "figures-looked-at": "We looked at the figures",
    "people-told-us": "People told us",
    "service-is-changing": "The service is changing it",
    "raised-with-leaders": "Leaders were told",
    "agreement-in-hand": "An agreement is being made",
    "training-in-hand": "Training is being set up",
    "money-in-hand": "Money is being found",
    "rule-changed": "The rule was changed",
    "way-round-agreed": "A way round was agreed",
    "service-opened": "A service opened",
    "training-done": "People were trained",
    "law-asks-for-it": "The law asks for it",
    "no-money-for-it": "There is no money for it",
    "not-ours-to-change": "It is not ours to change",
    "safer-as-it-is": "It is safer as it is",
}
