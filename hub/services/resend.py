"""Re-send what the person agreed to and could not be delivered, unseen: consent and gates are looked at again (R47)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from hub.domain import trusted_person
from hub.domain.answer import AnswerState
from hub.domain.calendar import WorkingCalendar
from hub.domain.consent import ConsentState, ended
from hub.domain.delivery import DeliveryEvent, DeliveryKind, DeliveryState, move
from hub.domain.errors import Conflict, HubError, Refusal
from hub.domain.ladder import CloseReason
from hub.domain.route import Directory, Partner
from hub.domain.share import Section
from hub.services.alert_act import Acting, AlertAct, begin, keep
from hub.services.decide import Sender, decide
from hub.services.keep_trusted_person import opened
from hub.services.pack import pack, place, unpack
from hub.services.ports import DataKey, Row, Transaction, Vault, audited
from hub.services.set_clocks import clock_rows, set_clocks
from hub.services.stop_waiting import stop_waiting
from hub.services.terms import grant, retold

NOT_ENDED: Final = Refusal(
    "still-being-sent",
    "We are still trying to send this, or it is there already.",
    "Wait, or ask the service again. Only what we stopped trying can be sent again.",
)
NO_WAY: Final = Refusal(
    "cannot-send-again",
    "This cannot be sent again from here.",
    "Ask the team that sent it to send it again from its own system.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (NOT_ENDED, NO_WAY)

#: As what a champion acts: a gate that asks for another role stays shut to them (R28).
_ROLE: Final = "champion"


@dataclass(frozen=True, slots=True)
class Resend(AlertAct):
    """Send once more what an alert is about, without showing it."""


def resend(
    tx: Transaction,
    items: Sequence[Resend],
    *,
    directory: Directory,
    calendar: WorkingCalendar,
    vault: Vault,
) -> list[HubError | None]:
    """Queue a new delivery of the very same parcel under an id and key of its own, linked to the old one.

    Nobody sees it, and nothing is added. It goes only where everything that let the first one go holds now: consent,
    gates, the choice of trusted person, what the service may see, and the way; and where nothing in it was put right
    since, nor is being checked. The log names both: who sent it, and who sent it again.
    """
    return [_one(tx, item, begin(tx, item, directory, calendar), vault) for item in items]


def _one(tx: Transaction, item: Resend, acting: Acting | HubError, vault: Vault) -> HubError | None:
    if isinstance(acting, HubError):
        return acting
    old = tx.lock_parcel(acting.row["delivery_id"])
    if old is None or old["kind"] != DeliveryKind.SHARE or old["data_key"] is None or old["terms"] is None:
        return Conflict(NO_WAY)
    if old["state"] != DeliveryState.DEAD_LETTERED or tx.follow_ups(old["share_id"], old["id"], old["kind"]):
        return Conflict(NOT_ENDED)
    route = acting.who.directory.route(old["service_id"])
    sender = acting.who.directory.partners.get(old["partner_id"])
    if route is None or sender is None or (route.connection.id, route.connection.mapping) != (
        old["connection_id"], old["mapping"]
    ):  # fmt: skip
        return Conflict(NO_WAY)
    data_key = vault.unwrap(old["data_key"])
    refused = _refusal(tx, old, acting.who.directory, sender, data_key, vault, item.business)
    if refused is not None:
        return Conflict(refused)
    new = _again(old, data_key, item)
    tx.insert("deliveries", [new | {"state": _state(tx, old["connection_id"])}])
    clocks = set_clocks(
        old["ask"], DeliveryKind.SHARE, item.business, old["urgent"], route, acting.who.directory,
        acting.who.calendar, safety=old["safety"],
    )  # fmt: skip
    tx.insert("clocks", clock_rows(new["id"], clocks))
    tx.nudge(old["connection_id"], [new["id"]])
    actor, detail = f"person:{item.person}", {"service": old["service_id"], "follows": old["id"]}
    tx.insert("audit_events", [audited(item.business, "delivery.accepted", actor, old["share_id"], new["id"], detail)])
    closed = {
        "state": "closed", "closed_at": item.business, "closed_by": item.person, "look_at": None,
        "closed_why": CloseReason.SENT_ANOTHER_WAY,
    }  # fmt: skip
    keep(tx, acting, "delivery.resent", closed, {"to": new["id"]})
    stop_waiting(tx, [old["id"]], item.business)
    return None


def _refusal(  # noqa: PLR0913 - what a decision is made of
    tx: Transaction,
    old: Row,
    directory: Directory,
    sender: Partner,
    data_key: DataKey,
    vault: Vault,
    now: datetime,
) -> Refusal | None:
    """Return why it may not go now, the first reason of all: it is decided anew, by kinds of section alone."""
    key = (old["partner_id"], old["trusted_person"], old["person"])
    link = opened(tx.links([key]).get(key), vault)
    if link.not_safe:
        return trusted_person.LOOK_FIRST
    frame = unpack(data_key.open(old["frame"], place("deliveries", "frame", old["id"])))
    kept = unpack(data_key.open(old["sender"], place("shares", "sender", old["share_id"])))
    consent = grant(unpack(data_key.open(old["terms"], place("consents", "terms", old["consent_id"]))))
    over = ended(ConsentState(old["consent_state"]), old["ends_at"], now)
    parts = [Section(f"p-{number}", each["category"], text="-", words_checked=True)
             for number, each in enumerate(frame["told"])]  # fmt: skip
    share = trusted_person.as_chosen(replace(retold(kept, [consent], parts), services=[old["service_id"]]), link)
    (verdict,) = decide(
        share, Sender(sender, "", "", _ROLE), directory, now, {old["service_id"]: over} if over else {}, link
    )
    if verdict.refusals:
        return verdict.refusals[0]
    # The bytes go as they are: nothing in them may have been put right, or be held back by now (R11, R17, R40, R41).
    names_a_worker = link.withhold_author and not kept["head"]["withhold_author"]
    whole = verdict.view is not None and len(verdict.view.sections) == len(parts)
    return NO_WAY if names_a_worker or not whole or tx.was_put_right(old["share_id"]) else None


def _state(tx: Transaction, connection_id: str) -> DeliveryState:
    held = connection_id in tx.held_connections()
    return move(None, DeliveryEvent.ACCEPTED_ON_HOLD if held else DeliveryEvent.ACCEPTED)


def _again(old: Row, data_key: DataKey, item: Resend) -> dict[str, Any]:
    """The old delivery's row with an id and key of its own, which stands wherever the old key did."""
    key = str(uuid5(UUID(old["key"]), "again"))
    delivery_id = uuid5(UUID(key), "delivery").hex
    body = data_key.open(old["parcel"], place("deliveries", "parcel", old["id"]))
    frame = unpack(data_key.open(old["frame"], place("deliveries", "frame", old["id"])))
    body = body.replace(old["key"].encode(), key.encode())
    frame = {**frame, "delivery": {**frame["delivery"], "key": key}}
    same = ("share_id", "consent_id", "service_id", "connection_id", "kind", "bare", "case", "address", "mapping",
            "content_type")  # fmt: skip
    return {
        **{name: old[name] for name in same},
        "id": delivery_id,
        "after": None,
        "linked_to": old["id"],
        "answer_state": AnswerState.AWAITED,
        "key": key,
        "parcel_sha256": hashlib.sha256(body).hexdigest(),
        "parcel": data_key.seal(body, place("deliveries", "parcel", delivery_id)),
        "frame": data_key.seal(pack(frame), place("deliveries", "frame", delivery_id)),
        "created_at": item.business,
        "due_at": item.wall,
        "attempt": 0,
        "counted": 0,
        "deaths": 0,
        "may_have_left": False,
    }
