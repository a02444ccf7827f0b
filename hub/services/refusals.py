"""Refusals of a whole submission: no service passed, or it was sent before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.domain.errors import Conflict, Forbidden, Refusal
from hub.domain.gate import PREFIX
from hub.services.decide import Verdict

#: What begins the type of a refusal that the sender mends by completing what was sent.
_MENDABLE = (PREFIX, "agreement-missing")


class NothingMayGo(Forbidden):
    """No service passed: every reason for every service is carried, so that the worker sees them all at once.

    `incomplete`: all that is lacking is what a gate asks the sender to say (R22, R26, R27, R63); whoever may not send
    to a service at all has nothing to complete.
    """

    def __init__(self, refused: tuple[Verdict, ...]) -> None:
        super().__init__(
            Refusal(
                type="nothing-may-go",
                title="Nothing was sent. No service could be given any of it.",
                next_step="Read the reason for each service. Put it right with the person, then send it again.",
            )
        )
        self.refused = refused
        self.incomplete = all(
            not verdict.closed and reason.type.startswith(_MENDABLE)
            for verdict in refused
            for reason in verdict.refusals
        )


class AlreadySent(NothingMayGo):
    """Nothing new may go, for an open share asks the same already: its link is said (R32)."""

    def __init__(self, refused: tuple[Verdict, ...], why: Refusal) -> None:
        super().__init__(refused)
        self.refusal = why


def nothing_may_go(refused: tuple[Verdict, ...]) -> NothingMayGo:
    """Return the refusal of a whole submission, where every service was refused."""
    links = [reason for verdict in refused for reason in verdict.refusals if reason.link]
    return AlreadySent(refused, links[0]) if links else NothingMayGo(refused)


class SafeguardingRoute(NothingMayGo):
    """Someone is at risk and nothing may go: this is not the route, and whom to ring is said first (R23)."""

    def __init__(self, refused: tuple[Verdict, ...], safeguarding: Mapping[str, Any]) -> None:
        super().__init__(refused)
        self.refusal = Refusal(
            type="safeguarding-route",
            title="Nothing was sent. Someone is at risk, and this is not the way to raise it.",
            next_step="Ring now: the numbers are here. Then you can use the safety lane to be rung back.",
        )
        self.safeguarding = safeguarding


class ReferenceTaken(Conflict):
    """Another share bears the speakable reference that came out: draw again with the next salt."""


class AgreementEnded(Conflict):
    """What the person agreed, by the references it bears, permits nothing: plan again with why, by service."""

    def __init__(self, refusals: Mapping[str, Refusal]) -> None:
        super().__init__(next(iter(refusals.values())))
        self.refusals = refusals


TAKEN = Refusal(
    type="reference-taken",
    title="Two shares drew the same short reference.",
    next_step="Send it again.",
    origin="hub",
)


#: There is no key left to keep more words under (R59).
FORGOTTEN = Refusal(
    type="share-forgotten",
    title="We have forgotten this, as we do with every story after a while.",
    next_step="Keep it in your own records. If it must be sent again, ask the person first and send it as a new share.",
)


REPLAYED = Refusal(
    type="author-replayed",
    title="This author's assertion was used before.",
    next_step="Sign a new assertion for each request.",
)


def reused() -> Conflict:
    """Return what a sender is told who uses one Idempotency-Key for two different shares."""
    return Conflict(
        Refusal(
            type="idempotency-key-reused",
            title="This Idempotency-Key was used before with different content.",
            next_step="Use a new key for a new share, or send exactly the same content again with this key.",
        )
    )
