"""The answer page over HTTP: a GET changes nothing, whoever or whatever makes it; links that are none look like any."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.answer import device as devices
from hub.answer.choices import Choice, choices_of
from hub.answer.device import Device
from hub.answer.door import closed, door, hub_of, own, page, proved
from hub.answer.reading import read_answer
from hub.answer.showing import asked_again_at, shown
from hub.answering import plain_code
from hub.bootstrap import Hub
from hub.domain.answer_note import asking, telling
from hub.domain.calendar import london_date
from hub.services.answer_on_page import PageAnswer
from hub.services.invite import digest_of
from hub.services.open_link import Knock, actor_of, is_closed
from hub.services.record_read import Read, record_read
from hub.services.tell_service import asked_of, lacks
from hub.store.fetch import Row
from hub.store.read_invites import newest_answer
from hub.web.alike import alike
from hub.web.frame import HEADERS
from hub.web.posted import read_form
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)
#: What stands for a knock without a code: it equals no keyed hash.
_NO_CODE: Final = "-"


@router.api_route("/answer/{link}", methods=["GET", "HEAD"])
async def look(request: Request, link: str) -> Response:
    """Show the door; or, to a device that opened this link before, what is behind it. It changes nothing."""
    hub = hub_of(request)
    device = await devices.device_of(request, hub)
    row = await own(hub, link, device)
    if device is None or row is None or row["opened_at"] is None:
        return door(link, device)
    if is_closed(row, row["ends_at"], hub.now.business()):
        return closed(died=row["died_at"] is not None)
    say = request.query_params.get("say")
    if say is not None:
        return _form(hub, link, device, row, say)
    await _note(hub, row, "share.read")
    nothing_chosen = "choose" in request.query_params
    return page("story.html", _story(hub, link, device, row) | {"nothing_chosen": nothing_chosen})


@router.post("/answer/{link}")
async def enter(request: Request, link: str) -> Response:
    """Open the link for whoever proves the team's code: now it was received, and not before."""
    hub = hub_of(request)
    form = await read_form(request, hub.configuration.hub.public_url)
    device = await devices.device_of(request, hub)
    code = hub.vault.digest("team-code", plain_code(form["code"])) if form.get("code") else _NO_CODE
    service = device.service if device is not None else ""
    knock = Knock(digest_of(hub.vault, link), code, service, hub.now.business(), hub.now.wall())
    opened = await alike(hub.writer.run(hub.page_verbs.open, knock))
    if opened.standing == "refused":
        return door(link, device, wrong=True, written=form)
    if opened.standing == "over":
        return page("over.html", {"title": "This link does not work any more", "link": link})
    if opened.standing == "closed":
        return closed(died=False)
    if device is not None and device.service == opened.service:
        return await _opened(hub, link, device, form)
    remember = form.get("remember") == "yes"
    device, secret = await devices.begin(hub, opened.service, remember=remember)
    reply = await _opened(hub, link, device, form)
    devices.keep(reply, hub, device, secret, remember=remember)
    return reply


@router.post("/answer/{link}/say")
async def say(request: Request, link: str) -> Response:
    """Keep what the team says; posted twice, it is one answer."""
    hub = hub_of(request)
    form = await read_form(request, hub.configuration.hub.public_url)
    device, row = await proved(request, link, form)
    if device is None or row is None:
        return door(link, device, written=form)
    choice = _choice(hub, device, row, form.get("say"))
    if choice is None:
        return RedirectResponse(f"/answer/{link}", 303, HEADERS)
    rules = hub.page_verbs.pages[device.service]
    today = london_date(hub.now.business())
    answer, wrong = read_answer(choice, form, today, coded_only=rules.coded_only, owner=rules.owner)
    if answer is None:
        return _form(hub, link, device, row, choice.say, wrong, form)
    once = hub.vault.digest("page-once", f"{link}|{form.get('once', '')}")
    item = PageAnswer(digest_of(hub.vault, link), device.service, answer, once, hub.now.business(), hub.now.wall())
    standing = await hub.writer.run(hub.page_verbs.answer, item)
    if standing == "open":
        return RedirectResponse(f"/answer/{link}/said", 303, HEADERS)
    return closed(died=row["died_at"] is not None) if standing == "closed" else door(link, device)


@router.get("/answer/{link}/said")
async def said(request: Request, link: str) -> Response:
    """Say thank you, what the answer lacks, what of it was held back (R21, R35), and how to say more."""
    hub = hub_of(request)
    device = await devices.device_of(request, hub)
    row = await own(hub, link, device)
    if row is None:
        return door(link, device)
    kept = await hub.read(newest_answer, row["id"])
    asked = asked_of(kept["kind"], lacks(kept), kept["returns"]) if kept else ()
    told = {"asked": asking(asked), "held": telling(kept["held_back"] if kept else ())}
    about = {"title": "Thank you. Your answer was sent", "link": link, "reference": row["reference"]}
    return page("said.html", about | told)


async def _opened(hub: Hub, link: str, device: Device, form: Mapping[str, str]) -> Response:
    """Go on to what was shared; or back to an answer that was being written when the device's time ran out."""
    row = await own(hub, link, device) if form.get("say") else None
    if row is None:
        return RedirectResponse(f"/answer/{link}", 303, HEADERS)
    return _form(hub, link, device, row, form["say"], given=form)


def _choice(hub: Hub, device: Device, row: Row, said: str | None) -> Choice | None:
    coded_only = hub.page_verbs.pages[device.service].coded_only
    return next((each for each in choices_of(row["kind"], coded_only=coded_only) if each.say == said), None)


async def _note(hub: Hub, row: Row, action: str) -> None:
    """Commit that a team reads it, before it is shown (TH12)."""
    item = Read(action, actor_of(row["invite_id"]), hub.now.business(), row["share_id"], row["id"])
    await hub.writer.run(record_read, item)


def _story(hub: Hub, link: str, device: Device, row: Row) -> dict[str, Any]:
    rules = hub.page_verbs.pages[device.service]
    return shown(row, hub.vault) | {
        "title": f"For your team: {row['reference']}",
        "link": link,
        "choices": choices_of(row["kind"], coded_only=rules.coded_only),
        "elsewhere": any(each != row["address"] for each in rules.mailboxes),
        "until": asked_again_at(device.until),
        "form_token": devices.form_token(hub, device, link),
    }


def _form(  # noqa: PLR0913 - all that a form is made of
    hub: Hub,
    link: str,
    device: Device,
    row: Row,
    said: str,
    wrong: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    choice = _choice(hub, device, row, said)
    if choice is None:
        return RedirectResponse(f"/answer/{link}", 303, HEADERS)
    coded_only = hub.page_verbs.pages[device.service].coded_only
    about = {
        "title": choice.label,
        "reference": row["reference"],
        "link": link,
        "choice": choice,
        "asks": [name for name in choice.asks if not (coded_only and name in {"owner", "words"})],
        "wrong": wrong or {},
        "given": given or {},
        "once": (given or {}).get("once") or secrets.token_hex(16),
        "until": asked_again_at(device.until),
        "form_token": devices.form_token(hub, device, link),
    }
    return page("form.html", about, 422 if wrong else 200)
