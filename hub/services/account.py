"""Make, reset, disable and fill accounts: each is of a person in the partnership's file, with no first password."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from hub.domain.errors import Conflict, HubError, NotFound, Refusal
from hub.services.ports import Transaction, Vault, audited

HAS_ACCOUNT: Final = Refusal(
    "account-known", "This person has an account already.", "Give them a new link with `hub account reset`."
)
NO_ACCOUNT: Final = Refusal("account-not-found", "This person has no account.", "Make one with `hub account add`.")
LINK_OVER: Final = Refusal(
    "link-over", "This link does not work any more.", "Ask whoever looks after the hub for a new one."
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (HAS_ACCOUNT, NO_ACCOUNT, LINK_OVER)


@dataclass(frozen=True, slots=True)
class GiveLink:
    """A one-time link, by its keyed hash, with which a person sets their password; `actor` is who gives it."""

    person: str
    link: str
    until: datetime
    actor: str
    wall: datetime


@dataclass(frozen=True, slots=True)
class Disable:
    """A person may sign in no more, whichever way; or again, where `again` says so."""

    person: str
    actor: str
    wall: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class SetPassword:
    """A person sets their password by their link: its hash, and what their app's codes are made from, if they have one.

    `step` is the half minute of the code that proved the app.
    """

    link: str
    password: str = field(repr=False)
    secret: bytes | None = field(repr=False)
    step: int | None
    wall: datetime


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """A person who is signed in, and proved their old password, has a new one."""

    person: str
    password: str = field(repr=False)
    wall: datetime


def add_account(tx: Transaction, items: Sequence[GiveLink]) -> list[HubError | None]:
    """Make accounts that nobody can sign in to until their link was used."""
    return [_add(tx, item) for item in items]


def _add(tx: Transaction, item: GiveLink) -> HubError | None:
    if tx.lock_account(item.person) is not None:
        return Conflict(HAS_ACCOUNT)
    new = {"id": secrets.token_hex(16), "person": item.person, "link": item.link, "link_until": item.until}
    tx.insert("accounts", [new | {"made_at": item.wall}])
    _note(tx, item.wall, "account.added", item.actor, item.person)
    return None


def reset_account(tx: Transaction, items: Sequence[GiveLink]) -> list[HubError | None]:
    """Take away password and app, end every session, and give a new link: for whoever lost one of them."""
    return [_reset(tx, item) for item in items]


def _reset(tx: Transaction, item: GiveLink) -> HubError | None:
    account = tx.lock_account(item.person)
    if account is None:
        return NotFound(NO_ACCOUNT)
    tx.change_account(account["id"], _EMPTY | {"link": item.link, "link_until": item.until})
    ended = tx.end_sessions(item.person, item.wall)
    _note(tx, item.wall, "account.reset", item.actor, item.person, sessions=ended)
    return None


def disable_account(tx: Transaction, items: Sequence[Disable]) -> list[HubError | None]:
    """Disable accounts and end their sessions, or enable them again: as they were, but for the sessions."""
    return [_disable(tx, item) for item in items]


def _disable(tx: Transaction, item: Disable) -> HubError | None:
    account = tx.lock_account(item.person)
    if account is None and item.again:
        return NotFound(NO_ACCOUNT)
    at = None if item.again else item.wall
    if account is None:  # somebody who signs in elsewhere
        tx.insert(
            "accounts",
            [{"id": secrets.token_hex(16), "person": item.person, "made_at": item.wall, "disabled_at": at}],
        )
    else:
        tx.change_account(account["id"], {"disabled_at": at})
    ended = tx.end_sessions(item.person, item.wall)
    _note(
        tx, item.wall, "account.enabled" if item.again else "account.disabled", item.actor, item.person, sessions=ended
    )
    return None


def set_password(tx: Transaction, items: Sequence[SetPassword], *, vault: Vault) -> list[str | HubError]:
    """Set passwords by one-time links, which are used up by it; returns whose each was."""
    return [_set(tx, item, vault) for item in items]


def _set(tx: Transaction, item: SetPassword, vault: Vault) -> str | HubError:
    account = tx.lock_account_by_link(item.link)
    if account is None or account["link_until"] <= item.wall or account["disabled_at"] is not None:
        return NotFound(LINK_OVER)
    sealed: dict[str, Any] = {}
    if item.secret is not None:
        key = vault.new_data_key()
        sealed = {"data_key": key.wrapped, "secret": key.seal(item.secret, place_of_secret(account["id"]))}
    changes = _EMPTY | sealed | {"password": item.password, "code_step": item.step}
    tx.change_account(account["id"], changes)
    ended = tx.end_sessions(account["person"], item.wall)
    actor = f"person:{account['person']}"
    detail = {"app": item.secret is not None, "sessions": ended}
    tx.insert("audit_events", [audited(item.wall, "account.password_set", actor, detail=detail)])
    return str(account["person"])


def change_password(tx: Transaction, items: Sequence[ChangePassword]) -> list[HubError | None]:
    """Change passwords; every session of the person ends with the old one."""
    return [_change(tx, item) for item in items]


def _change(tx: Transaction, item: ChangePassword) -> HubError | None:
    account = tx.lock_account(item.person)
    if account is None or account["password"] is None or account["disabled_at"] is not None:
        return NotFound(NO_ACCOUNT)
    tx.change_account(account["id"], {"password": item.password})
    ended = tx.end_sessions(item.person, item.wall)
    event = audited(item.wall, "account.password_changed", f"person:{item.person}", detail={"sessions": ended})
    tx.insert("audit_events", [event])
    return None


def link_digest(vault: Vault, link: str) -> str:
    """Return the keyed hash by which a one-time link is known; the link itself is kept nowhere."""
    return vault.digest("console-link", link)


def place_of_secret(account_id: str) -> str:
    """Return the place that an account's secret is sealed for."""
    return f"accounts|secret|{account_id}"


_EMPTY: Final[dict[str, Any]] = {
    "password": None,
    "data_key": None,
    "secret": None,
    "code_step": None,
    "link": None,
    "link_until": None,
}


def _note(tx: Transaction, wall: datetime, action: str, actor: str, person: str, **detail: int) -> None:
    tx.insert("audit_events", [audited(wall, action, actor, detail={"person": person, **detail})])
