"""Begin and end sessions: guesses count before they are looked at, and each sign-in and sign-out is written down."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from hub.domain.errors import Forbidden, HubError, Refusal
from hub.services.ports import Row, Transaction, audited

#: Guesses within a quarter of an hour, of one name and from one address, after which none is looked at.
NAME_TRIES: Final = 10
ADDRESS_TRIES: Final = 50

#: One for every reason: whoever guesses learns nothing of what was wrong.
NOT_IN: Final = Refusal(
    "not-signed-in",
    "You cannot sign in with this.",
    "Check what you typed, and try again. If you cannot get in, ask whoever looks after the hub.",
)
REFUSALS: Final = (NOT_IN,)

Way = Literal["password", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Guess:
    """Somebody tries to sign in: `name` and `address` as keyed hashes, `person` who it would be, empty for nobody."""

    name: str
    address: str
    person: str
    wall: datetime


@dataclass(frozen=True, slots=True)
class Guessed:
    """What a guess is held against: the account, if it is one; nothing is looked at where there were too many."""

    too_many: bool
    account: Row | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A sign-in that failed: `person` is empty where it was nobody's, `why` a code; what was typed is kept nowhere."""

    person: str
    why: str
    wall: datetime


@dataclass(frozen=True, slots=True)
class BeginSession:
    """A person proved who they are: `token` is the keyed hash of the new cookie, `replaces` that of the old.

    `name` is the guesses' count to begin anew, `step` the half minute of the app's code, if there was one.
    """

    token: str
    person: str
    way: Way
    wall: datetime
    until: datetime
    name: str = ""
    step: int | None = None
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class EndSessions:
    """A person's session of this `token` ends, or every one where it is empty; `why` is a code."""

    person: str
    token: str
    actor: str
    why: str
    wall: datetime


@dataclass(frozen=True, slots=True)
class SeeSession:
    """A session was used."""

    token: str
    wall: datetime


def guess(tx: Transaction, items: Sequence[Guess]) -> list[Guessed]:
    """Count guesses, before anything is looked at: many at once are many, too."""
    results = []
    for item in items:
        by_name = tx.count_guess("name", item.name, item.wall)
        by_address = tx.count_guess("address", item.address, item.wall)
        too_many = by_name > NAME_TRIES or by_address > ADDRESS_TRIES
        account = tx.lock_account(item.person) if item.person and not too_many else None
        results.append(Guessed(too_many, account))
    return results


def refuse_sign_in(tx: Transaction, items: Sequence[Refused]) -> list[None]:
    """Write down sign-ins that failed."""
    for item in items:
        actor = f"person:{item.person}" if item.person else "nobody"
        tx.insert("audit_events", [audited(item.wall, "sign_in.refused", actor, detail={"why": item.why})])
    return [None for _ in items]


def begin_session(tx: Transaction, items: Sequence[BeginSession]) -> list[HubError | None]:
    """Begin sessions; an account that was disabled meanwhile has none, and an app's code works once."""
    return [_begin(tx, item) for item in items]


def _begin(tx: Transaction, item: BeginSession) -> HubError | None:
    account = tx.lock_account(item.person)
    if why := _why_not(account, item):
        refuse_sign_in(tx, [Refused(item.person, why, item.wall)])
        return Forbidden(NOT_IN)
    if account is not None and item.step is not None:
        tx.change_account(account["id"], {"code_step": item.step})
    if item.name:
        tx.clear_guesses("name", item.name)
    if item.replaces:
        tx.end_sessions(item.person, item.wall, item.replaces)
    new = {"id": secrets.token_hex(16), "token": item.token, "person": item.person, "way": item.way}
    times = {"began_at": item.wall, "seen_at": item.wall, "until": item.until}
    tx.insert("sessions", [new | times])
    detail = {"way": item.way, "app": item.step is not None}
    tx.insert("audit_events", [audited(item.wall, "session.began", f"person:{item.person}", detail=detail)])
    return None


def _why_not(account: Row | None, item: BeginSession) -> str:
    if account is not None and account["disabled_at"] is not None:
        return "disabled"
    if item.step is not None and account is not None and item.step <= (account["code_step"] or 0):
        return "code-used"
    return ""


def end_sessions(tx: Transaction, items: Sequence[EndSessions]) -> list[int]:
    """End sessions from this moment on, wherever their cookies are; returns how many each item ended."""
    results = []
    for item in items:
        count = tx.end_sessions(item.person, item.wall, item.token)
        if count:
            detail = {"person": item.person, "why": item.why, "sessions": count}
            tx.insert("audit_events", [audited(item.wall, "session.ended", item.actor, detail=detail)])
        results.append(count)
    return results


def see_session(tx: Transaction, items: Sequence[SeeSession]) -> list[None]:
    """Note that sessions were used, so that they do not end for want of it."""
    for item in items:
        tx.see_session(item.token, item.wall)
    return [None for _ in items]
