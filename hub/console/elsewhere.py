"""Sign-in by the partnership's own provider: out to it and back, in the one browser that asked."""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.bootstrap import Hub
from hub.console import session
from hub.console.session import hub_of
from hub.console.sign_in import form, next_page
from hub.domain.calendar import london_date
from hub.domain.errors import Forbidden, NotFound
from hub.people import members
from hub.security.single_sign_on import Flow, Identity, NotSignedIn, SingleSignOn
from hub.services.remember import OneTime, remember
from hub.services.session import Refused, refuse_sign_in
from hub.services.withdraw import NOT_FOUND
from hub.web.frame import HEADERS
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: How long somebody may take at the provider.
_LASTS: Final = timedelta(minutes=15)
_NOT_THERE: Final = "You were not signed in. Try again"
_NOBODY: Final = "You are signed in there, but nobody by that name is in this hub. Ask whoever looks after it"


@router.get("/console/sign-in/elsewhere")
async def go(request: Request) -> Response:
    """Lead to the provider; what the two halves share is made from a secret that this browser alone keeps."""
    hub, provider = hub_of(request), _provider(request)
    wanted = next_page(request.query_params.get("next", ""))
    secret = f"{int(hub.now.wall().timestamp())}.{secrets.token_hex(32)}.{_packed(wanted)}"
    reply = RedirectResponse(await provider.begin(_flow(hub, secret)), 303, HEADERS)
    secure = hub.configuration.hub.public_url.startswith("https://")
    lasts = int(_LASTS.total_seconds())
    path = "/" if secure else "/console"
    reply.set_cookie(_cookie(hub), secret, lasts, path=path, secure=secure, httponly=True, samesite="lax")
    return reply


@router.get("/console/sign-in/return")
async def come_back(request: Request) -> Response:
    """Begin a session for whom the provider signed in, if they are one of the partnership's people; once for a flow."""
    hub, provider = hub_of(request), _provider(request)
    secret = request.cookies.get(_cookie(hub), "")
    try:
        flow = await _used_once(hub, secret)
        identity = await provider.finish(flow, dict(request.query_params), hub.now.wall())
        person = _person(hub, identity)
        began = await session.begin(request, person, "elsewhere")
    except NotSignedIn as error:
        await hub.writer.run(refuse_sign_in, Refused("", error.why, hub.now.wall()))
        reply = form(request, "", wrong=_NOBODY if error.why == "nobody" else _NOT_THERE)
    except Forbidden:  # disabled, and written down
        reply = form(request, "", wrong=_NOBODY)
    else:
        reply = RedirectResponse(_wanted(secret), 303, HEADERS)
        session.keep(reply, hub, began)
    secure = hub.configuration.hub.public_url.startswith("https://")
    path = "/" if secure else "/console"
    reply.delete_cookie(_cookie(hub), path=path, secure=secure, httponly=True, samesite="lax")
    return reply


def _provider(request: Request) -> SingleSignOn:
    """Return the provider; without one there is no such page."""
    provider = hub_of(request).single_sign_on
    if provider is None:
        raise NotFound(NOT_FOUND)
    return provider


async def _used_once(hub: Hub, secret: str) -> Flow:
    """Return the flow of this browser, now used up; raises `NotSignedIn` for none, one that is old, or one used."""
    began, wall = secret.partition(".")[0], hub.now.wall()
    if not began.isdigit() or len(began) > 12:
        raise NotSignedIn("no-flow")
    if not timedelta(0) <= timedelta(seconds=wall.timestamp() - int(began)) + timedelta(seconds=1) <= _LASTS:
        raise NotSignedIn("flow-over")
    flow = _flow(hub, secret)
    once = OneTime("sign-on", hub.vault.digest("sign-on-once", flow.state), wall + _LASTS)
    if not await hub.writer.run(remember, once):
        raise NotSignedIn("flow-used")
    return flow


def _person(hub: Hub, identity: Identity) -> str:
    """Return the one person whom an identity is: by the provider's own name of them, or a checked address."""
    today = london_date(hub.now.business())
    here = [each for each in members(hub.configuration.partnership).values() if each.is_here(today)]
    by_subject = [each.id for each in here if each.subject and each.subject == identity.subject]
    # Whom the partnership's file names by subject is known by nothing else.
    unnamed = [each for each in here if not each.subject]
    by_email = [each.id for each in unnamed if identity.email and each.email.strip().lower() == identity.email]
    found = by_subject or by_email
    if len(found) != 1:
        raise NotSignedIn("nobody")
    return found[0]


def _flow(hub: Hub, secret: str) -> Flow:
    return Flow.of(secret, hub.vault.digest)


def _cookie(hub: Hub) -> str:
    return "__Host-hub-flow" if hub.configuration.hub.public_url.startswith("https://") else "hub_flow"


def _packed(wanted: str) -> str:
    return base64.urlsafe_b64encode(wanted.encode()).decode().rstrip("=")


def _wanted(secret: str) -> str:
    packed = secret.rpartition(".")[2]
    try:
        return next_page(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return next_page("")
