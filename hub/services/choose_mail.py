"""Choose mail: a reader asks for one mail a day, or for each as it comes; it silences nothing (TH15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.ladder import Role, steps
from hub.domain.route import Directory
from hub.services.ports import Transaction, Vault, audited

_PURPOSE: Final = "choose-mail"


@dataclass(frozen=True, slots=True)
class ChooseMail:
    """What a reader wants: `daily` is one mail a day in place of those that may wait for each other."""

    person: str
    daily: bool
    wall: datetime


def choose_mail(tx: Transaction, items: Sequence[ChooseMail]) -> list[None]:
    """Keep each choice; the same again changes nothing. What waited for the morning goes once they want it sooner."""
    for item in items:
        if tx.wants_daily(item.person) == item.daily:
            continue
        tx.change_reader(item.person, daily_since=item.wall if item.daily else None)
        action = "mail.daily" if item.daily else "mail.each"
        tx.insert("audit_events", [audited(item.wall, action, f"person:{item.person}")])
        if not item.daily:
            tx.hurry_notices(item.person, item.wall)
            tx.nudge_notices()
    return [None for _ in items]


def may_choose(directory: Directory, person: str) -> bool:
    """Tell whether a reader may ask for fewer: never the operator, nor one after whom nobody but the operator is left.

    The last who is named must hear at once, for nobody else would.
    """
    if person == directory.operator.id:
        return False
    ladders = [steps(directory, partner) for partner in directory.partners]
    mine = [ladder for ladder in ladders if any(step.person.id == person for step in ladder)]
    return bool(mine) and all(
        any(step.person.id != person and step.role is not Role.OPERATOR for step in ladder) for ladder in mine
    )


def links_of(directory: Directory, vault: Vault, public_url: str) -> Mapping[str, str]:
    """Return the address of each reader's choice: letters of a keyed hash, which name nobody (R45)."""
    return {
        each.id: f"{public_url.rstrip('/')}/mail/{token_of(vault, each.id)}"
        for each in directory.people()
        if may_choose(directory, each.id)
    }


def token_of(vault: Vault, person: str) -> str:
    """Return what stands for a reader in their link."""
    return vault.digest(_PURPOSE, person)[:40]
