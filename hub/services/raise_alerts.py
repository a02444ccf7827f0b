"""Raise alerts: each with whoever has it from then on, and a notice to those who hear of it (R44, R50)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from os import urandom
from typing import Any

from hub.domain.alert import AlertKind, AlertState, recipients
from hub.domain.answer import Level
from hub.domain.calendar import WorkingCalendar, london_date
from hub.domain.ladder import (
    Role,
    Step,
    calendar_of,
    first,
    idle_at,
    passes_on_at,
    priority,
    rank,
    steps,
)
from hub.domain.route import Champion, Directory
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import notice_row


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an alert is raised: `row` is its clock's or its delivery's, with ids, whose it is, and how it presses."""

    row: Row
    level: Level
    kind: AlertKind
    due_at: datetime
    topic: str = ""  #: of the case system's webhook; none where it hears another way


@dataclass
class Hands:
    """Who is there to hold an alert at one moment, worked out once for each partner, service and kind of haste."""

    directory: Directory
    calendar: WorkingCalendar
    now: datetime
    away: Collection[str]
    _held: dict[tuple[str, str, bool], tuple[Step, datetime | None]] = field(default_factory=dict)
    _receivers: dict[str, Champion | None] = field(default_factory=dict)

    def ladder(self, partner_id: str, service_id: str) -> tuple[Step, ...]:
        """Return the ladder of a share's sender, without who would be alerted about themselves."""
        service = self.directory.services.get(service_id)
        return steps(self.directory, partner_id, service.answered_by if service else "")

    def first(self, partner_id: str, service_id: str, *, urgent: bool) -> tuple[Step, datetime | None]:
        """Return who has it, and when it goes to the next unless they open it."""
        key = (partner_id, service_id, urgent)
        if key not in self._held:
            step = first(self.ladder(partner_id, service_id), self.now, self.away)
            self._held[key] = step, self.passes_on_at(step, urgent=urgent)
        return self._held[key]

    def passes_on_at(self, step: Step, *, urgent: bool) -> datetime | None:
        """Return when it goes on from somebody who has it from now; from the operator it goes nowhere."""
        if step.role is Role.OPERATOR:
            return None
        return passes_on_at(self.now, calendar_of(step.person, self.directory, self.calendar), urgent=urgent)

    def idle_at(self, person: Champion) -> datetime:
        """Return when it goes up from somebody who does nothing from now on."""
        return idle_at(self.now, calendar_of(person, self.directory, self.calendar))

    def receiver(self, service_id: str) -> Champion | None:
        """Return who hears of it for the service: its champion or who stands in for them; nobody about themselves."""
        if service_id not in self._receivers:
            route = self.directory.route(service_id)
            step = first(self.ladder(route.receiver.id, service_id), self.now, self.away) if route else None
            self._receivers[service_id] = step.person if step and step.role is not Role.OPERATOR else None
        return self._receivers[service_id]


def hands(tx: Transaction, directory: Directory, calendar: WorkingCalendar, now: datetime) -> Hands:
    """Return who is there, as of business time."""
    return Hands(directory, calendar, now, tx.people_away(london_date(now)))


def raise_alerts(tx: Transaction, causes: Sequence[Cause], who: Hands, wall: datetime) -> int:
    """Raise each alert that was not raised before; returns how many are new.

    A delivery that somebody has in hand stays with them, and they alone hear of it on the sender's side.
    """
    if not causes:
        return 0
    ids = list({cause.row["delivery_id"] for cause in causes})
    known, in_hand = tx.known_alerts(ids), tx.held_alerts(ids)
    alerts: list[Row] = []
    notices: list[Row] = []
    audit: list[Row] = []
    for cause in causes:
        row = cause.row
        identity = (row["delivery_id"], int(cause.level), str(cause.kind))
        if identity in known:
            continue
        known.add(identity)
        alert, step = _alert(cause, in_hand.get(row["delivery_id"]), who)
        alerts.append(alert)
        notices += _notices(cause, alert["id"], step, who, wall)
        detail = {"level": int(cause.level), "kind": cause.kind, "holder": alert["holder"], "alert": alert["id"]}
        audit.append(audited(who.now, "alert.raised", "hub:clock", row["share_id"], row["delivery_id"], detail))
    tx.insert("alerts", alerts)
    tx.insert("notices", notices)
    tx.insert("audit_events", audit)
    if notices:
        tx.nudge_notices()
    return len(alerts)


def _alert(cause: Cause, in_hand: Row | None, who: Hands) -> tuple[dict[str, Any], Step]:
    row, now = cause.row, who.now
    step, look_at = _operators(who) if _is_operators(cause) else who.first(
        row["partner_id"], row["service_id"], urgent=row["urgent"] or row["safety"]
    )  # fmt: skip
    alert = {
        "id": urandom(16).hex(),
        "delivery_id": row["delivery_id"],
        "level": int(cause.level),
        "kind": cause.kind,
        "raised_at": now,
        "state": AlertState.OPEN,
        "partner_id": row["partner_id"],
        "service_id": row["service_id"],
        "rank": rank(cause.kind, cause.level),
        "priority": int(priority(cause.kind, safety=row["safety"], urgent=row["urgent"])),
        "due_at": cause.due_at,
        "holder": step.person.id,
        "role": step.role,
        "held_since": now,
        "acted_at": now,
        "look_at": None if cause.kind is AlertKind.EARLY else look_at,
        "opened_at": None,
        "taken_by": None,
        "taken_at": None,
        "snoozed_until": None,
    }
    if in_hand is None or in_hand["role"] == Role.OPERATOR or _is_operators(cause):
        return alert, step
    if in_hand["kind"] == AlertKind.EARLY and in_hand["taken_by"] is None:
        return alert, step
    kept = {name: in_hand[name] for name in _IN_HAND}
    holder = next((each for each in who.directory.people() if each.id == in_hand["holder"]), step.person)
    look_at = in_hand["look_at"] or (who.idle_at(holder) if kept["taken_by"] else alert["look_at"])
    look_at = None if cause.kind is AlertKind.EARLY else look_at
    return alert | kept | {"look_at": look_at}, Step(Role(in_hand["role"]), holder)


#: What a later alert of the same delivery has from the one before it.
_IN_HAND = ("holder", "role", "held_since", "acted_at", "opened_at", "taken_by", "taken_at", "snoozed_until")


def _is_operators(cause: Cause) -> bool:
    """What the partner's endpoint has not taken in time is a matter of the machines at first (R43)."""
    return cause.kind is AlertKind.UNDELIVERED and cause.level is Level.L1


def _operators(who: Hands) -> tuple[Step, datetime | None]:
    return Step(Role.OPERATOR, who.directory.operator), None


def _notices(cause: Cause, alert_id: str, step: Step, who: Hands, wall: datetime) -> Iterable[Row]:
    row = cause.row
    ids = {"share_id": row["share_id"], "delivery_id": row["delivery_id"], "alert_id": alert_id}
    if cause.kind in (AlertKind.UNDELIVERED, AlertKind.UNANSWERED):
        told = recipients(
            cause.kind,
            cause.level,
            sender_champion=step.person,
            receiver_champion=who.receiver(row["service_id"]),
            operator=who.directory.operator,
            late=cause.level is Level.L0,
        )
    else:
        told = (step.person,)
    pressing = bool(row["urgent"] or row["safety"])
    topic = f"alert.{cause.kind}"
    notices = [notice_row("email", topic, person.id, wall, **ids, pressing=pressing) for person in told]
    if cause.topic:
        notices.append(notice_row("webhook", cause.topic, row["client_id"], wall, **ids))
    return notices
