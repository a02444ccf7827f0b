"""What may be chosen on an alert's screen: the acts that are open to its reader, and what each can be done with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from hub.console.alert_words import ROLES
from hub.console.timeline import ANSWERS
from hub.domain.alert import AlertKind
from hub.domain.alert_list import AlertView
from hub.domain.answer import AnswerState
from hub.domain.barrier import Cause
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.ladder import Priority, Role, Scope, steps, there
from hub.domain.route import Directory

_SILENCE: Final = {
    AlertKind.UNANSWERED: "Nobody answers in time",
    AlertKind.UNDELIVERED: "Nothing gets through to them in time",
}
#: So many doors at most, the most met first: a form is no report.
_DOORS: Final = 6


@dataclass(frozen=True, slots=True)
class Choices:
    """Which acts are open, by the name of each form, and the choices in those that have their own."""

    acts: frozenset[str]
    steps: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    doors: Mapping[str, str] = field(default_factory=dict)


def choices(  # noqa: PLR0913 - what an alert may be acted on by
    view: AlertView,
    reader: Scope,
    directory: Directory,
    now: datetime,
    away: Collection[str],
    counted: Collection[Mapping[str, Any]],
    *,
    muted: bool,
    over: bool,
) -> Choices:
    """Return what this reader may do now; `counted` are the doors that were met at its service."""
    line = view.line
    leads = line.partner_id in reader.leads
    answered = line.answer_state != AnswerState.AWAITED
    after = {"learn"} | ({"win"} if leads and answered and line.delivery_kind == DeliveryKind.SHARE else set())
    if over:
        return Choices(frozenset(after))
    acts = {"take"} | after
    if not leads:
        return Choices(frozenset(acts))
    acts |= {"hear", "close", "offer", "barrier", "escalate"}
    if line.delivery_state == DeliveryState.DELIVERED:
        acts.add("nudge")
    if line.delivery_state == DeliveryState.DEAD_LETTERED and line.delivery_kind == DeliveryKind.SHARE:
        acts.add("resend")
    if line.priority is not Priority.SAFETY:
        acts.add("snooze")
    found = Choices(
        frozenset(acts),
        _steps(view, directory, now, away),
        _services(view, directory),
        _doors(view, counted, muted=muted),
    )
    empty = {"escalate": found.steps, "offer": found.services, "barrier": found.doors}
    return Choices(found.acts - {name for name, some in empty.items() if not some}, found.steps, found.services,
                   found.doors)  # fmt: skip


def _steps(view: AlertView, directory: Directory, now: datetime, away: Collection[str]) -> dict[str, str]:
    """Who is there to hand it to, from the next step up; the hub's operator can move nothing, and is no choice."""
    service = directory.services.get(view.line.service_id)
    ladder = steps(directory, view.line.partner_id, service.answered_by if service else "")
    present = there(ladder, now, away)
    ids = [step.person.id for step in ladder]
    held_at = ids.index(view.line.holder) if view.line.holder in ids else -1
    others = [step for step in present if step.role is not Role.OPERATOR and step.person.id != view.line.holder]
    others.sort(key=lambda step: (ids.index(step.person.id) < held_at, ids.index(step.person.id)))
    return {str(step.role): f"{step.person.name} ({ROLES[step.role]})" for step in others}


def _services(view: AlertView, directory: Directory) -> dict[str, str]:
    found = [
        (each.name, each.id)
        for each in directory.services.values()
        if each.id != view.line.service_id and not each.confidential and directory.route(each.id) is not None
    ]
    return {service_id: name for name, service_id in sorted(found)}


def _doors(view: AlertView, counted: Collection[Mapping[str, Any]], *, muted: bool) -> dict[str, str]:
    """What shows a shut door here: this silence, and what was counted of its service; no answer that is muted (R21)."""
    doors = {}
    if view.line.kind in _SILENCE:
        doors[f"{Cause.SILENCE}:{view.line.kind}"] = _SILENCE[view.line.kind]
    met: dict[str, int] = {}
    for each in counted:
        if not muted and each["service_id"] == view.line.service_id and each["cause"] != Cause.SILENCE:
            met[f"{each['cause']}:{each['name']}"] = met.get(f"{each['cause']}:{each['name']}", 0) + int(each["met"])
    for door in sorted(met, key=lambda word: (-met[word], word))[:_DOORS]:
        cause, _, name = door.partition(":")
        doors[door] = door_words(cause, name)
    return doors


def door_words(cause: str, name: str) -> str:
    """Return a shut door in plain words: "The service said no: no local connection"."""
    if cause == Cause.GATE:
        return f"What must hold first: {name.replace('-', ' ')}"
    state, _, code = name.partition("/")
    said = ANSWERS.get(state, "The service said no")
    return f"{said}: {code.replace('-', ' ')}" if code and code != "no-code" else said
