"""New links and ended ones: one goes to a mailbox that was agreed alone, whoever asks; an ended one opens nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.services.invite import MakeInvite, invite_row
from hub.services.open_link import actor_of, ends_at, is_closed
from hub.services.ports import Row, Transaction, Vault, audited
from hub.services.tell import INVITE, OPERATOR, WRONG_TEAM, notice_row

#: Between two e-mails about one delivery, so that nobody floods a team's mailbox with them (TH15).
_BETWEEN: Final = timedelta(minutes=10)
#: A link that is switched off twice is told of once.
_TOLD_ONCE: Final = timedelta(days=365)
#: However often a team asks; then somebody must ring it.
_MOST: Final = 12


@dataclass(frozen=True, slots=True)
class Renew:
    """Somebody with a link's `token` (keyed hash) asks for a new one; nothing is said of what becomes of it."""

    token: str
    business: datetime
    wall: datetime


@dataclass(frozen=True, slots=True)
class ForwardLink:
    """A team that proved its code asks for a link to `address`, another agreed mailbox of its own."""

    token: str
    service: str
    address: str
    business: datetime
    wall: datetime


#: waits: one went there a moment ago, or too many were sent; refused: nobody agreed on that mailbox, or not their link.
Forwarded = Literal["sent", "waits", "refused"]


@dataclass(frozen=True, slots=True)
class EndLink:
    """A team that proved its code ends every link of what this one opens."""

    token: str
    service: str
    business: datetime
    wall: datetime


def renew_link(tx: Transaction, items: Sequence[Renew], *, vault: Vault, lasts: Mapping[str, timedelta]) -> list[None]:
    """Make a new link where one may be had, and queue its e-mail; `lasts` is how long one works, by service.

    A link that its team ended is not renewed: its mailbox is the wrong place.
    """
    for item in items:
        link = tx.lock_invite(item.token)
        if link is None or not _may(tx, link, item, lasts):
            ids = () if link is None else (link["share_id"], link["delivery_id"])
            tx.insert("audit_events", [audited(item.business, "invite.not_renewed", "link", *ids)])
            continue
        _send(tx, link, link["address"], item, lasts[link["service_id"]], vault)
    return [None for _ in items]


def forward_link(
    tx: Transaction,
    items: Sequence[ForwardLink],
    *,
    vault: Vault,
    lasts: Mapping[str, timedelta],
    mailboxes: Mapping[str, Collection[str]],
) -> list[Forwarded]:
    """Send links to other mailboxes of the same team; `mailboxes` are those that were agreed, by service.

    The team's code opens them as it opened the first, and what ends the delivery's links ends these as well.
    """
    results: list[Forwarded] = []
    for item in items:
        link = tx.lock_invite(item.token)
        if link is None or link["service_id"] != item.service or link["opened_at"] is None:
            results.append("refused")
            continue
        agreed, works = item.address in mailboxes.get(item.service, ()), link["expires_at"] > item.wall
        if not (agreed and works and _lives(tx, link, item)):
            results.append("refused")
            continue
        there = vault.digest("invite-to", f"{link['delivery_id']}|{item.address}")
        if not (_few(tx, link) and tx.first_of_late("forward", there, item.wall, item.wall + _BETWEEN)):
            results.append("waits")
            continue
        _send(tx, link, item.address, item, lasts[item.service], vault)
        results.append("sent")
    return results


def _send(  # noqa: PLR0913 - what a new link is made of
    tx: Transaction, link: Row, address: str, item: Renew | ForwardLink, life: timedelta, vault: Vault
) -> None:
    number = tx.newest_invite(link["delivery_id"]) + 1
    row = invite_row(MakeInvite(link["delivery_id"], link["share_id"], number, address, item.wall, life), vault)
    ids = {"share_id": link["share_id"], "delivery_id": link["delivery_id"]}
    detail = {"invite": row["id"], "number": number}
    tx.insert("invites", [row])
    tx.insert("notices", [notice_row("email", INVITE, f"invite:{row['id']}", item.wall, **ids)])
    tx.insert("audit_events", [audited(item.business, "invite.made", actor_of(link["id"]), detail=detail, **ids)])
    tx.nudge_notices()


def _may(tx: Transaction, link: Row, item: Renew, lasts: Mapping[str, timedelta]) -> bool:
    return (
        link["service_id"] in lasts
        and _few(tx, link)
        and _lives(tx, link, item)
        and tx.first_of_late(INVITE, link["delivery_id"], item.wall, item.wall + _BETWEEN)
    )


def _few(tx: Transaction, link: Row) -> bool:
    return tx.newest_invite(link["delivery_id"]) < _MOST


def _lives(tx: Transaction, link: Row, item: Renew | ForwardLink) -> bool:
    """Tell whether a link was not ended, and there is something to show behind it."""
    if link["revoked_at"] is not None:
        return False
    row = tx.lock_deliveries([link["delivery_id"]])[link["delivery_id"]]
    return not is_closed(row, ends_at(tx, row), item.business)


def end_links(tx: Transaction, items: Sequence[EndLink]) -> list[bool]:
    """End links of deliveries to their own service, and tell the operator, once; False for any other.

    What came to the wrong team was read there: somebody has to find out how, before more goes the same way (TH20).
    """
    results = []
    for item in items:
        link = tx.lock_invite(item.token)
        own = link is not None and link["service_id"] == item.service
        results.append(own)
        if link is not None and own:
            tx.revoke_invites(link["delivery_id"], item.wall)
            about = {"share_id": link["share_id"], "delivery_id": link["delivery_id"]}
            if tx.first_of_late(WRONG_TEAM, link["delivery_id"], item.wall, item.wall + _TOLD_ONCE):
                tx.insert("notices", [notice_row("email", WRONG_TEAM, OPERATOR, item.wall, **about)])
                tx.nudge_notices()
            ids = (link["share_id"], link["delivery_id"])
            tx.insert("audit_events", [audited(item.business, "invite.ended", actor_of(link["id"]), *ids)])
    return results


@dataclass(frozen=True, slots=True)
class EndInvites:
    """An operator ends every link of a share's deliveries; `actor` is who."""

    share_id: str
    delivery_ids: tuple[str, ...]
    actor: str
    business: datetime
    wall: datetime


def end_invites(tx: Transaction, items: Sequence[EndInvites]) -> list[None]:
    """End links, with an audit event a delivery."""
    for item in items:
        for delivery_id in item.delivery_ids:
            tx.revoke_invites(delivery_id, item.wall)
            tx.insert("audit_events", [audited(item.business, "invite.ended", item.actor, item.share_id, delivery_id)])
    return [None for _ in items]
