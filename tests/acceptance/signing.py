"""A person who signs in to the console of a hub that runs here: their account, their app, and their browser by hand."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from hub.people import members
from hub.security import app_codes
from hub.services.account import GiveLink, add_account, link_digest, reset_account
from tests.acceptance.house import House

PASSWORD = "kettle otter meadow"
#: The people of `hub.sandbox.instance` and `tests.acceptance.house`.
RIVERSIDE, HARBOUR, COORDINATOR = "champion-riverside", "champion-harbour", "coordinator"


def give_link(house: House, person: str, *, lasts: timedelta = timedelta(hours=1)) -> str:
    """Make an account, or reset the one there is, as the operator does; returns the path of the one-time link."""
    link, wall = secrets.token_hex(24), house.hub.now.wall()
    item = GiveLink(person, link_digest(house.hub.vault, link), wall + lasts, "operator:test", wall)
    if house.hub.writer.submit(add_account, item).result(30) is not None:
        assert house.hub.writer.submit(reset_account, item).result(30) is None
    return f"/console/password/{link}"


@dataclass(slots=True)
class Browser:
    """One browser: it keeps cookies, says where its forms come from, and follows nothing by itself."""

    url: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)  # nothing is left open when a test is over
        said = {"origin": self.url}
        self.http = httpx.Client(base_url=self.url, headers=said, timeout=30, trust_env=False, limits=limits)

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return self.http.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Post a form as it is given."""
        return self.http.post(path, data=fields)

    def send(self, path: str, on: str = "/console/me", **fields: str) -> httpx.Response:
        """Post a form with the token that the page `on` holds."""
        return self.post(path, form_token=self.form_token(on), **fields)

    def form_token(self, on: str = "/console/me") -> str:
        """The token that the forms of a page hold."""
        found = re.search(r'name="form_token" value="(\w+)"', self.get(on).text)
        assert found is not None
        return found[1]


def email_of(house: House, person: str) -> str:
    """What somebody signs in as."""
    return members(house.hub.configuration.partnership)[person].email


def signed_in(house: House, person: str) -> Browser:
    """A browser in which a person is signed in, by a new account or one that was reset."""
    browser = Browser(house.url)
    link = give_link(house, person)
    page = browser.get(link).text
    reply = browser.post(link, password=PASSWORD, **code_for(secret_on(page)))
    assert reply.status_code == 303, reply.text
    return browser


def secret_on(page: str) -> bytes:
    """What the app's codes are made from, as its page shows it; nothing where no app is asked for."""
    found = re.search(r'The letters: <span class="hub-reference">([A-Z2-7 ]+)</span>', page)
    return app_codes.secret_bytes(found[1]) if found else b""


def code_for(secret: bytes, at: datetime | None = None) -> dict[str, Any]:
    """The field of a form with the code that an app shows now."""
    return {"code": app_codes.code_at(secret, at or datetime.now(UTC))} if secret else {}
