"""Proves a name and a password, and the code of an app where it is asked for; every failure looks the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi import Request

from hub.bootstrap import Hub
from hub.console.session import address_of, hub_of
from hub.domain.calendar import london_date
from hub.people import members
from hub.security import app_codes, passwords
from hub.services.account import place_of_secret
from hub.services.ports import Row
from hub.services.session import Guess, Refused, guess, refuse_sign_in

T = TypeVar("T")

#: A hash takes 64 MiB while it is made: two at once, whoever asks.
_HASHING: Final = ThreadPoolExecutor(2, "passwords")
_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class Proved:
    """Who proved who they are; `name` is the hash that their guesses were counted under, `step` their code's."""

    person: str
    name: str
    step: int | None


@dataclass(frozen=True, slots=True)
class Unproved:
    """Nobody: `too_many` says that nothing was even looked at."""

    too_many: bool


async def prove(request: Request, name: str, password: str, code: str) -> Proved | Unproved:
    """Return who has this name, password and code; a guess counts before it is looked at.

    A name that is nobody's is counted, and takes as long, as one that is somebody's.
    """
    hub = hub_of(request)
    plain = name.strip().lower()[:_MOST]
    person = _named(hub, plain)
    counted = hub.vault.digest("console-name", plain)
    address = hub.vault.digest("console-address", address_of(request))
    guessed = await hub.writer.run(guess, Guess(counted, address, person, hub.now.wall()))
    if guessed.too_many:
        await _refuse(hub, person, "too-many")
        return Unproved(too_many=True)
    account = guessed.account
    kept = account["password"] if account is not None and account["disabled_at"] is None else None
    right = await hashing(passwords.matches, password[:_MOST], kept)
    if not right or account is None:
        await _refuse(hub, person, "password")
        return Unproved(too_many=False)
    step = _step(hub, account, code)
    if hub.configuration.hub.asks_for_app and step is None:
        await _refuse(hub, person, "code")
        return Unproved(too_many=False)
    return Proved(person, counted, step)


async def hashing(do: Callable[..., T], *arguments: object) -> T:
    """Do something slow with a password, away from the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_HASHING, do, *arguments)


def _named(hub: Hub, plain: str) -> str:
    """Return the id of the one person whom this names, by e-mail address or id; empty for nobody, and for several."""
    here = [each for each in members(hub.configuration.partnership).values()
            if each.is_here(london_date(hub.now.business()))]  # fmt: skip
    found = [each.id for each in here if plain and plain in {each.id, each.email.strip().lower()}]
    return found[0] if len(found) == 1 else ""


def _step(hub: Hub, account: Row, code: str) -> int | None:
    """Return the half minute of a code that is right, was not used, and is not older than one that was."""
    if account["secret"] is None or account["data_key"] is None:
        return None
    secret = hub.vault.unwrap(account["data_key"]).open(account["secret"], place_of_secret(account["id"]))
    step = app_codes.step_of(secret, code, hub.now.wall())
    return step if step is not None and step > (account["code_step"] or 0) else None


async def _refuse(hub: Hub, person: str, why: str) -> None:
    await hub.writer.run(refuse_sign_in, Refused(person, why, hub.now.wall()))
