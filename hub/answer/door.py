"""What stands before every page of a link: who asks, whether the link is theirs, and the door, alike for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from fastapi import Request, Response

from hub.answer import device as devices
from hub.answer.device import Device
from hub.bootstrap import Hub
from hub.services.invite import digest_of
from hub.store.fetch import Row
from hub.store.read_invites import by_link
from hub.web.frame import Frame
from hub.web.posted import require_token
from hub.web.style import STYLE

_FRAME: Final = Frame("hub.answer")
#: The fields of an answer, which a page may carry past its door.
_WRITTEN: Final = ("say", "owner", "words", "reason", "wait", "once", "date-day", "date-month", "date-year")


def hub_of(request: Request) -> Hub:
    """Return the hub that serves this request."""
    return cast("Hub", request.app.state.hub)


async def own(hub: Hub, link: str, device: Device | None) -> Row | None:
    """Return what a working link of the device's own service opens; without a device, nothing is even looked for."""
    if device is None:
        return None
    row = await hub.read(by_link, digest_of(hub.vault, link), device.service)
    works = row is not None and row["revoked_at"] is None and row["expires_at"] > hub.now.wall()
    return row if works else None


async def proved(request: Request, link: str, form: Any) -> tuple[Device | None, Row | None]:
    """Return the device that posts a form, and its open link; raises `Forbidden` for a form that is not of its page."""
    hub = hub_of(request)
    device = await devices.device_of(request, hub)
    if device is None:
        return None, None
    require_token(form, devices.form_token(hub, device, link))
    row = await own(hub, link, device)
    return device, row if row is not None and row["opened_at"] is not None else None


def door(
    link: str, device: Device | None, *, wrong: bool = False, written: Mapping[str, str] | None = None
) -> Response:
    """The same for every link, also for one that is none: who only looks learns nothing.

    `written` is an answer that was posted when the device's time had run out: the page keeps it, and the hub does not.
    """
    about = {
        "title": "Something was sent to your team",
        "link": link,
        "known": device is not None,
        "wrong": wrong,
        "written": {name: written[name] for name in _WRITTEN if written.get(name)} if written is not None else {},
    }
    return page("door.html", about, 403 if wrong else 200)


def closed(*, died: bool) -> Response:
    """Say that there is nothing to read any more."""
    return page("closed.html", {"title": "There is nothing to read here any more", "died": died})


def page(template: str, about: dict[str, Any], status: int = 200) -> Response:
    """Return a page of the answer page's own."""
    return _FRAME.page(template, status, style=STYLE, **about)
