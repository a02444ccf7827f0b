"""The device that asks: a browser that proved its team's code, known here by a keyed hash of what its cookie holds."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request, Response

from hub.bootstrap import Hub
from hub.services.device import BeginDevice, EndDevices, begin_devices, end_devices
from hub.store.read_invites import device_by_token

COOKIE: Final = "hub_answer"
#: How long a device that is not to be remembered stays known, at most: its browser forgets it when it is closed.
_SHORT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Device:
    """A device of one service's team, until an instant; `token` is the keyed hash of its cookie."""

    id: str
    service: str
    until: datetime
    token: str


async def begin(hub: Hub, service: str, *, remember: bool) -> tuple[Device, str]:
    """Know a device from now on; returns it with the secret that its cookie is to hold."""
    page, wall, secret = hub.page_verbs.pages[service], hub.now.wall(), secrets.token_hex(24)
    lasts = page.shift if remember else _SHORT
    known = BeginDevice(secrets.token_hex(16), _digest(hub, secret), service, page.code, remember, wall, wall + lasts)
    await hub.writer.run(begin_devices, known)
    return Device(known.id, service, known.until, known.token), secret


def keep(reply: Response, hub: Hub, device: Device, secret: str, *, remember: bool) -> None:
    """Put a device's cookie on it; only one that is to be remembered keeps it when its browser is closed.

    No script can read the cookie, and no other site can send it along with a form.
    """
    seconds = int((device.until - hub.now.wall()).total_seconds()) if remember else None
    secure = hub.configuration.hub.public_url.startswith("https://")
    reply.set_cookie(COOKIE, secret, seconds, path="/answer", secure=secure, httponly=True, samesite="lax")


async def device_of(request: Request, hub: Hub) -> Device | None:
    """Return the device that asks; None where it ran out, was ended, was never known, or its team has a new code."""
    secret = request.cookies.get(COOKIE, "")
    row = await hub.read(device_by_token, _digest(hub, secret)) if secret else None
    if row is None or row["service_id"] not in hub.page_verbs.pages:
        return None
    if row["ended_at"] is not None or row["until"] <= hub.now.wall():
        return None
    if not hmac.compare_digest(row["code"].encode(), hub.page_verbs.pages[row["service_id"]].code.encode()):
        return None
    return Device(row["id"], row["service_id"], row["until"], row["token"])


async def end(hub: Hub, device: Device, *, whole_team: bool) -> None:
    """Forget this device, or every device of its team: their cookies open nothing from now on."""
    token = "" if whole_team else device.token
    await hub.writer.run(end_devices, EndDevices(device.service, token, f"device:{device.id}", hub.now.wall()))


def form_token(hub: Hub, device: Device, link: str) -> str:
    """Return what every form of a page holds: another site cannot know it, nor another page use it."""
    return hub.vault.digest("page-form", f"{device.token}|{link}")


def _digest(hub: Hub, secret: str) -> str:
    return hub.vault.digest("page-device", secret)
