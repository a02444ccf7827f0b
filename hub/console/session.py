"""The session of a browser that signed in: known by a keyed hash of what its cookie holds, and ended from here."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from fastapi import Request, Response

from hub.bootstrap import Hub
from hub.domain.calendar import london_date
from hub.people import Member, members
from hub.services.session import BeginSession, EndSessions, SeeSession, Way, begin_session, end_sessions, see_session
from hub.store.fetch import Row
from hub.store.read_accounts import session_by_token

#: A browser takes a cookie of this prefix from https alone, and from no other site or path.
_SECURE_COOKIE: Final = "__Host-hub"
_PLAIN_COOKIE: Final = "hub_console"
#: A session is noted as used once a minute, not at every click.
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A living session: whose it is, and the keyed hash of its cookie."""

    member: Member
    token: str
    until: datetime


def hub_of(request: Request) -> Hub:
    """Return the hub that serves this request."""
    return cast("Hub", request.app.state.hub)


async def begin(request: Request, person: str, way: Way, *, name: str = "", step: int | None = None) -> str:
    """Begin a session under a new secret, and end the one that this browser had; returns what the cookie is to hold.

    `name` is the keyed hash that guesses were counted under; raises `Forbidden` where the person may not sign in now.
    """
    hub, secret = hub_of(request), secrets.token_hex(32)
    wall, old = hub.now.wall(), request.cookies.get(_cookie(hub), "")
    lasts = timedelta(hours=hub.configuration.hub.sign_in.hours)
    replaces = _digest(hub, old) if old else ""
    item = BeginSession(_digest(hub, secret), person, way, wall, wall + lasts, name, step, replaces)
    await hub.writer.run(begin_session, item)
    return secret


def keep(reply: Response, hub: Hub, secret: str) -> None:
    """Put a session's cookie on a reply: gone when the browser is closed, for no script, and not for other sites."""
    secure = _is_secure(hub)
    path = "/" if secure else "/console"
    reply.set_cookie(_cookie(hub), secret, path=path, secure=secure, httponly=True, samesite="lax")


def drop(reply: Response, hub: Hub) -> None:
    """Take the cookie off again."""
    secure = _is_secure(hub)
    path = "/" if secure else "/console"
    reply.delete_cookie(_cookie(hub), path=path, secure=secure, httponly=True, samesite="lax")


async def session_of(request: Request) -> Session | None:
    """Return the session of this browser; None where it ran out, was ended or was never one, or its person left.

    A session that ended because of its person is ended in the store too, so that it never comes back.
    """
    hub = hub_of(request)
    secret = request.cookies.get(_cookie(hub), "")
    row = await hub.read(session_by_token, _digest(hub, secret)) if secret else None
    if row is None or row["ended_at"] is not None or not _lasts(hub, row):
        return None
    member = members(hub.configuration.partnership).get(row["person"])
    left = member is None or not member.is_here(london_date(hub.now.business()))
    if member is None or left or row["disabled_at"] is not None:
        why = "left" if left else "disabled"
        await hub.writer.run(end_sessions, EndSessions(row["person"], row["token"], "hub:console", why, hub.now.wall()))
        return None
    if hub.now.wall() - row["seen_at"] > _NOTED_EVERY:
        await hub.writer.run(see_session, SeeSession(row["token"], hub.now.wall()))
    return Session(member, row["token"], row["until"])


async def end(hub: Hub, session: Session, *, everywhere: bool) -> None:
    """End this session, or every one of its person: their cookies open nothing from now on."""
    token, actor = "" if everywhere else session.token, f"person:{session.member.id}"
    await hub.writer.run(end_sessions, EndSessions(session.member.id, token, actor, "signed-out", hub.now.wall()))


def form_token(hub: Hub, token: str) -> str:
    """Return what every form of a session holds: another site cannot know it."""
    return hub.vault.digest("console-form", token)


def address_of(request: Request) -> str:
    """Return where a request comes from, as guesses are counted: an address, of IPv6 the network that one party has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def _lasts(hub: Hub, row: Row) -> bool:
    idle = timedelta(minutes=hub.configuration.hub.sign_in.idle_minutes)
    return bool(min(row["until"], row["seen_at"] + idle) > hub.now.wall())


def _is_secure(hub: Hub) -> bool:
    return hub.configuration.hub.public_url.startswith("https://")


def _cookie(hub: Hub) -> str:
    return _SECURE_COOKIE if _is_secure(hub) else _PLAIN_COOKIE


def _digest(hub: Hub, secret: str) -> str:
    return hub.vault.digest("console-session", secret)
