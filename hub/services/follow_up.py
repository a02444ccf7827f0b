"""Follow up: make a delivery that speaks of an earlier one, with nothing of the story in it (R15, R64)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from hub.domain.answer import AnswerState
from hub.domain.calendar import WorkingCalendar, london_date
from hub.domain.delivery import DeliveryEvent, DeliveryKind, move
from hub.domain.errors import HubError, Undecipherable
from hub.domain.route import Directory, Route
from hub.services.pack import pack, place, unpack
from hub.services.ports import DataKey, Mappings, Row, Transaction, Vault, audited
from hub.services.set_clocks import SetClock, clock_rows, reply_by, set_clocks


@dataclass(frozen=True, slots=True)
class Wanted:
    """A follow-up to make: `number` counts those of its kind from 0, `actor` is whose doing it is.

    `after` is the delivery that must be over before this one is claimed; `answer` is what a reply tells.
    """

    original: Row
    kind: DeliveryKind
    number: int
    after: str
    business: datetime
    wall: datetime
    actor: str
    answer: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A follow-up's rows, ready to be queued."""

    delivery: dict[str, Any]
    clocks: list[dict[str, Any]]
    audit: Row


def follow_up_id(original: Row, kind: DeliveryKind, number: int) -> str:
    """Return the id of a follow-up, the same on every re-run."""
    return uuid5(_key(original, kind, number), "delivery").hex


def _key(original: Row, kind: DeliveryKind, number: int) -> UUID:
    return uuid5(UUID(original["key"]), f"{kind}|{number}")


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Makes follow-ups from originals as `Transaction.originals` reads them."""

    directory: Directory
    mappings: Mappings
    vault: Vault
    calendar: WorkingCalendar

    def make(self, wanted: Wanted) -> FollowUp | None:
        """Return the follow-up, or None where it cannot be carried and a person must tell the service instead.

        So it is where the connection is gone or does not carry the kind, the share was forgotten, or the mapping that
        the original went by cannot make it: none of these may stop a withdrawal.
        """
        original = wanted.original
        route = self._route(original)
        if route is None or wanted.kind not in route.connection.kinds or original["data_key"] is None:
            return None
        clocks = set_clocks(
            original["ask"], wanted.kind, wanted.business, original["urgent"], route, self.directory, self.calendar
        )
        try:
            data_key = self.vault.unwrap(original["data_key"])
            frame = _frame(wanted, data_key, clocks)
            mapper = self.mappings[original["mapping"]]
            told = {} if wanted.answer is None else {"answer": wanted.answer}
            body = mapper.run({**frame, "section": {}, **told})
        except (HubError, Undecipherable, LookupError):
            return None
        delivery = _delivery(wanted, data_key, frame, body, mapper.content_type)
        return FollowUp(
            delivery,
            clock_rows(delivery["id"], clocks),
            _audit(wanted, delivery["id"], len(body)),
        )

    def _route(self, original: Row) -> Route | None:
        """The way the original went, even where the service has another connection by now."""
        route = self.directory.route(original["service_id"])
        connection = self.directory.connections.get(original["connection_id"])
        return Route(route.service, connection, route.receiver) if route and connection else None


def _frame(wanted: Wanted, data_key: DataKey, clocks: Sequence[SetClock]) -> dict[str, Any]:
    """The original's frame, with a delivery of its own that says which it follows."""
    original = wanted.original
    frame = unpack(data_key.open(original["frame"], place("deliveries", "frame", original["id"])))
    due = reply_by(clocks)
    return frame | {
        "delivery": {
            "key": str(_key(original, wanted.kind, wanted.number)),
            "case": original["case"],
            "kind": str(wanted.kind),
            "reply_by": due.isoformat(timespec="seconds"),
            "reply_on": london_date(due).isoformat(),
            "follows": original["key"],
        }
    }


def _delivery(
    wanted: Wanted, data_key: DataKey, frame: Mapping[str, Any], body: bytes, content_type: str
) -> dict[str, Any]:
    original = wanted.original
    delivery_id = follow_up_id(original, wanted.kind, wanted.number)
    return {
        "id": delivery_id,
        "share_id": original["share_id"],
        "consent_id": original["consent_id"],
        "service_id": original["service_id"],
        "connection_id": original["connection_id"],
        "kind": wanted.kind,
        "after": wanted.after,
        "linked_to": original["id"],
        "state": move(None, DeliveryEvent.ACCEPTED),
        "answer_state": AnswerState.AWAITED,
        "key": frame["delivery"]["key"],
        "case": original["case"],
        "address": original["address"],
        "mapping": original["mapping"],
        "content_type": content_type,
        "parcel_sha256": hashlib.sha256(body).hexdigest(),
        "parcel": data_key.seal(body, place("deliveries", "parcel", delivery_id)),
        "frame": data_key.seal(pack(frame), place("deliveries", "frame", delivery_id)),
        "created_at": wanted.business,
        "due_at": wanted.wall,
        "attempt": 0,
        "counted": 0,
        "deaths": 0,
        "may_have_left": False,
    }


def _audit(wanted: Wanted, delivery_id: str, size: int) -> Row:
    original = wanted.original
    detail = {"service": original["service_id"], "mapping": original["mapping"], "bytes": size}
    detail |= {"kind": str(wanted.kind), "follows": original["id"]}
    return audited(wanted.business, "delivery.accepted", wanted.actor, original["share_id"], delivery_id, detail)


def queue(tx: Transaction, made: Sequence[FollowUp]) -> None:
    """Queue follow-ups in the transaction that they follow from; one for a held connection waits with it."""
    if not made:
        return
    held = tx.held_connections()
    for each in made:
        if each.delivery["connection_id"] in held:
            each.delivery["state"] = move(None, DeliveryEvent.ACCEPTED_ON_HOLD)
    tx.insert("deliveries", [each.delivery for each in made])
    tx.insert("clocks", [clock for each in made for clock in each.clocks])
    tx.insert("audit_events", [each.audit for each in made])
    for each in made:
        tx.nudge(each.delivery["connection_id"], [each.delivery["id"]])
