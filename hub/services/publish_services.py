"""Publish services: the partnership's own as Open Referral UK 3.0 has them, for any directory to read (R58)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hub.domain.precondition import Age
from hub.domain.route import Directory, Route
from hub.services.list_services import limits


def publish_services(directory: Directory, page: int, per_page: int) -> dict[str, Any]:
    """Return one page of services, numbered from 1, with the standard's own fields alone.

    Confidential services are in no page, and nobody is named: no e-mail address, no worker. To be listed is no
    permission to send (TH20).
    """
    routes = [
        route
        for service in sorted(directory.services.values(), key=lambda each: each.id)
        if not service.confidential and (route := directory.route(service.id)) is not None
    ]
    pages = max(1, -(-len(routes) // per_page))
    shown = routes[(page - 1) * per_page : page * per_page]
    return {
        "total_items": len(routes),
        "total_pages": pages,
        "page_number": page,
        "size": len(shown),
        "first_page": page == 1,
        "last_page": page >= pages,
        "empty": not shown,
        "contents": [_described(directory, route) for route in shown],
    }


def _described(directory: Directory, route: Route) -> dict[str, Any]:
    service, partner = route.service, directory.partners[route.service.partner]
    return {
        "id": _id(directory, "service", service.id),
        "name": service.name,
        "description": " ".join(_sentences(route)),
        "status": "active",
        **_ages(route),
        "assured_date": route.agreement.agreed_on.isoformat(),
        "alert": route.agreement.duties,
        "organization": {
            "id": _id(directory, "organisation", partner.id),
            "name": partner.name,
            "description": "It is in this partnership.",
        },
    }


def _sentences(route: Route) -> Iterator[str]:
    """Say what it acts on, where, and what is asked first; the standard has no field for a gate."""
    service = route.service
    yield f"It can act on: {', '.join(service.purposes)}."
    yield f"It works in {service.area}." if service.area else "It works everywhere in this partnership."
    for gate in service.gates:
        yield f"Asked first: {gate.title}."
    yield from limits(route)
    yield "To be listed is no permission to send."


def _ages(route: Route) -> dict[str, int]:
    """Return the youngest and oldest that every gate lets by."""
    asked = [each for gate in route.gates for each in gate.preconditions if isinstance(each, Age)]
    least = [each.at_least for each in asked if each.at_least is not None]
    most = [each.at_most for each in asked if each.at_most is not None]
    return ({"minimum_age": max(least)} if least else {}) | ({"maximum_age": min(most)} if most else {})


def _id(directory: Directory, kind: str, name: str) -> str:
    """Return a UUID that stays the same as long as the partnership calls it the same."""
    return str(uuid5(NAMESPACE_URL, f"urn:trusted-person-hub:{directory.partnership}:{kind}:{name}"))
