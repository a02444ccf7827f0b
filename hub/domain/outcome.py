"""What a connector says of one attempt: the six outcomes that the core matches exhaustively."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.answer import Answer, Level


@dataclass(frozen=True, slots=True)
class Delivered:
    """The partner's endpoint has it. `receipt` is the partner's own reference; `level` is what its reply proves."""

    receipt: str = ""
    level: Level = Level.L1
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Nothing arrived; try again. `after` is seconds to wait; `counts=False` costs no attempt (BaRS 425)."""

    reason: str
    after: float | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Rejected:
    """Technically refused for good (a service's own "no" is `Delivered` with an answer)."""

    reason: str


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It may have arrived: it must be reconciled, never sent again blindly."""

    reason: str


@dataclass(frozen=True, slots=True)
class Halt:
    """The connection itself is broken (credentials, not onboarded): hold it and tell the operator once."""

    reason: str


@dataclass(frozen=True, slots=True)
class Invite:
    """The hub itself sends an answer page's link to `address`, so that a connector never holds one."""

    address: str


Outcome = Delivered | RetryLater | Rejected | InDoubt | Halt | Invite
