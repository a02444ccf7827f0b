"""What the partnership learns, in a real browser: without JavaScript, by keyboard, and axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page

from tests.acceptance.house import House, Troupe, open_house
from tests.acceptance.signing import RIVERSIDE, signed_in
from tests.acceptance.telling import HOUSING
from tests.browser.conftest import Look

NewPage = Callable[..., Page]
DOOR = "declined/no-local-connection"
#: Of more people than one: what may be told.
COUNTED = [
    *(("2026-11-20", "door", DOOR, HOUSING, 12), ("2026-11-21", "gate", "gate-age", HOUSING, 3)),
    *(("2026-11-20", "win", "kept_in_touch", HOUSING, 9), ("2026-11-20", "win", "found_a_way", HOUSING, 2)),
    *(("2026-11-20", "training", "housing_rights", "", 7), ("2026-11-20", "training", "trauma", "", 1)),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub in December, with a November that can be told of."""
    with open_house(tmp_path_factory.mktemp("learned") / "instance", troupe, start="2026-12-15T09:00:00Z") as opened:
        rows = [(day, what, name, service) for day, what, name, service, number in COUNTED for _ in range(number)]
        opened.hub.writer.submit(lambda tx, _: [tx.tally(rows)], None).result(20)
        yield opened


@pytest.fixture
def visit(house: House, new_page: NewPage) -> Callable[..., Page]:
    """Opens a page of the console as somebody who signed in."""

    def opened(path: str, person: str = RIVERSIDE, **how: object) -> Page:
        page = new_page(**how)
        cookies = [{"name": each.name, "value": each.value, "url": house.url}
                   for each in signed_in(house, person).http.cookies.jar]  # fmt: skip
        page.context.add_cookies(cookies)  # type: ignore[arg-type]
        page.goto(house.url + path)
        return page

    return opened


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def weight(page: Page) -> int:
    return len(page.content().encode())


def test_r54_a_month_is_read_in_charts_and_in_tables(house: House, visit: Callable[..., Page]) -> None:
    # given a champion without JavaScript
    page = visit("/console/learning", java_script_enabled=False)
    assert heading(page) == "What we learned in November 2026"
    # then each picture has a name and a table that says the same
    pictures = page.locator("svg[role=img]")
    assert pictures.count() >= 3
    for at in range(pictures.count()):
        title = pictures.nth(at).locator("title").text_content()
        table = page.locator("table", has=page.locator("caption", has_text=str(title)))
        assert table.count() >= 1
    wins = page.locator("table", has=page.locator("caption", has_text="What helped")).first
    assert "Kept in touch" in wins.inner_text()
    assert "about 10" in wins.inner_text()
    # and no service stands beside another
    rows = set(page.locator("tbody th").all_inner_texts())
    assert rows.isdisjoint(each.name for each in house.hub.directory.services.values())
    # when they choose another month, it is in the address
    page.get_by_label("Month").select_option(label="October 2026")
    page.get_by_role("button", name="Show this month").click()
    assert "month=2026-10" in page.url
    assert heading(page) == "What we learned in October 2026"


def test_r54_the_page_of_a_month_is_light_and_axe_finds_nothing(visit: Callable[..., Page], look: Look) -> None:
    page = visit("/console/learning")
    look(page, "learning")
    assert weight(page) <= 50_000


def test_r54_the_files_are_there_to_take_away(visit: Callable[..., Page]) -> None:
    page = visit("/console/learning")
    with page.expect_download() as loading:
        page.get_by_role("link", name="wins.csv").click()
    assert loading.value.suggested_filename == "learning-2026-11-wins.csv"


def test_r54_until_ten_working_days_are_over_the_partnerships_figures_are_not_shown(
    house: House, visit: Callable[..., Page], look: Look
) -> None:
    # given the first day of the month after
    house.at(datetime(2026, 12, 1, 9, tzinfo=UTC))
    try:
        council = house.hub.directory.services[HOUSING]
        page = visit("/console/learning", house.hub.directory.partners[council.partner].champion.id)
        assert council.name in page.locator("h2").all_inner_texts()[:2]
        assert page.get_by_text("Kept in touch").count() >= 1
        assert "You see it from 15 December 2026" in page.inner_text("main")
        assert page.get_by_role("link", name="wins.csv").count() == 0
        look(page, "learning-own-first")
    finally:
        house.at(datetime(2026, 12, 15, 9, tzinfo=UTC))


def test_r52_a_champion_finds_a_barrier_and_moves_it_on_by_keyboard(visit: Callable[..., Page], look: Look) -> None:
    # given what was met often last month, in the list of barriers
    page = visit("/console/barriers", java_script_enabled=True)
    assert "about 10" in page.inner_text("main")
    assert "It asks first: age" not in page.inner_text("main"), "it was met three times, which is not told"
    look(page, "barriers")
    assert weight(page) <= 50_000
    # when a champion says that it is one, with the keyboard alone
    page.get_by_role("button", name="This is a barrier").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/barriers/*")
    assert heading(page) == "They said no: no local connection"
    look(page, "barrier")
    # and moves it on: without a choice, then with words about somebody, then as it should be
    page.get_by_role("button", name="Move it on").click()
    assert page.locator(".govuk-error-summary").inner_text().startswith("There is a problem")
    look(page, "barrier-wrong")
    page.get_by_label("We found the rule").check()
    page.get_by_label("In a few words").fill("Maria was told no")
    page.get_by_role("button", name="Move it on").click()
    assert "must not" in page.locator(".govuk-error-summary").inner_text()
    page.get_by_label("In a few words").fill("The rule is read too narrowly")
    page.get_by_role("button", name="Move it on").click()
    # then its history has each step with its day, reason and who said so
    steps = page.locator("ol li").all_inner_texts()
    assert len(steps) == 2
    assert steps[1].startswith("15 December 2026: Understood. We found the rule.")
    assert "The rule is read too narrowly" in steps[1]
    # and the list finds it by its state, which is in the address
    page.goto(page.url.rpartition("/")[0])
    page.get_by_label("Show", exact=True).select_option(label="Understood")
    page.get_by_role("button", name="Show these").click()
    assert "state=understood" in page.url
    assert page.get_by_role("link", name="They said no: no local connection").count() == 1
    page.goto(page.url.replace("understood", "removed"))
    assert page.get_by_role("link", name="They said no: no local connection").count() == 0


def test_r53_r55_good_sharing_shows_wins_beside_barriers_and_topics_of_training(
    visit: Callable[..., Page], look: Look
) -> None:
    # given a month with wins and topics, without JavaScript
    page = visit("/console/good-sharing", java_script_enabled=False)
    assert heading(page) == "Good sharing in November 2026"
    # then what helped stands beside what was done about barriers, and topics beside neither name nor worker
    headings = page.locator("h3").all_inner_texts()
    assert headings[-3:] == ["What we did about barriers", "What helped", "What people want to learn"]
    topics = page.locator("table", has=page.locator("caption", has_text="What people want to learn")).inner_text()
    assert "about 5" in topics
    assert "fewer than 5" in topics


def test_r53_the_page_of_good_sharing_is_light_and_axe_finds_nothing(visit: Callable[..., Page], look: Look) -> None:
    page = visit("/console/good-sharing")
    look(page, "good-sharing")
    assert weight(page) <= 50_000


def test_r52_a_refuges_barrier_and_one_that_never_was_are_the_same_to_a_stranger(visit: Callable[..., Page]) -> None:
    page = visit("/console/barriers/" + "0" * 32)
    assert heading(page) == "We cannot find this barrier."
