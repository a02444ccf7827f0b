"""Submit: seal a planned share into rows, and keep many of them in one commit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.answer import AnswerState
from hub.domain.calendar import day_ends
from hub.domain.consent import ConsentState
from hub.domain.delivery import DeliveryEvent, DeliveryKind, move
from hub.domain.errors import HubError, Unauthenticated
from hub.domain.route import Directory
from hub.services.consent_event import consent_event
from hub.services.decide import Verdict
from hub.services.pack import pack, place
from hub.services.plan import Plan, Planned, agreements
from hub.services.ports import DataKey, Row, Transaction, Vault, audited
from hub.services.refusals import REPLAYED, TAKEN, AgreementWithdrawn, NothingMayGo, ReferenceTaken, reused
from hub.services.remember import OneTime, first_times, keep_used
from hub.services.set_clocks import clock_rows


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A plan with its rows sealed, ready for the commit; `partner_id`, `key` and `body` are the Idempotency-Key's."""

    plan: Plan
    partner_id: str
    key: str
    body: str
    data_key: DataKey
    receipt: dict[str, Any]
    once: OneTime
    rows: Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Kept:
    """The reply kept for a repeated request: sealed, with the wrapped key of its share."""

    share_id: str
    reply: bytes
    data_key: bytes


def prepare(  # noqa: PLR0913 - the inputs of one commit
    planned: Plan,
    vault: Vault,
    directory: Directory,
    wall: datetime,
    idempotency_key: str,
    body_sha256: str,
    receipt: dict[str, Any],
    once: OneTime,
) -> Acceptance:
    """Seal a plan into rows; raises `Forbidden` when no service passed, with the first reason as its own (R12)."""
    if not planned.parcels:
        raise NothingMayGo(planned.refused)
    share, sender, ids = planned.share, planned.sender, planned.ids
    partner_id = sender.partner.id
    data_key = vault.new_data_key()
    actor = f"client:{sender.client_id}"
    author = vault.digest("author", f"{partner_id}|{sender.author}")
    kept = {"reference": share.reference, "trusted_person": share.trusted_person.name}
    rows: dict[str, list[dict[str, Any]]] = {
        "shares": [
            {
                "id": ids.share,
                "reference": ids.reference,
                "partner_id": partner_id,
                "client_id": sender.client_id,
                "trusted_person": vault.digest("trusted-person", f"{partner_id}|{share.trusted_person.reference}"),
                "person": vault.digest("person", f"{partner_id}|{share.person.reference}"),
                "sent_at": planned.sent_at,
                "ask": share.ask,
                "urgent": share.urgent,
                "withdrawn_at": None,
                "config_digest": directory.digest,
                "data_key": data_key.wrapped,
                "sender": data_key.seal(pack(kept), place("shares", "sender", ids.share)),
            }
        ],
        "consents": [],
        "consent_events": [],
        "deliveries": [],
        "clocks": [],
        "audit_events": [
            audited(planned.sent_at, "share.accepted", actor, ids.share, None, {"config": directory.digest[:12]})
        ],
    }
    agreed = agreements(vault, partner_id, share)
    for parcel in planned.parcels:
        _add_parcel(rows, planned, parcel, agreed[parcel.route.service.id], data_key, wall, actor, author)
    for verdict in planned.refused:
        rows["audit_events"].append(_audit_refusal(planned, verdict, actor))
    return Acceptance(
        planned,
        partner_id,
        vault.digest("idempotency", f"{partner_id}|{idempotency_key}"),
        vault.digest("body", body_sha256),
        data_key,
        receipt,
        once,
        rows,
    )


def _add_parcel(  # noqa: PLR0913 - the rows of one delivery
    rows: dict[str, list[dict[str, Any]]],
    planned: Plan,
    parcel: Planned,
    agreement: str,
    data_key: DataKey,
    wall: datetime,
    actor: str,
    author: str,
) -> None:
    ids, route = planned.ids, parcel.route
    consent_id = ids.of("consent", route.service.id).hex
    rows["consents"].append(_consent_row(planned, parcel, consent_id, agreement))
    rows["consent_events"].append(
        consent_event(consent_id, ConsentState.GIVEN, planned.sent_at, planned.sender.client_id, author)
    )
    rows["deliveries"].append(_delivery_row(planned, parcel, consent_id, data_key, wall))
    rows["clocks"].extend(clock_rows(parcel.delivery_id, parcel.clocks))
    rows["audit_events"].append(
        audited(
            planned.sent_at,
            "delivery.accepted",
            actor,
            ids.share,
            parcel.delivery_id,
            {"service": route.service.id, "mapping": route.connection.mapping, "bytes": len(parcel.body)},
        )
    )


def _consent_row(planned: Plan, parcel: Planned, consent_id: str, agreement: str) -> dict[str, Any]:
    consent = parcel.consent
    return {
        "id": consent_id,
        "record_id": planned.ids.record,
        "share_id": planned.ids.share,
        "service_id": parcel.route.service.id,
        "agreement": agreement,
        "state": ConsentState.GIVEN,
        "ends_at": day_ends(consent.until),
        "returns": list(consent.returns),
    }


def _delivery_row(planned: Plan, parcel: Planned, consent_id: str, data_key: DataKey, wall: datetime) -> dict[str, Any]:
    connection = parcel.route.connection
    return {
        "id": parcel.delivery_id,
        "share_id": planned.ids.share,
        "consent_id": consent_id,
        "service_id": parcel.route.service.id,
        "connection_id": connection.id,
        "kind": DeliveryKind.SHARE,
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


def accept(tx: Transaction, items: Sequence[Acceptance]) -> list[Acceptance | Kept | HubError]:
    """Keep many acceptances in one transaction; a repeated key answers what it answered before, or is refused.

    Nothing that a caller has been promised is lost: the caller replies only after the commit.
    """
    # In this order: a twin that another process commits in between is then found by its key, not by its reference.
    taken = tx.taken_references([item.plan.ids.reference for item in items])
    kept = tx.kept_replies([(item.partner_id, item.key) for item in items])
    held = tx.held_connections()
    withdrawn = tx.withdrawn_agreements([row["agreement"] for item in items for row in item.rows["consents"]])
    results: list[Acceptance | Kept | HubError] = []
    tables: dict[str, list[Row]] = {}
    first: dict[tuple[str, str], Acceptance] = {}
    used: list[OneTime] = []
    for item, is_first in zip(items, first_times(tx, [item.once for item in items]), strict=True):
        if not is_first:
            results.append(Unauthenticated(REPLAYED))
            continue
        used.append(item.once)
        earlier, twin = kept.get((item.partner_id, item.key)), first.get((item.partner_id, item.key))
        if earlier is not None:
            same = earlier["body"] == item.body
            results.append(Kept(earlier["share_id"], earlier["reply"], earlier["data_key"]) if same else reused())
        elif twin is not None:
            results.append(twin if twin.body == item.body else reused())
        elif item.plan.ids.reference in taken:
            results.append(ReferenceTaken(TAKEN))
            used.pop()  # the same request comes again with another reference: its author's assertion is still good
        elif gone := [row["service_id"] for row in item.rows["consents"] if row["agreement"] in withdrawn]:
            results.append(AgreementWithdrawn(frozenset(gone)))
            used.pop()  # as above
        else:
            first[item.partner_id, item.key] = item
            taken.add(item.plan.ids.reference)
            _gather(tables, item, held)
            results.append(item)
    keep_used(tx, used)
    for name in ("shares", "consents", "consent_events", "deliveries", "clocks", "audit_events", "replies"):
        if tables.get(name):
            tx.insert(name, tables[name])
    for row in tables.get("deliveries", ()):
        tx.nudge(row["connection_id"], [row["id"]])
    return results


def _gather(tables: dict[str, list[Row]], item: Acceptance, held: set[str]) -> None:
    for name, rows in item.rows.items():
        tables.setdefault(name, []).extend(rows)
    for row in item.rows["deliveries"]:
        # Said both ways: a re-run may find the connection mended.
        on_hold = row["connection_id"] in held
        row["state"] = move(None, DeliveryEvent.ACCEPTED_ON_HOLD if on_hold else DeliveryEvent.ACCEPTED)
    share_id = item.plan.ids.share
    tables.setdefault("replies", []).append(
        {
            "partner_id": item.partner_id,
            "key": item.key,
            "body": item.body,
            "share_id": share_id,
            "created_at": item.plan.sent_at,
            "reply": item.data_key.seal(pack(item.receipt), place("replies", "reply", share_id)),
        }
    )


def refuse(tx: Transaction, items: Sequence[Plan]) -> list[None]:
    """Record shares of which nothing may go: one audit event for each service, and no payload (R12)."""
    rows = [
        _audit_refusal(planned, verdict, f"client:{planned.sender.client_id}", share=False)
        for planned in items
        for verdict in planned.refused
    ]
    tx.insert("audit_events", rows)
    return [None for _ in items]


def _audit_refusal(planned: Plan, verdict: Verdict, actor: str, *, share: bool = True) -> dict[str, Any]:
    known = verdict.service_id if verdict.route is not None else "unknown"
    detail = {"service": known, "refusals": [refusal.type for refusal in verdict.refusals]}
    return audited(planned.sent_at, "delivery.refused", actor, planned.ids.share if share else None, None, detail)
