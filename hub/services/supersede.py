"""Supersede: a new choice takes the place of an earlier one, under which nothing unclaimed goes any more (R12)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.consent import REPLACES_UNKNOWN, SUPERSEDED, WITHDRAWN, ConsentState
from hub.domain.errors import Refusal
from hub.domain.share import Share
from hub.services.consent_event import consent_event
from hub.services.ports import Row, Transaction, Vault, audited
from hub.services.stop_sending import stop_sending

_OVER = {ConsentState.WITHDRAWN: WITHDRAWN, ConsentState.SUPERSEDED: SUPERSEDED}


@dataclass(frozen=True, slots=True)
class Superseding:
    """Whose new choice it is: `author` is a keyed hash, `at` business time."""

    client_id: str
    author: str
    at: datetime
    wall: datetime


def agreement(vault: Vault, partner_id: str, share: Share, reference: str, service_id: str) -> str:
    """Return the keyed hash of what a person agreed for a service, by the reference that its sender gave it (R12)."""
    return vault.digest("agreement", "|".join((partner_id, share.person.reference, reference, service_id)))


def agreements(vault: Vault, partner_id: str, share: Share) -> dict[str, str]:
    """Return for each service the agreement that its consent is."""
    return {each.service: agreement(vault, partner_id, share, each.reference, each.service) for each in share.consents}


def replaced(vault: Vault, partner_id: str, share: Share) -> dict[str, str]:
    """Return for each service whose consent replaces an earlier one the agreement that the earlier one was."""
    return {
        each.service: agreement(vault, partner_id, share, each.replaces, each.service)
        for each in share.consents
        if each.replaces is not None
    }


def why_not(
    agreed: Mapping[str, str], replaces: Mapping[str, str], over: Mapping[str, str], known: Collection[str]
) -> dict[str, Refusal]:
    """Return why services may get nothing under what they bear: it is `over`, or replaces what is not `known`.

    Agreements by service; `over` holds the state of those that were withdrawn or superseded with any share.
    """
    return {service_id: REPLACES_UNKNOWN for service_id, each in replaces.items() if each not in known} | {
        service_id: _OVER[ConsentState(over[each])] for service_id, each in agreed.items() if each in over
    }


def supersede(tx: Transaction, rows: Sequence[Row], by: Superseding) -> None:
    """End earlier consents, which are locked already, in favour of a new one; what was withdrawn stays withdrawn."""
    ending = [row for row in rows if row["state"] not in _OVER]
    ids = [row["id"] for row in ending]
    tx.end_consents(ids, ConsentState.SUPERSEDED)
    tx.insert(
        "consent_events",
        [consent_event(each, ConsentState.SUPERSEDED, by.at, by.client_id, by.author) for each in ids],
    )
    cancelled = stop_sending(tx, ids, by.at, by.wall).cancelled
    actor = f"client:{by.client_id}"
    shares = {row["share_id"] for row in ending}
    ended = [audited(by.at, "consent.superseded", actor, each) for each in sorted(shares)]
    stopped = [audited(by.at, "delivery.cancelled", actor, row["share_id"], row["id"]) for row in cancelled]
    tx.insert("audit_events", [*ended, *stopped])
