"""The rows of what went, or was asked to go, without a yes: never kept as a consent that was given (R23)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from hub.domain.consent import ConsentState
from hub.domain.override import LASTS, OverrideGrant
from hub.domain.route import Directory
from hub.services.consent_event import consent_event
from hub.services.decide import Sender, Verdict
from hub.services.plan import Plan, Planned
from hub.services.ports import Row, Vault, attested, audited
from hub.services.tell import notice_row

#: To the partnership's senior contact, at once.
OVERRIDE_USED: Final = "override_used"


def add_override(  # noqa: PLR0913 - as `add_consent`
    rows: dict[str, list[dict[str, Any]]],
    planned: Plan,
    parcel: Planned,
    grant: OverrideGrant,
    vault: Vault,
    author: str,
) -> None:
    """Add what the claim checks beside a living consent, and on what basis it is: it holds no terms, for none agreed.

    Its agreement and need are the share's own: nothing a person says of a consent, before or later, is mistaken for it.
    """
    service_id, share_id = parcel.route.service.id, planned.ids.share
    consent_id = planned.ids.consent(service_id)
    rows["consents"].append(
        {
            "id": consent_id,
            "record_id": planned.ids.record,
            "share_id": share_id,
            "service_id": service_id,
            "agreement": vault.digest("agreement", f"override|{share_id}|{service_id}"),
            "need": vault.digest("need", f"override|{share_id}|{service_id}"),
            "state": ConsentState.OVERRIDDEN,
            "ends_at": planned.decided_at + LASTS,
            "returns": [],
            "terms": None,
        }
    )
    rows["consent_events"].append(
        consent_event(consent_id, ConsentState.OVERRIDDEN, planned.decided_at, planned.sender.client_id, author)
    )
    rows["lawful_bases"].append(_basis_row(parcel, grant, consent_id, planned.decided_at))


def _basis_row(parcel: Planned, grant: OverrideGrant, consent_id: str, at: datetime) -> dict[str, Any]:
    """The sender acts on the policy's basis alone: the agreement's may be consent, and nobody gave it."""
    agreement = parcel.route.agreement
    return {
        "consent_id": consent_id,
        "agreement": agreement.reference,
        "assessment": grant.assessment,
        "notice": "",
        "sender_article_6": "",
        "sender_article_9": "",
        "sender_article_10": "",
        "receiver_article_6": agreement.receiver.article_6,
        "receiver_article_9": agreement.receiver.article_9,
        "receiver_article_10": agreement.receiver.article_10,
        "override": grant.basis,
        "at": at,
    }


def override_events(planned: Plan, vault: Vault, share_id: str | None) -> Iterator[Row]:
    """Yield who asked for an override and which services got it: by keyed hashes, whatever came of it."""
    sender = planned.sender
    actor, who = f"client:{sender.client_id}", _who(sender, vault)
    for verdict in (*planned.refused, *(parcel.verdict for parcel in planned.parcels)):
        if verdict.override is None:
            continue
        detail = who | {"service": verdict.service_id, "basis": verdict.override.basis}
        yield audited(planned.decided_at, "safeguarding.override_asked", actor, share_id, None, detail | _why(verdict))
        if not verdict.refusals:
            delivery_id = planned.ids.of("delivery", verdict.service_id).hex
            yield audited(planned.decided_at, "safeguarding.override_used", actor, share_id, delivery_id, detail)


def _who(sender: Sender, vault: Vault) -> dict[str, str]:
    partner_id = sender.partner.id

    def keyed(subject: str) -> str:
        return vault.digest("author", f"{partner_id}|{subject}")

    one = attested(partner_id, keyed(sender.author), sender.role)
    if sender.second is None:
        return one
    other = attested(partner_id, keyed(sender.second.author), sender.second.role)
    return one | {"second_author": other["author"], "second_role": other["role"]}


def _why(verdict: Verdict) -> dict[str, Any]:
    return {"refusals": [refusal.type for refusal in verdict.refusals]} if verdict.refusals else {}


def override_notices(planned: Plan, directory: Directory, wall: datetime) -> list[Row]:
    """Return who is told at once that an override was used: the senior contact for safety."""
    used = any(parcel.verdict.override is not None for parcel in planned.parcels)
    if not used or directory.safeguarding is None:
        return []
    contact = directory.safeguarding.contact.id
    return [notice_row("email", OVERRIDE_USED, contact, wall, share_id=planned.ids.share)]
