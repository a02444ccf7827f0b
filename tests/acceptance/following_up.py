"""A champion at the console of a hub that runs here: one alert about a share, and what its screen and rows say."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.house import House, append_to, replace_in, until_true
from tests.acceptance.signing import Browser, signed_in
from tests.acceptance.telling import SUPPORTED, a_share

#: Friday 20 November 2026 at three; what was not opened by Monday at five is late.
SENT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
LATE = datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC)
CHAMPION, DEPUTY, COUNCIL, COORDINATOR = "champion-riverside", "deputy-riverside", "champion-council", "coordinator"
MANAGER = "network-manager"


def with_a_ladder(folder: Path) -> None:
    """Give the day centre a deputy, and the partnership a network manager."""
    file = folder / "partnerships" / "demo.toml"
    champion = file.read_text(encoding="utf-8").split("[partners.champion]")[1].split("[[partners]]")[0]
    deputy = '[partners.deputy]\nid = "deputy-riverside"\nname = "Dee"\nemail = "deputy@daycentre.example"\n\n'
    replace_in(file, champion, champion + deputy)
    append_to(file, '\n[network_manager]\nid = "network-manager"\nname = "Nell"\nemail = "nell@hub.example"\n')


@dataclass(slots=True)
class Late:
    """A share that a service has and has not answered, and the alert about it."""

    house: House
    receipt: dict[str, Any]
    id: str
    service: str

    @property
    def row(self) -> dict[str, Any]:
        """The alert as it stands."""
        return self.house.rows("SELECT * FROM alerts WHERE id = :id", id=self.id)[0]

    @property
    def delivery(self) -> dict[str, Any]:
        """What the sender reads of the delivery."""
        found: dict[str, Any] = self.house.cases.delivery(self.receipt["id"], self.service)
        return found

    @property
    def path(self) -> str:
        """Where its screen is."""
        return f"/console/alerts/{self.id}"

    def told(self, topic: str) -> list[dict[str, Any]]:
        """What the sender's case system was told of it by webhook."""
        return until_true(topic, lambda: self.house.told(self.receipt, topic))


def late(house: House, service: str = SUPPORTED, **changes: Any) -> Late:
    """Send a share, let it arrive, and let the day pass on which it should have been opened."""
    house.at(SENT)
    receipt = house.cases.send(a_share(service, **changes))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], service)["state"] == "delivered")
    house.at(LATE)
    return Late(house, receipt, alert_of(house, receipt), service)


def alert_of(house: House, receipt: dict[str, Any]) -> str:
    """Wait for the leading alert about a share."""
    look = (
        "SELECT alerts.id FROM alerts JOIN deliveries ON deliveries.id = delivery_id"
        " WHERE share_id = :share AND alerts.state = 'open' ORDER BY rank DESC"
    )
    return str(until_true("the alert", lambda: house.rows(look, share=receipt["id"]), seconds=10)[0]["id"])


def at_console(house: House, person: str = CHAMPION) -> Browser:
    """A browser in which somebody is signed in."""
    return signed_in(house, person)


def act(browser: Browser, alert: Late, name: str, once: str = "", **fields: str) -> httpx.Response:
    """Post one form of an alert's screen."""
    page = browser.get(alert.path).text
    found = re.search(r'name="form_token" value="(\w+)"', page)
    assert found is not None
    typed = {name.replace("_", "-"): value for name, value in fields.items()}
    return browser.post(f"{alert.path}/{name}", form_token=found[1], once=once or secrets.token_hex(8), **typed)


def text_of(reply: httpx.Response) -> str:
    """The words of a page, without its elements."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def rows_of(reply: httpx.Response) -> dict[str, str]:
    """The rows of a follow-up list, in their order: the words of each by its reference."""
    rows = re.findall(r"<tr[^>]*><th scope=\"row\".*?</tr>", reply.text, re.DOTALL)
    texts = [re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", row))).strip() for row in rows]
    return {text.split()[0]: text for text in texts}
