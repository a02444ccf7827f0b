"""The console in a real browser: Follow-up, Alert and My cover, each state of each, by mouse and by keyboard (WCAG)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.acceptance.following_up import CHAMPION, COUNCIL, DEPUTY, Late, late, with_a_ladder
from tests.acceptance.house import House, Troupe, open_house, until_true
from tests.acceptance.signing import signed_in
from tests.acceptance.telling import HOUSING
from tests.browser.conftest import Look

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with a whole ladder, shared by this module."""
    with open_house(tmp_path_factory.mktemp("console") / "instance", troupe, edit=with_a_ladder) as opened:
        yield opened


@pytest.fixture
def alert(house: House) -> Late:
    """A share that nobody opened in time."""
    return late(house)


def at_console(house: House, page: Page, person: str = CHAMPION) -> Page:
    """Let this browser have the session of somebody who is signed in."""
    kept = signed_in(house, person).http.cookies.jar
    page.context.add_cookies([{"name": each.name, "value": each.value or "", "url": house.url} for each in kept])
    return page


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


class Clicks:
    """Counts what a champion presses, from the link in the e-mail on."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def link_in_email(self, house: House, alert: Late) -> None:
        """Follow the link of the newest e-mail about the alert."""
        mails = until_true("the mail", lambda: house.mails(alert.receipt, "champion@daycentre.example"))
        link = next(word for word in mails[-1]["text"].split() if word.startswith("http"))
        self.page.goto(link)
        self.count += 1

    def __call__(self, role: Any, name: str, *, exact: bool = True) -> None:
        self.page.get_by_role(role, name=name, exact=exact).click()
        self.count += 1

    def open(self, label: str) -> None:
        """Open what can be done by its heading."""
        self.page.locator("summary", has_text=label).click()
        self.count += 1

    def choose(self, label: str) -> None:
        """Choose one of several."""
        self.page.locator("details[open]").get_by_label(label, exact=True).check()
        self.count += 1


def test_r46_from_email_to_nudge_in_three_clicks(house: House, new_page: NewPage, look: Look, alert: Late) -> None:
    # given a champion who is signed in and gets an e-mail
    page = at_console(house, new_page())
    clicks = Clicks(page)
    # when they follow its link, and ask the service again
    clicks.link_in_email(house, alert)
    assert heading(page) == "Nobody has opened this yet"
    look(page, "console-alert")
    clicks("button", "Ask the service again")
    # then it is asked, and the page says so
    assert page.get_by_role("status").inner_text() == "The service was asked again."
    look(page, "console-alert-nudged")
    assert clicks.count <= 3
    assert alert.told("alert.nudged")


def test_r46_from_email_to_handed_up_in_four_clicks(house: House, new_page: NewPage, look: Look, alert: Late) -> None:
    page = at_console(house, new_page())
    clicks = Clicks(page)
    clicks.link_in_email(house, alert)
    clicks.open("Hand it up")
    look(page, "console-alert-hand-up")
    clicks.choose("Nobody replies")
    clicks("button", "Hand it up")
    assert page.get_by_role("status").inner_text().startswith("It was handed up")
    assert clicks.count <= 4
    assert alert.row["holder"] == DEPUTY
    look(page, "console-alert-handed-up")


def test_r45_each_page_and_state_of_the_list(house: House, new_page: NewPage, look: Look) -> None:
    # given a champion with an alert to do, one that is put off and one that is closed
    to_do, closed = late(house), late(house)
    page = at_console(house, new_page())
    page.goto(house.url + closed.path)
    page.locator("summary", has_text="Close it").click()
    look(page, "console-alert-close")
    page.get_by_role("button", name="Close it").click()
    # then what was forgotten is said, and leads to its field
    assert page.title().startswith("Error: ")
    look(page, "console-alert-error")
    page.get_by_role("link", name="Choose why you close it").click()
    assert page.evaluate("document.activeElement.id") == "close-reason"
    page.get_by_label("It was a mistake").check()
    page.get_by_role("button", name="Close it").click()
    assert heading(page) == "This is closed"
    look(page, "console-alert-closed")
    # and the list shows what is to do, by itself, filtered, and page by page
    page.get_by_role("link", name="Back to your list").click()
    assert page.get_by_role("link", name=to_do.receipt["reference"]).count() == 1
    assert page.get_by_role("link", name=closed.receipt["reference"]).count() == 0
    look(page, "console-follow-up")
    page.get_by_label("What is late").select_option("undelivered")
    page.get_by_role("button", name="Show these").click()
    assert "late=undelivered" in page.url
    look(page, "console-follow-up-nothing-like-this")
    page.get_by_role("link", name="Closed", exact=True).click()
    page.get_by_label("What is late").select_option("")
    page.get_by_role("button", name="Show these").click()
    assert page.get_by_role("link", name=closed.receipt["reference"]).count() == 1
    look(page, "console-follow-up-closed")


def test_r45_many_and_none(new_page: NewPage, look: Look, house: House, troupe: Troupe, tmp_path: Any) -> None:
    # given a partnership where nothing is late; when its champion looks
    with open_house(tmp_path / "empty", troupe) as empty:
        page = at_console(empty, new_page())
        page.goto(f"{empty.url}/console/follow-up")
        assert "Nothing waits for you." in page.locator("main").inner_text()
        look(page, "console-follow-up-none")
        page.goto(f"{empty.url}/console/alerts/{'0' * 32}")
        look(page, "console-alert-not-found")
    # and one where more is late than a page holds
    alert = late(house)
    copies(house, alert, 60)
    page = at_console(house, new_page())
    page.goto(f"{house.url}/console/follow-up")
    look(page, "console-follow-up-many")
    first = page.locator("tbody th a").all_inner_texts()
    page.get_by_role("link", name="Next page").click()
    look(page, "console-follow-up-next")
    second = page.locator("tbody th a").all_inner_texts()
    assert len(first) == 40
    assert second
    page.get_by_role("link", name="Back to the first page").click()
    assert page.locator("tbody th a").all_inner_texts() == first


def copies(house: House, alert: Late, number: int) -> None:
    """Let there be as many more alerts like this one, as if as many shares had been sent."""
    of = {"shares": alert.receipt["id"], "deliveries": alert.row["delivery_id"], "alerts": alert.id}
    found = {table: house.rows(f"SELECT * FROM {table} WHERE id = :id", id=key)[0] for table, key in of.items()}
    with house.hub.writer._engine.begin() as connection:
        for each in range(number):
            ids = {table: f"{table[0]}{each:031d}" for table in of}
            own = {"shares": {"reference": f"{each:06d}"}, "alerts": {"kind": "unanswered"},
                   "deliveries": {"share_id": ids["shares"], "key": f"copy-{each}"}}  # fmt: skip
            own["alerts"]["delivery_id"] = ids["deliveries"]
            for table in of:
                row = found[table] | own[table] | {"id": ids[table]}
                names = ", ".join(f'"{name}"' for name in row)
                places = ", ".join("?" for _ in row)
                connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({places})", tuple(row.values()))


def test_r44_keyboard_only_without_javascript(house: House, new_page: NewPage, alert: Late) -> None:
    # given a champion without a mouse, whose browser runs no script
    page = at_console(house, new_page(java_script_enabled=False))
    page.goto(f"{house.url}/console/follow-up")
    # when they go by the keys alone: to the content, to the alert, and say that they have it
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    _tab_to(page, alert.receipt["reference"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{alert.path}")
    _tab_to(page, "I've got this")
    page.keyboard.press("Enter")
    page.wait_for_url("**?done=take")
    # then it is theirs
    assert alert.row["taken_by"] == CHAMPION
    # and when they hand it up by the keys
    _tab_to(page, "Hand it up")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**?done=escalate")
    assert alert.row["holder"] == "coordinator"


def _tab_to(page: Page, words: str) -> None:
    for _ in range(400):
        page.keyboard.press("Tab")
        said = page.locator(":focus").inner_text().strip() if page.locator(":focus").count() else ""
        if said == words:
            return
        if said.startswith("Next"):  # others may have made the list longer than a page
            page.keyboard.press("Enter")
    raise AssertionError(f"no key leads to {words}")


def test_r64_what_was_heard_on_the_telephone(house: House, new_page: NewPage, look: Look, alert: Late) -> None:
    # given a champion who rang the service
    page = at_console(house, new_page())
    page.goto(house.url + alert.path)
    page.locator("summary", has_text="Write down what you heard").click()
    look(page, "console-alert-heard")
    # when they write down a yes
    page.get_by_label("Yes, they will help").check()
    page.get_by_label("On the phone").check()
    page.get_by_label("Who said it? (optional)").fill("Jo, duty desk")
    page.get_by_role("button", name="Write it down", exact=True).click()
    # then it is the answer, and the win can be shared
    assert heading(page) == "The service has answered"
    look(page, "console-alert-answered")
    page.locator("summary", has_text="Share a win").click()
    look(page, "console-alert-win")
    page.get_by_label("They answered fast").check()
    page.get_by_role("button", name="Share it").click()
    assert page.get_by_role("status").inner_text().startswith("Thank you.")
    assert alert.delivery["answer"] == "accepted"


def test_r21_what_is_muted_looks_so(house: House, new_page: NewPage, look: Look) -> None:
    alert = late(house, HOUSING)
    house.say(alert.receipt, HOUSING, status="ACCEPTED", doNotTellYet=True)
    until_true("the answer", lambda: alert.row["state"] == "closed")
    page = at_console(house, new_page())
    page.goto(house.url + alert.path)
    assert "shown to nobody here" in page.locator("main").inner_text()
    look(page, "console-alert-muted")


def test_r44_the_receiver_s_champion_s_screen(house: House, new_page: NewPage, look: Look, alert: Late) -> None:
    page = at_console(house, new_page(), COUNCIL)
    page.goto(house.url + alert.path)
    assert page.get_by_role("button", name="Ask the service again").count() == 0
    look(page, "console-alert-receiver")


def test_r50_my_cover(house: House, new_page: NewPage, look: Look) -> None:
    page = at_console(house, new_page())
    page.goto(f"{house.url}/console/cover")
    look(page, "console-cover")
    # when a colleague's days off are written down, first with the day left out
    page.locator("summary", has_text="Add days off").click()
    page.get_by_label("Who is away?").select_option(label="Dee")
    page.get_by_role("button", name="Add these days").click()
    look(page, "console-cover-error")
    page.get_by_role("link", name="Enter the first day off").click()
    assert page.evaluate("document.activeElement.id") == "first-day"
    for label, value in (("Day", "1"), ("Month", "3"), ("Year", "2027")):
        page.get_by_role("group", name="First day off").get_by_label(label).fill(value)
    page.get_by_role("button", name="Add these days").click()
    # then they are there, and can be taken away again
    assert "Dee, on Monday 1 March" in page.locator("main").inner_text()
    look(page, "console-cover-away")
    page.get_by_role("button", name="Take away the days off of Dee").click()
    assert "Nobody is away." in page.locator("main").inner_text()
