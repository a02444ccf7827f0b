"""Keep what a partner's system knows of a person's choice of trusted person; the hub itself never makes one (R01)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from hub.domain.absence import Absence, first_day_gone
from hub.domain.errors import Conflict, HubError, Refusal, Unauthenticated
from hub.domain.share import Share
from hub.domain.trusted_person import NO_LINK, Link
from hub.services.pack import pack, place, unpack
from hub.services.ports import Row, Transaction, Vault, audited
from hub.services.refusals import REPLAYED
from hub.services.remember import OneTime, first_times, keep_used

#: (partner, trusted person, person), the last two as keyed hashes: the names under which a link is kept.
LinkKey = tuple[str, str, str]


class LinkChanged(Conflict):
    """What is known of this choice is not what the share was planned with: plan it again with what stands in `row`."""

    def __init__(self, row: Row | None) -> None:
        super().__init__(Refusal("trusted-person-changed", "This choice has just changed.", "Send it again.", "hub"))
        self.row = row


@dataclass(frozen=True, slots=True)
class Keeping:
    """One link to keep as it is said to be, whatever was kept before; `author` and `cover` are keyed hashes."""

    key: LinkKey
    details: Mapping[str, Any]
    client_id: str
    author: str
    business: datetime
    once: OneTime
    cover: str | None = None  #: whom the person named while this one is away (R07)


class KnownLinks:
    """What this process has last seen of links: a guess, that the commit of a share holds against what is kept."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._links: dict[LinkKey, Link] = {}

    def of(self, key: LinkKey) -> Link:
        """Return what was last seen, or that nothing is known."""
        return self._links.get(key, NO_LINK)

    def learn(self, key: LinkKey, link: Link) -> None:
        """Note what stands; of too many the oldest is unlearned."""
        self._links.pop(key, None)
        if link != NO_LINK:
            self._links[key] = link
        while len(self._links) > self._most:
            del self._links[next(iter(self._links))]


def link_key(vault: Vault, partner_id: str, trusted_person: str, person: str) -> LinkKey:
    """Return the names of a link from a partner's own references, which stand nowhere in clear."""
    return (
        partner_id,
        vault.digest("trusted-person", f"{partner_id}|{trusted_person}"),
        vault.digest("person", f"{partner_id}|{person}"),
    )


def link_key_of(vault: Vault, partner_id: str, share: Share) -> LinkKey:
    """Return the names of the link that a share goes by."""
    return link_key(vault, partner_id, share.trusted_person.reference, share.person.reference)


def opened(row: Row | None, vault: Vault) -> Link:
    """Return a link from its row."""
    if row is None:
        return NO_LINK
    link = NO_LINK if row["data_key"] is None else _opened(row, vault)
    if (gone_from := row.get("gone_from")) is None:
        return link
    last = date.fromisoformat(gone_from) - timedelta(days=1)
    return replace(link, until=min(last, link.until or last), seen=seen_of(row))


def seen_of(row: Row | None) -> str:
    """Return which state of a link its row is, with since when its trusted person is gone for everybody (R08)."""
    return "" if row is None else f"{row['seen']}{row.get('gone_from') or ''}"


def _opened(row: Row, vault: Vault) -> Link:
    kept = unpack(vault.unwrap(row["data_key"]).open(row["details"], place("trusted_people", "details", row["id"])))
    return Link(
        not_safe=kept["not_safe"],
        until=date.fromisoformat(kept["until"]) if kept["until"] else None,
        topics=tuple(kept["topics"]),
        can_see=tuple(kept["can_see"]),
        withhold_author=kept["withhold_author"],
        seen=row["seen"],
    )


def stays_unnamed(tx: Transaction, original: Row, vault: Vault) -> bool:
    """Tell whether what follows an original must name no worker, as its partner has it now (R11)."""
    key = (original["partner_id"], original["trusted_person"], original["person"])
    return opened(tx.links([key]).get(key), vault).withhold_author


def keep_trusted_person(tx: Transaction, items: Sequence[Keeping], *, vault: Vault) -> list[Link | HubError]:
    """Keep each link, and return it as it now stands; what says the same again changes nothing and is audited too."""
    results: list[Link | HubError] = []
    for item, is_first in zip(items, first_times(tx, [item.once for item in items]), strict=True):
        if not is_first:
            results.append(Unauthenticated(REPLAYED))
            continue
        keep_used(tx, [item.once])
        results.append(_keep_one(tx, item, vault))
    return results


def _keep_one(tx: Transaction, item: Keeping, vault: Vault) -> Link:
    plain = pack(item.details)
    seen = vault.digest("link", plain.decode())
    row = tx.lock_link(item.key)
    link_id = row["id"] if row else uuid4().hex
    if row is None:
        partner_id, trusted_person, person = item.key
        data_key = vault.new_data_key()
        new: Row = {
            "id": link_id,
            "partner_id": partner_id,
            "trusted_person": trusted_person,
            "person": person,
            "seen": seen,
            "kept_at": item.business,
            "data_key": data_key.wrapped,
            "details": data_key.seal(plain, place("trusted_people", "details", link_id)),
        }
        tx.insert("trusted_people", [new])
    else:
        details = vault.unwrap(row["data_key"]).seal(plain, place("trusted_people", "details", link_id))
        if row["seen"] != seen:
            tx.change_link(link_id, seen, item.business, details)
    tx.set_link_cover(item.key, item.cover)
    _keep_end(tx, item)
    detail = {"link": link_id, "details": seen, "author": item.author}
    tx.insert(
        "audit_events", [audited(item.business, "trusted_person.kept", f"client:{item.client_id}", detail=detail)]
    )
    return opened(tx.links([item.key])[item.key], vault)


def _keep_end(tx: Transaction, item: Keeping) -> None:
    """Write down when this one person's choice ends, so that what is open then is handed over (R08)."""
    whose = dict(zip(("partner_id", "trusted_person", "person"), item.key, strict=True))
    until = item.details["until"]
    if not until:
        tx.drop_absence(*item.key, Absence.LEFT)
        return
    first = first_day_gone(date.fromisoformat(until)).isoformat()
    tx.keep_absence({**whose, "kind": Absence.LEFT, "first": first, "last": None})
