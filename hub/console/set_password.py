"""The page behind a one-time link: it sets a password, and where codes are asked for it ties an app to the account."""

from __future__ import annotations

import io
from functools import partial
from typing import Any, Final

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from hub.bootstrap import Hub
from hub.console import session
from hub.console.frame import stranger_page
from hub.console.proof import hashing
from hub.console.session import hub_of
from hub.domain.calendar import london_date
from hub.domain.errors import NotFound
from hub.people import Member, members
from hub.security import app_codes, passwords
from hub.services.account import LINK_OVER, SetPassword, link_digest, set_password
from hub.store.read_accounts import account_by_link
from hub.web.alike import alike
from hub.web.frame import HEADERS
from hub.web.posted import read_form
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: What an app lists the account under.
_ISSUER: Final = "Trusted Person Hub"
_WRONG_CODE: Final = "Type the code that your app shows now. Is your device's clock right?"


@router.get("/console/password/{link}")
async def ask(request: Request, link: str) -> Response:
    """Show the form; looking changes nothing, so that a scanner of mail uses up no link."""
    hub = hub_of(request)
    return _form(hub, link, await alike(_whose(hub, link)), {})


@router.post("/console/password/{link}")
async def keep(request: Request, link: str) -> Response:
    """Set the password, tie the app, use up the link, and sign the person in."""
    hub = hub_of(request)
    form = await read_form(request, hub.configuration.hub.public_url)
    member = await alike(_whose(hub, link))
    password, asks = form.get("password", ""), hub.configuration.hub.asks_for_app
    wrong, step = {}, None
    if fault := passwords.fault_of(password, (member.id, member.name, member.email, member.email.partition("@")[0])):
        wrong["password"] = fault
    secret = _secret(hub, link) if asks else None
    if secret is not None:
        step = app_codes.step_of(secret, form.get("code", ""), hub.now.wall())
        if step is None:
            wrong["code"] = _WRONG_CODE
    if wrong:
        return _form(hub, link, member, wrong)
    kept = await hashing(passwords.hash_of, password)
    item = SetPassword(link_digest(hub.vault, link), kept, secret, step, hub.now.wall())
    await hub.writer.run(partial(set_password, vault=hub.vault), item)
    began = await session.begin(request, member.id, "password")
    reply = RedirectResponse("/console", 303, HEADERS)
    session.keep(reply, hub, began)
    return reply


async def _whose(hub: Hub, link: str) -> Member:
    """Return whose a working link is; raises `NotFound`, the same for every link that is none."""
    row = await hub.read(account_by_link, link_digest(hub.vault, link))
    works = row is not None and row["disabled_at"] is None and row["link_until"] > hub.now.wall()
    member = members(hub.configuration.partnership).get(row["person"]) if row is not None and works else None
    takes = hub.configuration.hub.takes_passwords
    if not takes or member is None or not member.is_here(london_date(hub.now.business())):
        raise NotFound(LINK_OVER)
    return member


def _secret(hub: Hub, link: str) -> bytes:
    """Return what the app's codes are made from: the same each time that the page of a link is looked at."""
    return bytes.fromhex(hub.vault.digest("console-app", link))[: app_codes.SECRET_BYTES]


def _form(hub: Hub, link: str, member: Member, wrong: dict[str, str]) -> Response:
    about: dict[str, Any] = {"title": "Choose a password", "link": link, "email": member.email, "wrong": wrong}
    if hub.configuration.hub.asks_for_app:
        secret = _secret(hub, link)
        about["secret"] = app_codes.secret_text(secret)
        about["picture"] = _picture(app_codes.secret_uri(secret, member.email, _ISSUER))
    least = passwords.LEAST
    return stranger_page("set_password.html", 422 if wrong else 200, least=least, **about)


def _picture(words: str) -> Markup:
    """Return a QR code as SVG, made here: nobody else is asked to draw a secret."""
    drawn = io.BytesIO()
    code = segno.make(words, error="m", micro=False)
    code.save(drawn, kind="svg", xmldecl=False, svgns=True, scale=4, border=4, light="#fff", omitsize=False, nl=False)
    return Markup(drawn.getvalue().decode())  # noqa: S704 - the library's own drawing, in which no text is
