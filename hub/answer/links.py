"""What a team can do with a link and its devices: have a new one, send one on, end them, forget a device."""

from __future__ import annotations

from typing import Any, Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.answer import device as devices
from hub.answer.door import door, hub_of, own, page, proved
from hub.services.invite import digest_of
from hub.services.renew_link import EndLink, ForwardLink, Renew, end_links
from hub.web.alike import alike
from hub.web.frame import HEADERS
from hub.web.posted import read_form
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_NOT_SENT: Final = {
    "waits": "A link went there a moment ago. Look in that mailbox, or try again in 10 minutes",
    "refused": "Choose one of these mailboxes",
}


@router.post("/answer/{link}/renew")
async def renew(request: Request, link: str) -> Response:
    """Send a new link to the mailbox on file, where there is one: the reply is the same whatever becomes of it."""
    hub = hub_of(request)
    await read_form(request, hub.configuration.hub.public_url)
    item = Renew(digest_of(hub.vault, link), hub.now.business(), hub.now.wall())
    await alike(hub.writer.run(hub.page_verbs.renew, item))
    return page("renewed.html", {"title": "Look in your team's mailbox"})


@router.get("/answer/{link}/forward")
async def ask_where(request: Request, link: str) -> Response:
    """Ask to which other mailbox of the team a link should go."""
    return await _step(request, link, "forward.html", "Send this to another mailbox of your team")


@router.post("/answer/{link}/forward")
async def forward(request: Request, link: str) -> Response:
    """Send a link to another mailbox of the same team; the e-mail tells as little as the first did."""
    hub = hub_of(request)
    form = await read_form(request, hub.configuration.hub.public_url)
    device, row = await proved(request, link, form)
    if device is None or row is None:
        return door(link, device)
    to, token = form.get("mailbox", ""), digest_of(hub.vault, link)
    item = ForwardLink(token, device.service, to, hub.now.business(), hub.now.wall())
    became = await hub.writer.run(hub.page_verbs.forward, item)
    if became == "sent":
        about = {"title": "A link is on its way", "link": link, "mailbox": to, "reference": row["reference"]}
        return page("forwarded.html", about)
    return await _step(
        request, link, "forward.html", "Send this to another mailbox of your team", wrong=_NOT_SENT[became]
    )


@router.get("/answer/{link}/end")
async def ask_to_end(request: Request, link: str) -> Response:
    """Ask once more before every link of this delivery is ended, for that cannot be taken back."""
    return await _step(request, link, "end.html", "Switch this link off")


@router.post("/answer/{link}/end")
async def end(request: Request, link: str) -> Response:
    """End every link of this delivery, for a team that it should not have come to."""
    hub = hub_of(request)
    form = await read_form(request, hub.configuration.hub.public_url)
    device, row = await proved(request, link, form)
    if device is None or row is None:
        return door(link, device)
    item = EndLink(digest_of(hub.vault, link), device.service, hub.now.business(), hub.now.wall())
    await hub.writer.run(end_links, item)
    return page("ended.html", {"title": "This link is switched off", "reference": row["reference"]})


@router.post("/answer/{link}/leave")
async def leave(request: Request, link: str) -> Response:
    """Forget this device, or every device of its team: a cookie opens nothing from now on, wherever a copy is."""
    hub = hub_of(request)
    form = await read_form(request, hub.configuration.hub.public_url)
    device, _ = await proved(request, link, form)
    if device is None:
        return door(link, None)
    whole_team = form.get("whole_team") == "yes"
    await devices.end(hub, device, whole_team=whole_team)
    title = "Every device of your team is forgotten" if whole_team else "This device is forgotten"
    reply = page("left.html", {"title": title, "link": link})
    reply.delete_cookie(devices.COOKIE, path="/answer")
    return reply


@router.get("/answer/{link}/{done}")
async def come_back(link: str, done: Literal["renew", "leave", "say"]) -> Response:  # noqa: ARG001 - whichever it was
    """Lead whoever asks again for the address of a form that was posted back to its link."""
    return RedirectResponse(f"/answer/{link}", 303, HEADERS)


async def _step(request: Request, link: str, template: str, title: str, *, wrong: str = "") -> Response:
    """Show a step that a form of its own ends; it changes nothing."""
    hub = hub_of(request)
    device = await devices.device_of(request, hub)
    row = await own(hub, link, device)
    if device is None or row is None or row["opened_at"] is None:
        return door(link, device)
    about: dict[str, Any] = {
        "title": title,
        "link": link,
        "reference": row["reference"],
        "mailboxes": [each for each in hub.page_verbs.pages[device.service].mailboxes if each != row["address"]],
        "form_token": devices.form_token(hub, device, link),
        "wrong": wrong,
    }
    return page(template, about, 422 if wrong else 200)
