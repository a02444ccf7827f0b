"""Follow-up: what waits for somebody, late and safety first, a page at a time; its address is the filter (R44)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from hub.console.alert_filter import LATE, SHOWN, WHOSE, Chosen, organisations, read_filter, read_place, services
from hub.console.alert_words import PRESSES, lateness, next_step, partner_name, service_name, who_has
from hub.console.frame import page
from hub.console.session import hub_of
from hub.console.signed_in import Role, audited_read, require, signed_in
from hub.domain.alert_list import AlertLine, AlertPage
from hub.domain.ladder import Priority, Scope, scope
from hub.domain.mute_alert import is_muted, muted_line
from hub.domain.route import Directory
from hub.store.read_follow_up import follow_up, how_many
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: Lines on a page: with this many it stays under 50 kB.
PAGE: Final = 40
_COUNTED: Final[dict[Priority, str]] = {
    Priority.SAFETY: "about safety",
    Priority.URGENT: "urgent",
    Priority.OTHER: "others",
    Priority.EARLY: "early words",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One alert as the list shows it: a reference and plain words, nothing of the person or their story."""

    id: str
    reference: str
    presses: str
    service: str
    sender: str
    late: str
    has: str
    next: str


@router.get("/console/follow-up")
async def show(request: Request) -> Response:
    """Show what this person may see of what waits."""
    person = await signed_in(request)
    require(person, Role.CHAMPION, Role.COORDINATOR, Role.NETWORK_MANAGER)
    hub = hub_of(request)
    reader = scope(hub.directory, person.person)
    chosen = read_filter(request.query_params, reader, hub.directory)
    after = read_place(request.query_params)
    found = await hub.read(follow_up, reader, chosen.filter, after, PAGE)
    counted = await hub.read(how_many, reader, chosen.filter)
    await audited_read(hub, person, "alerts.listed", [each.id for each in found.lines])
    listed = Listed(found, counted, chosen, reader, person.person, is_first=after is None)
    return page(request, person, "follow_up.html", title="Follow-up", **said(listed, hub.directory, hub.now.business()))


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list as it was read: for whom, and under which filter."""

    found: AlertPage
    counted: Mapping[Priority, int]
    chosen: Chosen
    reader: Scope
    me: str
    is_first: bool


def said(listed: Listed, directory: Directory, now: datetime) -> dict[str, Any]:
    """Return what the page of a list says."""
    found, chosen = listed.found, listed.chosen
    return {
        "lines": [_line(each, listed, directory, now) for each in found.lines if _fits(each, chosen, directory)],
        "counted": _counted(listed.counted),
        "total": sum(listed.counted.values()),
        "chosen": chosen,
        "first": chosen.address(),
        "is_first": listed.is_first,
        "next": chosen.address(found.next) if found.next else "",
        "states": [(word, label, replace(chosen, show=word).address()) for word, label in SHOWN.items()],
        "choices": _choices(chosen, listed.reader, directory),
    }


def _line(line: AlertLine, listed: Listed, directory: Directory, now: datetime) -> Line:
    shown = muted_line(line) if is_muted(line, directory) else line
    return Line(
        id=line.id,
        reference=line.reference,
        presses=PRESSES[line.priority],
        service=service_name(line.service_id, directory),
        sender=partner_name(line.partner_id, directory),
        late=lateness(shown, now),
        has=who_has(shown, directory, listed.me),
        next=next_step(shown, listed.me, leads=line.partner_id in listed.reader.leads),
    )


def _fits(line: AlertLine, chosen: Chosen, directory: Directory) -> bool:
    """What is muted is not found by what it may not tell: that it was answered, and how (R21)."""
    _, kind, level = LATE[chosen.late]
    if kind is None or not is_muted(line, directory):
        return True
    shown = muted_line(line)
    return shown.kind is kind and level in {None, shown.level}


def _counted(counted: Mapping[Priority, int]) -> str:
    """How many there are, by how they press: "2 about safety, 14 others"; nothing where none presses more."""
    if not set(counted) - {Priority.OTHER}:
        return ""
    return ", ".join(f"{counted[each]:,} {words}" for each, words in _COUNTED.items() if counted.get(each))


def _choices(chosen: Chosen, reader: Scope, directory: Directory) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """What the list can be narrowed by: name, label, what there is, and what is chosen; one alone is no choice."""
    late = [(word, label) for word, (label, _, _) in LATE.items()]
    found = [
        ("whose", "Who is on it", list(WHOSE.items()), chosen.whose),
        ("late", "What is late", late, chosen.late),
        ("organisation", "Sent by", [("", "Anybody"), *organisations(reader, directory)], chosen.organisation),
        ("service", "Service", [("", "Any"), *services(directory)], chosen.service),
    ]
    return [each for each in found if len(each[2]) > 2]
