"""A team in the sandbox: it follows the link in its e-mail, types its code and answers, as a browser would post it."""

from __future__ import annotations

import argparse
import json
import re
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from hub.sdk.testing.ledger import Entry, Ledger

#: The link in an e-mail of the hub's.
LINK: Final = re.compile(r"https?://\S+/answer/[0-9a-f]+")


class _Forms(HTMLParser):
    """The hidden fields of a page's forms, by where each posts to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden: dict[str, dict[str, str]] = {}
        self._action = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, or a hidden field of the one that was begun."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given.get("action", "")
            self.hidden.setdefault(self._action, {})
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden[self._action][given["name"]] = given.get("value", "")


class Team:
    """One device of a team: it keeps cookies as a browser does, and says where its forms were posted from."""

    def __init__(self, code: str) -> None:
        self._code = code
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies).open

    def read(self, mail: str) -> str:
        """Follow the link in an e-mail and type the team's code; returns the page that it opens."""
        link = self._link(mail)
        return self._post(link, {"code": self._code})

    def answer(self, mail: str, say: str, **fields: str) -> str:
        """Answer what an e-mail's link opens, once `read`; returns the page that says so."""
        link = self._link(mail)
        with self._open(f"{link}?say={say}", timeout=30) as reply:
            hidden = _Forms(reply.read().decode()).hidden[f"{urlsplit(link).path}/say"]
        return self._post(f"{link}/say", hidden | fields)

    def _link(self, mail: str) -> str:
        found = LINK.search(mail)
        if found is None:
            raise ValueError("there is no link in this e-mail")
        return found[0]

    def _post(self, url: str, fields: dict[str, str]) -> str:
        at = urlsplit(url)
        headers = {"Origin": f"{at.scheme}://{at.netloc}", "Content-Type": "application/x-www-form-urlencoded"}
        request = urllib.request.Request(url, urlencode(fields).encode(), headers)  # noqa: S310 - LINK is http
        with self._open(request, timeout=30) as reply:
            page: str = reply.read().decode()
        return page


def mail_about(mails: Path, to: str, reference: str) -> str:
    """Return the newest e-mail to a mailbox about one share, as the sandbox's mail server keeps them."""
    lines = mails.read_text(encoding="utf-8").splitlines() if mails.exists() else []
    found = [mail for mail in map(json.loads, lines) if mail["to"] == [to] and reference in mail["subject"]]
    if not found:
        raise LookupError(f"no e-mail about {reference} has come to {to}")
    return str(found[-1]["text"])


def main(argv: Sequence[str] | None = None) -> None:
    """Read what an e-mail's link opens, and answer; says `read`, then `answered`."""
    parser = argparse.ArgumentParser(description="A team with a mailbox, as its browser posts its forms.")
    parser.add_argument("--mails", type=Path, required=True, help="the sandbox mail server's file")
    parser.add_argument("--to", required=True, help="the team's mailbox")
    parser.add_argument("--reference", required=True, help="the share's reference")
    parser.add_argument("--code-file", type=Path, required=True, help="a file that holds the team's code")
    parser.add_argument("--say", required=True, help="the answer that is chosen, such as yes")
    parser.add_argument("--with", dest="fields", nargs="*", default=[], metavar="NAME=VALUE", help="what is filled in")
    parser.add_argument("--ledger", type=Path, help="a file that keeps the page that was read")
    options = parser.parse_args(argv)
    mail = mail_about(options.mails, options.to, options.reference)
    team = Team(options.code_file.read_text(encoding="utf-8").strip())
    page = team.read(mail)
    at, shown = datetime.now(UTC).timestamp(), options.reference in page
    Ledger(options.ledger).append(Entry(at, options.reference, "", "/answer", page.encode(), {}, 200, effect=shown))
    print("read", flush=True)
    if "Your answer was sent" not in team.answer(
        mail, options.say, **dict(each.split("=", 1) for each in options.fields)
    ):
        raise SystemExit("the answer was not taken")
    print("answered", flush=True)


if __name__ == "__main__":
    main()
