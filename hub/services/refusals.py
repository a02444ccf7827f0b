"""Refusals of a whole submission: no service passed, or it was sent before."""

from __future__ import annotations

from hub.domain.consent import WITHDRAWN
from hub.domain.errors import Conflict, Forbidden, Refusal
from hub.services.decide import Verdict


class NothingMayGo(Forbidden):
    """No service passed: every reason for every service is carried, so that the worker sees them all at once."""

    def __init__(self, refused: tuple[Verdict, ...]) -> None:
        super().__init__(
            Refusal(
                type="nothing-may-go",
                title="Nothing was sent. No service could be given any of it.",
                next_step="Read the reason for each service. Put it right with the person, then send it again.",
            )
        )
        self.refused = refused


class ReferenceTaken(Conflict):
    """Another share bears the speakable reference that came out: draw again with the next salt."""


class AgreementWithdrawn(Conflict):
    """What the person agreed, by the reference it bears, was withdrawn with an earlier share: plan again without it."""

    def __init__(self, services: frozenset[str]) -> None:
        super().__init__(WITHDRAWN)
        self.services = services


TAKEN = Refusal(
    type="reference-taken",
    title="Two shares drew the same short reference.",
    next_step="Send it again.",
    origin="hub",
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
