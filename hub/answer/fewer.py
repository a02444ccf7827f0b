"""One mail a day: where a reader says so, sees what still comes at once, and goes back; a GET changes nothing."""

from __future__ import annotations

import hmac
import re
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.answer.door import hub_of, page
from hub.bootstrap import Hub
from hub.domain.errors import Malformed, NotFound, Refusal
from hub.services.choose_mail import ChooseMail, choose_mail, may_choose, token_of
from hub.store.read_digest import is_daily
from hub.web.frame import HEADERS
from hub.web.posted import read_form
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_NO_LINK: Final = Refusal(
    "mail-link-not-found", "We cannot find this page.", "Check that you have the whole link from the email."
)
_CHOOSE: Final = Refusal("mail-not-chosen", "Choose how you want these emails.", "Go back, and choose one of the two.")
#: What a mail program posts, once its reader pressed "unsubscribe" (RFC 8058): as a form, or in parts.
_ONE_CLICK: Final = re.compile(rb'List-Unsubscribe(=|"\r?\n\r?\n)One-Click')
#: More bytes than that takes, in parts too.
_MOST: Final = 4_000


@router.get("/mail/{token}")
async def ask(request: Request, token: str) -> Response:
    """Show how this reader has it now, and what still comes at once."""
    hub = hub_of(request)
    person = _person(hub, token)
    return await _shown(hub, token, person)


@router.post("/mail/{token}")
async def choose(request: Request, token: str) -> Response:
    """Keep the choice of a page's form, or of a mail program's one click, which comes from no page and no browser."""
    hub = hub_of(request)
    person = _person(hub, token)
    may = may_choose(hub.directory, person)
    if "origin" not in request.headers and await _is_one_click(request):
        if may:
            await hub.writer.run(choose_mail, ChooseMail(person, daily=True, wall=hub.now.wall()))
        return await _shown(hub, token, person)
    form = await read_form(request, hub.configuration.hub.public_url)
    if form.get("how") not in ("daily", "each"):
        raise Malformed(_CHOOSE)
    if may:
        await hub.writer.run(choose_mail, ChooseMail(person, daily=form["how"] == "daily", wall=hub.now.wall()))
    return RedirectResponse(f"/mail/{token}", 303, HEADERS)


async def _shown(hub: Hub, token: str, person: str) -> Response:
    daily = await hub.read(is_daily, person)
    about = {"token": token, "daily": daily, "may": may_choose(hub.directory, person)}
    return page("fewer.html", {"title": "Emails from the hub"} | about)


async def _is_one_click(request: Request) -> bool:
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > _MOST:
            return False
    return _ONE_CLICK.search(raw) is not None


def _person(hub: Hub, link: str) -> str:
    """Return whose link it is; every one is looked at, so that time tells nothing (TH04)."""
    said = link.encode()
    tokens = {each.id: token_of(hub.vault, each.id).encode() for each in hub.directory.people()}
    found = [person for person, token in tokens.items() if hmac.compare_digest(token, said)]
    if not found:
        raise NotFound(_NO_LINK)
    return found[0]
