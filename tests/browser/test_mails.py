"""Mails and the page of their choice in a real browser: by day, in the dark, without images, and by axe (R45, TH15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from hub.notify.digest_words import digest, outage_ended
from hub.notify.html import html_of
from hub.notify.mail import FEWER
from hub.notify.operator_words import of as operators
from hub.notify.words import Words, alert, invite
from hub.services.choose_mail import links_of, token_of
from hub.services.tell import UNREADABLE
from tests.acceptance.house import House, Troupe, open_house
from tests.acceptance.test_th15_fewer_mails import champion_of, gathers
from tests.browser.conftest import Look, _picture
from tests.scenery import NOW

NewPage = Callable[..., Page]
LINK = "https://hub.example/alerts/" + "0192f3ab" * 4
LISTED = "All of them are in your list: https://hub.example/console/follow-up"
LINES = [(f"No answer yet: K7M-4Q{each}", LINK) for each in "ABCDEFGH"]


def _operators() -> Words:
    told = operators({"topic": UNREADABLE}, None)
    assert told is not None
    return told


MAILS: dict[str, Words] = {
    "mail-alert": alert("no_answer", "K7M-4QX", timedelta(hours=50), LINK),
    "mail-digest": digest(LINES, 480, LISTED, not_there=True, last=True),
    "mail-outage-ended": outage_ended(500, LISTED),
    "mail-invite": invite("K7M-4QX", NOW, LINK),
    "mail-operator": _operators(),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAILS)
def test_r45_a_mail_reads_well_by_day_and_in_the_dark(new_page: NewPage, name: str, scheme: str) -> None:
    # given a mail as a mail program shows it
    said = MAILS[name]
    fewer = f"{FEWER}\nhttps://hub.example/mail/{'0' * 40}\n"
    page = new_page(color_scheme=scheme)
    page.set_content(html_of(said.subject, f"{said.text}\n{fewer}"))
    # then a program that looks for barriers finds none, contrast included
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag22aa"]}})
    wrong = [f"{each['id']}: {node['html']}" for each in found.response["violations"] for node in each["nodes"]]
    assert wrong == []
    # and it is dark where its reader asked for that
    background = page.evaluate("getComputedStyle(document.querySelector('.page')).backgroundColor")
    assert background == ("rgb(11, 12, 12)" if scheme == "dark" else "rgb(255, 255, 255)")
    # and on a telephone nobody scrolls sideways
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    _picture(page, f"{name}-{scheme}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub that gathers mail."""
    with open_house(tmp_path_factory.mktemp("mailed") / "instance", troupe, edit=gathers) as opened:
        yield opened


def test_th15_one_mail_a_day_and_back(house: House, new_page: NewPage, look: Look) -> None:
    # given the link in a champion's mail
    link: str = links_of(house.hub.directory, house.hub.vault, house.url)[champion_of(house)]
    page = new_page(java_script_enabled=True)
    page.goto(link)
    look(page, "fewer-mails")
    # when they press the one button, then it is so, and the next takes it back
    page.get_by_role("button", name="Send me one email a day").click()
    assert page.get_by_text("You get one email a day, at 9am.").is_visible()
    look(page, "fewer-mails-daily")
    page.get_by_role("button", name="Send me emails as things come up").click()
    assert page.get_by_text("You get an email as things come up.").is_visible()


def test_th15_whoever_must_hear_at_once_reads_why(house: House, new_page: NewPage, look: Look) -> None:
    page = new_page()
    page.goto(f"{house.url}/mail/{token_of(house.hub.vault, 'operator')}")
    assert page.get_by_text("These emails cannot be made fewer.").is_visible()
    look(page, "fewer-mails-not")
