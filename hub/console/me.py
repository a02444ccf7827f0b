"""My account: as what somebody is signed in, and how to be signed out everywhere."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.console.frame import page
from hub.console.signed_in import signed_in
from hub.people import Role
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_ROLES: Final = {
    Role.CHAMPION: "a champion",
    Role.COORDINATOR: "a coordinator",
    Role.NETWORK_MANAGER: "a network manager",
    Role.PRIVACY_OFFICER: "a privacy officer",
}


@router.get("/console/me")
async def me(request: Request) -> Response:
    """Show as what this person is signed in."""
    person = await signed_in(request)
    roles = [words for role, words in _ROLES.items() if role in person.roles]
    return page(request, person, "me.html", title="My account", roles=roles)
