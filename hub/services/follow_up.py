"""Follow up: make a delivery that speaks of an earlier one: what follows a share by the way it went (R15, R41, R64)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from hub.domain.answer import AnswerState
from hub.domain.calendar import WorkingCalendar, london_date
from hub.domain.delivery import DeliveryEvent, DeliveryKind, move
from hub.domain.errors import HubError, Undecipherable
from hub.domain.route import Directory, Route
from hub.services.carried import carried
from hub.services.pack import pack, place, unpack
from hub.services.ports import DataKey, Mappings, Row, Transaction, Vault, audited
from hub.services.set_clocks import SetClock, clock_rows, reply_by, set_clocks


@dataclass(frozen=True, slots=True)
class Wanted:
    """A follow-up to make: `number` tells it from others of its kind, `actor` is whose doing it is.

    `after` is the delivery that must be over before this one is claimed; `answer` is what a copy of what was heard
    tells. `sections` are what it may show of the story, by category; `about` is said of the delivery itself. `unnamed`
    says that no worker is to be named any more, whatever the share said (R11).
    """

    original: Row
    kind: DeliveryKind
    number: int | str
    after: str
    business: datetime
    wall: datetime
    actor: str
    answer: Mapping[str, str] | None = None
    sections: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    unnamed: bool = False

    @property
    def bare(self) -> bool:
        """Whether it only takes back what went: a request to stop, or a correction that shows nothing new (R15)."""
        takes_back = self.kind is DeliveryKind.PLEASE_STOP_USING or "note" in self.about
        return takes_back and not self.sections and self.answer is None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A follow-up's rows, ready to be queued."""

    delivery: dict[str, Any]
    clocks: list[dict[str, Any]]
    audit: Row
    body: bytes
    due: datetime


def last_of(tx: Transaction, row: Row, kind: DeliveryKind) -> tuple[int, str]:
    """Return how many of a kind follow a delivery that is locked, and the id that the next one goes behind."""
    found = tx.follow_ups(row["share_id"], row["id"], kind)
    before = {each["after"] for each in found}
    ends = [each["id"] for each in found if each["id"] not in before]
    return len(found), ends[-1] if ends else row["id"]


def follow_up_id(original: Row, kind: DeliveryKind, number: int | str) -> str:
    """Return the id of a follow-up, the same on every re-run."""
    return uuid5(_key(original, kind, number), "delivery").hex


def _key(original: Row, kind: DeliveryKind, number: int | str) -> UUID:
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
            body = mapper.run({**frame, "story": {}, **_told(wanted, frame)})
        except (HubError, Undecipherable, LookupError):
            return None
        delivery = _delivery(wanted, data_key, frame, body, mapper.content_type)
        return FollowUp(
            delivery,
            clock_rows(delivery["id"], clocks),
            _audit(wanted, delivery["id"], len(body)),
            body,
            reply_by(clocks),
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
    one = frame["trusted_person"]
    unnamed = {"trusted_person": {**one, "name": one["contact"]["role"], "unnamed": True}} if wanted.unnamed else {}
    return frame | {
        **unnamed,
        **carried(wanted.sections),
        "delivery": {
            "key": str(_key(original, wanted.kind, wanted.number)),
            "case": original["case"],
            "kind": str(wanted.kind),
            "reply_by": due.isoformat(timespec="seconds"),
            "reply_on": london_date(due).isoformat(),
            "follows": original["key"],
            "sent_at": wanted.business.isoformat(timespec="seconds"),
            "sent_on": london_date(wanted.business).isoformat(),
            **wanted.about,
        },
    }


def _told(wanted: Wanted, frame: Mapping[str, Any]) -> dict[str, Any]:
    """What it tells beside the frame; where no worker is named, their role stands for whom they are (R11)."""
    one, sections, answer = frame["trusted_person"], wanted.sections, wanted.answer
    if one.get("unnamed"):
        role = one["contact"]["role"]
        sections = {name: [_observed_by(role, each) for each in every] for name, every in sections.items()}
        answer = answer and {**answer, "told_to": role}
    return {"section": sections, **({} if answer is None else {"answer": answer})}


def _observed_by(role: str, section: Mapping[str, Any]) -> dict[str, Any]:
    said = section["said"]
    return {**section, "said": {**said, "by": role} if said.get("how") == "observed" else said}


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
        "bare": wanted.bare,
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
