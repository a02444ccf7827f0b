"""Sign-in and sign-out: a name, a password and an app's code; and the way back to what was asked for."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import session
from hub.console.frame import places, posted, stranger_page
from hub.console.proof import Proved, Unproved, prove
from hub.console.session import hub_of
from hub.console.signed_in import SIGN_IN, signed_in
from hub.domain.errors import Forbidden
from hub.web.alike import alike
from hub.web.frame import HEADERS
from hub.web.posted import read_form
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WRONG: Final = "Something you typed is not right. Check it, and try again"
TOO_MANY: Final = "There were too many tries. Wait a quarter of an hour, then try again"
_HOME: Final = "/console"


@router.get(SIGN_IN)
async def ask(request: Request) -> Response:
    """Ask who it is; somebody who is signed in goes on at once."""
    if await session.session_of(request) is not None:
        return RedirectResponse(next_page(request.query_params.get("next", "")), 303, HEADERS)
    return form(request, request.query_params.get("next", ""))


@router.post(SIGN_IN)
async def enter(request: Request) -> Response:
    """Begin a session for whoever proves who they are; what was wrong is not said, nor whether there is such a name."""
    hub = hub_of(request)
    said = await read_form(request, hub.configuration.hub.public_url)
    wanted, name = said.get("next", ""), said.get("name", "")
    if not hub.configuration.hub.takes_passwords:
        return form(request, wanted)
    found = await alike(prove(request, name, said.get("password", ""), said.get("code", "")))
    if isinstance(found, Unproved):
        return form(request, wanted, name, TOO_MANY if found.too_many else WRONG)
    return await begun(request, found, wanted, name)


async def begun(request: Request, found: Proved, wanted: str, name: str) -> Response:
    """Begin the session of somebody who proved who they are, and lead on."""
    try:
        secret = await session.begin(request, found.person, "password", name=found.name, step=found.step)
    except Forbidden:
        return form(request, wanted, name, WRONG)
    reply = RedirectResponse(next_page(wanted), 303, HEADERS)
    session.keep(reply, hub_of(request), secret)
    return reply


@router.post("/console/sign-out")
async def leave(request: Request) -> Response:
    """End this session, or every one of this person."""
    person = await signed_in(request)
    said = await posted(request, person)
    living, hub = await session.session_of(request), hub_of(request)
    everywhere = said.get("everywhere") == "yes"
    if living is not None:
        await session.end(hub, living, everywhere=everywhere)
    reply = RedirectResponse("/console/signed-out", 303, HEADERS)
    session.drop(reply, hub)
    return reply


@router.get("/console/signed-out")
async def left(request: Request) -> Response:  # noqa: ARG001 - whoever it was
    """Say that nobody is signed in here any more."""
    return stranger_page("signed_out.html", title="You are signed out")


@router.get(_HOME)
async def home(request: Request) -> Response:
    """Lead to the first place that this person can go to."""
    person = await signed_in(request)
    return RedirectResponse(places(request, person)[0].path, 303, HEADERS)


def form(request: Request, wanted: str, name: str = "", wrong: str = "") -> Response:
    """Return the sign-in page, which goes on to what was `wanted`; `wrong` says what to do."""
    hub = hub_of(request)
    settings, onward = hub.configuration.hub, next_page(wanted)
    about = {"title": "Sign in", "next": onward if onward == wanted else "", "name": name, "wrong": wrong}
    ways = {"passwords": settings.takes_passwords, "asks_for_app": settings.asks_for_app}
    elsewhere = settings.sign_in.name if hub.single_sign_on is not None else ""
    return stranger_page("sign_in.html", 403 if wrong else 200, elsewhere=elsewhere, **ways, **about)


def next_page(wanted: str) -> str:
    """Return what was asked for before, if it is a page of the console; anything else is the first one."""
    parts = urlsplit(wanted)
    own = wanted.startswith("/console/") and not parts.scheme and not parts.netloc and "\\" not in wanted
    return wanted if own and wanted.isprintable() and not parts.path.startswith(SIGN_IN) else _HOME
