"""The frame of every screen: what stands around it, where one can go from it, and what its forms posted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from hub.console.session import hub_of
from hub.console.signed_in import SignedIn
from hub.people import Role
from hub.web.frame import Frame
from hub.web.posted import read_form, require_token
from hub.web.style import STYLE

CONSOLE: Final = Frame("hub.console")
_ALL: Final = frozenset(Role)
_FOLLOW_UP: Final = _ALL - {Role.PRIVACY_OFFICER}


@dataclass(frozen=True, slots=True)
class Place:
    """One of the places that every screen leads to: its path, its name, and for whom it is."""

    path: str
    label: str
    roles: frozenset[Role] = _ALL


#: In their order. A place is shown once its screen is among the routes.
NAVIGATION: Final = (
    Place("/console/follow-up", "Follow-up", _FOLLOW_UP),
    Place("/console/barriers", "Barriers"),
    Place("/console/good-sharing", "Good sharing"),
    Place("/console/learning", "Learning"),
    Place("/console/cover", "My cover", _FOLLOW_UP),
    Place("/console/me", "My account"),
)


def places(request: Request, person: SignedIn) -> tuple[Place, ...]:
    """Return where this person can go."""
    there = request.app.state.console_paths
    return tuple(each for each in NAVIGATION if each.path in there and not each.roles.isdisjoint(person.roles))


def page(request: Request, person: SignedIn, template: str, status: int = 200, **said: Any) -> HTMLResponse:
    """Return a screen made of a template of the console's, which extends `console.html`, and of what it says.

    The template finds who is signed in under `person`, and for its forms `form_token`; `status` is 422 for a form that
    is shown again.
    """
    about = {"style": STYLE, "person": person, "form_token": person.form_token, "here": request.url.path}
    return CONSOLE.page(template, status, places=places(request, person), **(about | said))


def stranger_page(template: str, status: int = 200, **said: Any) -> HTMLResponse:
    """Return a page for whoever is not signed in."""
    return CONSOLE.page(template, status, style=STYLE, **said)


async def posted(request: Request, person: SignedIn) -> Mapping[str, str]:
    """Return what a form of this person's posted; raises `Forbidden` for one of another site, session or person."""
    form = await read_form(request, hub_of(request).configuration.hub.public_url)
    require_token(form, person.form_token)
    return form
