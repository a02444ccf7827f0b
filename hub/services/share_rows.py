"""The rows that a share is kept as: itself, its consents with the basis for each, and its deliveries."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from hub.domain.answer import AnswerState
from hub.domain.calendar import day_ends
from hub.domain.consent import ConsentState
from hub.domain.delivery import DeliveryEvent, DeliveryKind, move
from hub.domain.route import Directory
from hub.domain.share import Consent
from hub.services.consent_event import consent_event
from hub.services.keep_trusted_person import LinkKey
from hub.services.pack import pack, place
from hub.services.plan import Plan, Planned
from hub.services.ports import DataKey, audited
from hub.services.set_clocks import clock_rows
from hub.services.terms import clause, head, terms


def share_row(planned: Plan, directory: Directory, data_key: DataKey, link: LinkKey) -> dict[str, Any]:
    """Return the row of a share: who sent it, by keyed hashes, and what is sealed of them."""
    share, sender, ids = planned.share, planned.sender, planned.ids
    partner_id, trusted_person, person = link
    one = share.trusted_person
    kept = {"reference": share.reference, "trusted_person": one.name, "can_see": one.can_see, "head": head(share)}
    return {
        "id": ids.share,
        "reference": ids.reference,
        "partner_id": partner_id,
        "client_id": sender.client_id,
        "trusted_person": trusted_person,
        "person": person,
        "sent_at": planned.sent_at,
        "ask": share.ask,
        "urgent": share.urgent,
        "safety": share.at_risk_now,
        "restricted": bool(one.can_see),
        "withdrawn_at": None,
        "told_at": None,
        "remind_at": None,
        "died_at": None,
        "held_since": planned.decided_at if planned.held else None,
        "config_digest": directory.digest,
        "data_key": data_key.wrapped,
        "sender": data_key.seal(pack(kept), place("shares", "sender", ids.share)),
    }


def add_consent(  # noqa: PLR0913 - the rows of one consent
    rows: dict[str, list[dict[str, Any]]],
    planned: Plan,
    consent: Consent,
    state: ConsentState,
    bears: tuple[str, str],
    data_key: DataKey,
    author: str,
    *,
    children: bool = False,
) -> None:
    """Add one grant, or one no, with its event, by the keyed hashes that it `bears`: of its agreement and its need.

    `children` says that its service is a team for children (R21).
    """
    agreement, need = bears
    consent_id = planned.ids.consent(consent.service)
    rows["consents"].append(
        {
            "id": consent_id,
            "record_id": planned.ids.record,
            "share_id": planned.ids.share,
            "service_id": consent.service,
            "agreement": agreement,
            "need": need,
            "state": state,
            "ends_at": day_ends(consent.until),
            "returns": clause(consent, children=children),
            "terms": data_key.seal(terms(consent), place("consents", "terms", consent_id)),
        }
    )
    rows["consent_events"].append(
        consent_event(consent_id, state, planned.decided_at, planned.sender.client_id, author)
    )


def basis_row(parcel: Planned, consent_id: str, at: datetime) -> dict[str, Any]:
    """The second record beside consent: on what basis each side acts, by the agreement in force (R14)."""
    agreement = parcel.route.agreement
    assert parcel.consent is not None
    return {
        "consent_id": consent_id,
        "agreement": agreement.reference,
        "assessment": agreement.assessment,
        "notice": parcel.consent.agreed.notice,
        "sender_article_6": agreement.sender.article_6,
        "sender_article_9": agreement.sender.article_9,
        "sender_article_10": agreement.sender.article_10,
        "receiver_article_6": agreement.receiver.article_6,
        "receiver_article_9": agreement.receiver.article_9,
        "receiver_article_10": agreement.receiver.article_10,
        "override": None,
        "at": at,
    }


def add_delivery(  # noqa: PLR0913 - the rows of one delivery
    rows: dict[str, list[dict[str, Any]]],
    planned: Plan,
    parcel: Planned,
    data_key: DataKey,
    wall: datetime,
    actor: str,
) -> None:
    """Add one parcel with its clocks and what the audit log says of it."""
    ids, route = planned.ids, parcel.route
    consent_id = ids.consent(route.service.id)
    rows["deliveries"].append(_delivery_row(planned, parcel, consent_id, data_key, wall))
    rows["clocks"].extend(clock_rows(parcel.delivery_id, parcel.clocks))
    rows["audit_events"].append(
        audited(
            planned.decided_at,
            "delivery.accepted",
            actor,
            ids.share,
            parcel.delivery_id,
            {"service": route.service.id, "mapping": route.connection.mapping, "bytes": len(parcel.body)},
        )
    )


def _delivery_row(planned: Plan, parcel: Planned, consent_id: str, data_key: DataKey, wall: datetime) -> dict[str, Any]:
    connection = parcel.route.connection
    return {
        "id": parcel.delivery_id,
        "share_id": planned.ids.share,
        "consent_id": consent_id,
        "service_id": parcel.route.service.id,
        "connection_id": connection.id,
        "kind": DeliveryKind.SHARE,
        "bare": False,
        "after": None,
        "linked_to": None,
        "state": move(None, DeliveryEvent.ACCEPTED),
        "answer_state": AnswerState.AWAITED,
        "key": parcel.key,
        "case": parcel.case,
        "address": parcel.route.service.address,
        "mapping": connection.mapping,
        "content_type": parcel.content_type,
        "parcel_sha256": hashlib.sha256(parcel.body).hexdigest(),
        "parcel": data_key.seal(parcel.body, place("deliveries", "parcel", parcel.delivery_id)),
        "frame": data_key.seal(pack(parcel.frame), place("deliveries", "frame", parcel.delivery_id)),
        "created_at": planned.sent_at,
        "due_at": wall,
        "attempt": 0,
        "counted": 0,
        "deaths": 0,
        "may_have_left": False,
    }
