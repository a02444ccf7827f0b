"""A team with a mailbox and no system: its service in an instance, its mails, and its browser by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from hub.host.discovery import find_plugins
from hub.services.invite import digest_of
from hub.store import tables
from tests.acceptance.house import House, append_to, until_true
from tests.acceptance.telling import HOUSING, a_share, consent_of

TEAM, MAILBOX, CODE = "floating-support", "duty@support.example", "kettle-otter-42"
OTHER_MAILBOX = "out-of-hours@support.example"

_SERVICE = f"""\
id = "{TEAM}"
name = "Floating support"
partner = "city-council"
address = "{MAILBOX}"
purposes = ["find-somewhere-to-live", "keep-my-tenancy"]
owner = "Their duty desk"
phone = "01223 000400"

[agreement]
reference = "ISA-DEMO"
agreed_on = 2026-11-02
assessment = "DPIA-DEMO"
sender = {{ article_6 = "6(1)(a)", article_9 = "9(2)(a)" }}
receiver = {{ article_6 = "6(1)(e)", article_9 = "9(2)(g)" }}
duties = "They may have to tell other teams if someone is at risk."

[answer_page]
code = "file:secrets/team-code"
mailboxes = ["{OTHER_MAILBOX}"]

[connection]
id = "{TEAM}"
plugin = "mailbox"
connector = "answer-page"
"""


def with_a_team(folder: Path) -> None:
    """Add the team's service to an instance, and allow the pack as it is installed here."""
    (folder / "services" / f"{TEAM}.toml").write_text(_SERVICE, encoding="utf-8")
    (folder / "secrets" / "team-code").write_text(CODE, encoding="utf-8")
    found = next(plugin for plugin in find_plugins([]) if plugin.name == "mailbox")
    allowed = f'\n[[allow]]\nname = "mailbox"\nversion = "{found.version}"\nsha256 = "{found.sha256}"\n'
    append_to(folder / "connectors.toml", allowed)


def a_share_for_the_team(**changes: Any) -> dict[str, Any]:
    """A share whose one consent is for the team."""
    share = a_share(HOUSING, **changes)
    consent = consent_of(share, HOUSING)
    consent["service"], consent["facts"] = TEAM, {}
    return share


def invited(house: House, receipt: dict[str, Any], number: int = 1, to: str = MAILBOX) -> str:
    """Wait until a mailbox of the team has had so many e-mails about a share, and return the newest link's path."""

    def look() -> list[dict[str, Any]]:
        found = house.mails(receipt, to)
        return found if len(found) >= number else []

    return link_of(until_true("the team's e-mail", look)[-1], house.url)


def link_of(mail: dict[str, Any], url: str) -> str:
    """The path of the link in an e-mail."""
    (link,) = re.findall(rf"{re.escape(url)}(/answer/\S+)", mail["text"])
    return str(link)


def run_out(house: House, link: str) -> None:
    """Let a link have run out: the wall's clock is the machine's own, so its row is made older."""
    token = digest_of(house.hub.vault, link.rpartition("/")[2])

    def age(tx: Any, tokens: list[str]) -> list[int]:
        made_at = tables.invites.c.created_at
        statement = tables.invites.update().where(tables.invites.c.token.in_(tokens)).values(expires_at=made_at)
        return [tx._connection.execute(statement).rowcount]

    assert house.hub.writer.submit(age, token).result() == 1


def levels(house: House, receipt: dict[str, Any]) -> set[int]:
    """The rungs that a share's deliveries have reached."""
    found = house.rows(
        "SELECT level FROM acknowledgements a JOIN deliveries d ON d.id = a.delivery_id WHERE share_id = :share",
        share=receipt["id"],
    )
    return {row["level"] for row in found}


class Seen(HTMLParser):
    """A page as a browser reads it: its words, its heading and its forms with their hidden fields."""

    def __init__(self, reply: httpx.Response) -> None:
        super().__init__()
        self.reply = reply
        self.status = reply.status_code
        self.words = ""
        self.heading = ""
        self.forms: list[dict[str, str]] = []
        self._tag = ""
        self.feed(reply.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._tag = tag if tag not in {"br", "strong"} else self._tag
        if tag == "form":
            self.forms.append({"action": given["action"], "method": given["method"]})
        if tag == "input" and given.get("type") == "hidden":
            self.forms[-1][given["name"]] = given["value"]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words += data.strip() + "\n"
            if self._tag == "h1":
                self.heading = data.strip()

    def hidden(self, action: str) -> dict[str, str]:
        """The hidden fields of the form that posts to an action's end."""
        form = next(each for each in self.forms if each["action"].endswith(action) and each["method"] == "post")
        return {name: value for name, value in form.items() if name not in {"action", "method"}}


@dataclass
class Browser:
    """One device: it keeps cookies, follows redirects, and says where its forms were posted from."""

    url: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=30, trust_env=False, follow_redirects=True)

    def get(self, path: str) -> Seen:
        return Seen(self.http.get(path))

    def post(self, path: str, **fields: str) -> Seen:
        headers = {"origin": self.url, "content-type": "application/x-www-form-urlencoded"}
        return Seen(self.http.post(path, content=urlencode(fields), headers=headers))

    def enter(self, link: str, code: str = CODE, **fields: str) -> Seen:
        """Type the team's code at the door."""
        return self.post(link, code=code, **fields)

    def say(self, link: str, say: str, **fields: str) -> Seen:
        """Choose an answer and fill in its form."""
        form = self.get(f"{link}?say={say}")
        return self.post(f"{link}/say", **form.hidden("/say"), **fields)
