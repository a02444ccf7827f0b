"""Invite: a link to the answer page for one delivery, kept as a keyed hash before any e-mail holds it (R64)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.services.ports import Row, Transaction, Vault, audited


@dataclass(frozen=True, slots=True)
class MakeInvite:
    """Make a delivery's link, `number` 0 for its first; `address` is the mailbox that it goes to.

    `lasts` is how long the link works. By the wall's clock, as tokens are.
    """

    delivery_id: str
    share_id: str
    number: int
    address: str
    wall: datetime
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Invited:
    """A link that was made, with all that its e-mail may say: the speakable reference, and until when it works."""

    id: str
    reference: str
    created_at: datetime
    expires_at: datetime


def token_of(vault: Vault, delivery_id: str, number: int) -> str:
    """Return a link's secret part: the same for the same link, so that an e-mail sent twice holds one link."""
    return vault.digest("invite-link", f"{delivery_id}|{number}")[:48]


def invite_id(vault: Vault, delivery_id: str, number: int) -> str:
    """Return a link's own id, from which its token cannot be made."""
    return vault.digest("invite-id", f"{delivery_id}|{number}")[:32]


def digest_of(vault: Vault, token: str) -> str:
    """Return the keyed hash by which a token is known."""
    return vault.digest("invite", token)


def make_invite(tx: Transaction, items: Sequence[MakeInvite], *, vault: Vault) -> list[Invited]:
    """Keep links that are new, with an audit event each; one that is there already is returned as it is."""
    rows = [invite_row(item, vault) for item in items]
    made: dict[str, Row] = tx.known_invites([row["id"] for row in rows])
    references = tx.references([item.share_id for item in items])
    new = []
    for item, row in zip(items, rows, strict=True):
        if row["id"] in made:
            continue
        made[row["id"]] = row
        new.append(row)
        detail = {"invite": row["id"], "number": item.number}
        event = audited(item.wall, "invite.made", "hub:courier", item.share_id, item.delivery_id, detail)
        tx.insert("audit_events", [event])
    tx.insert("invites", new)
    return [
        _invited(made[invite_id(vault, item.delivery_id, item.number)], references[item.share_id]) for item in items
    ]


def invite_row(item: MakeInvite, vault: Vault) -> Row:
    """Return the row of a new link."""
    return {
        "id": invite_id(vault, item.delivery_id, item.number),
        "delivery_id": item.delivery_id,
        "number": item.number,
        "token": digest_of(vault, token_of(vault, item.delivery_id, item.number)),
        "address": item.address,
        "created_at": item.wall,
        "expires_at": item.wall + item.lasts,
        "tries": 0,
    }


def _invited(row: Row, reference: str) -> Invited:
    return Invited(row["id"], reference, row["created_at"], row["expires_at"])
