"""List services: who can act on a need in an area, what each asks for, and whom to ask where nobody can (R24, R58)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.domain import gate
from hub.domain.clock import AgreedWindow, in_force
from hub.domain.gate import Gate
from hub.domain.precondition import NeverDirect, Referrer
from hub.domain.route import Directory, Partner, Route
from hub.domain.share import Category, HandlingLine


def list_services(directory: Directory, partner: Partner, need: str = "", area: str = "") -> dict[str, Any]:
    """Return the services that this partner may pick from; nothing is sent by asking.

    With a `need` (a purpose) or an `area` only those that are eligible: they act on it, there, and take what this
    partner sends. A service without an area acts everywhere. Where there is none it says so, with whom to ask (R56).
    """
    asked = bool(need or area)
    listed = [
        _described(directory, route, partner)
        for route in _routes(directory)
        if not asked or _is_eligible(route, partner, need, area)
    ]
    if listed:
        return {"services": listed}
    return {"services": [], "none": _nobody(partner)}


def _routes(directory: Directory) -> Iterator[Route]:
    for service in directory.services.values():
        route = directory.route(service.id)
        if route is not None and not service.confidential:
            yield route


def _is_eligible(route: Route, partner: Partner, need: str, area: str) -> bool:
    service = route.service
    return (
        (not need or need in service.purposes)
        and (not area or service.area in ("", area))
        and not gate.closed(route.gates, partner.id, partner.kind, None)
    )


def _described(directory: Directory, route: Route, partner: Partner) -> dict[str, Any]:
    service = route.service
    shut = gate.closed(route.gates, partner.id, partner.kind, None)
    return {
        "id": service.id,
        "name": service.name,
        "organisation": directory.partners[service.partner].name,
        "purposes": service.purposes,
        "area": service.area,
        "phone": service.phone,
        "can_receive": sorted(str(each) for each in route.connection.accepts),
        "asks_for": sorted({name for each in route.gates for name in each.facts}),
        "gates": [_gate(each) for each in route.gates],
        "you_may_send": not shut,
        "instead": [each.next_step for each in shut],
        "clocks": _clocks(directory, route),
        "cannot": limits(route),
        "cannot_receive": sorted(str(each) for each in Category if each not in route.connection.accepts),
        "follow_up": f"The champion of {directory.partners[service.partner].name}",
        "waits_for_approval": directory.unchecked(service.id),
        "duties": route.agreement.duties,
        "children": route.agreement.children,
    }


def limits(route: Route) -> list[str]:
    """Return what a service cannot do, each in a sentence: what it says itself, then what its way in cannot carry."""
    connection = route.connection
    found = [*route.service.cannot]
    found += [words for kind, words in _NO_KIND.items() if kind not in connection.kinds]
    if set(HandlingLine) - connection.handling_lines:
        found.append("Their system cannot show every line on how to keep something safe.")
    if not connection.keeps_from:
        found.append("Their system cannot be told which of its workers must not see something.")
    if connection.notifies_person:
        found.append("Their system may write to people by itself, so it is not given a way to reach them.")
    return found


#: By kind of parcel, what somebody has to do by telephone where it cannot be sent.
_NO_KIND = {
    "addendum": "They cannot be sent a later fact: ring them.",
    "correction": "They cannot be sent a correction: ring them.",
    "please_stop_using": "They cannot be asked by their system to stop using something: ring them.",
    "reply": "They cannot be sent an answer to their question: ring them.",
}


def _clocks(directory: Directory, route: Route) -> dict[str, dict[str, Any]]:
    """Return how long each rung may take here, by whom that was agreed and when (R43)."""
    connection = route.connection
    found = in_force(
        route=route.service.windows,
        connection=connection.windows,
        manifest=connection.manifest_windows,
        partnership=directory.windows,
    )
    return {
        name: {level.name: _window(windows[level]) for level in sorted(windows)}
        for name, windows in (("standard", found.standard), ("urgent", found.urgent))
    }


def _window(agreed: AgreedWindow) -> dict[str, Any]:
    window = {name: getattr(agreed.window, name) for name in ("minutes", "working_hours", "working_days")}
    lasts = {name: number for name, number in window.items() if number is not None}
    return {**lasts, "agreed_by": agreed.agreed_by, "agreed_on": agreed.agreed_on.isoformat()}


def _gate(asked: Gate) -> dict[str, Any]:
    return {
        "id": asked.id,
        "title": asked.title,
        "asks": [
            {
                "type": f"{gate.PREFIX}{each.id}",
                "of": "sender" if isinstance(each, Referrer | NeverDirect) else "share",
                "facts": list(gate.asks_for(each)),
                "title": each.title,
                "next_step": each.next_step,
            }
            for each in asked.preconditions
        ],
    }


def _nobody(partner: Partner) -> dict[str, str]:
    champion = partner.champion
    return {
        "title": "No service here can take this yet.",
        "next_step": f"Ask your champion, {champion.name}, on {champion.email}. They will look for a way with you.",
        "tell": "POST /v1/gaps",  # so that the coordinator hears that nobody here can act on it
    }
