"""R64: a device that proved its team's code is known for a while, and can be shut out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.acceptance.house import House, Troupe, open_house
from tests.acceptance.paging import TEAM, Browser, a_share_for_the_team, invited, levels, with_a_team


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with the team in it, shared by this module."""
    with open_house(tmp_path_factory.mktemp("known") / "instance", troupe, edit=with_a_team) as opened:
        yield opened


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    """A device of the team's."""
    made = Browser(house.url)
    yield made
    made.http.close()


def test_r64_a_device_is_remembered_for_a_shift_and_can_be_forgotten(house: House, browser: Browser) -> None:
    # given a device that a team asked to be remembered
    first, second = (house.cases.send(a_share_for_the_team()) for _ in range(2))
    page = browser.enter(invited(house, first), remember="yes")
    (cookie,) = [each for each in browser.http.cookies.jar if each.name == "hub_answer"]
    assert cookie.expires is not None
    assert cookie.has_nonstandard_attr("HttpOnly")
    # when it opens another share of its team, then no code is asked for, and it was received only at the button
    link = invited(house, second)
    assert browser.get(link).heading == "Something was sent to your team"
    assert levels(house, second) == {1}
    assert browser.post(link).heading == "Shared with your team"
    # when it is forgotten, then a copy of its cookie opens nothing
    kept = cookie.value
    link = invited(house, first)
    assert browser.post(f"{link}/leave", **page.hidden("/leave")).heading == "This device is forgotten"
    browser.http.cookies.set("hub_answer", str(kept), domain="127.0.0.1", path="/answer")
    assert browser.get(link).heading == "Something was sent to your team"


def test_r64_a_device_that_nobody_asked_to_remember_keeps_nothing(house: House, browser: Browser) -> None:
    # given a device on which nobody ticked to be remembered
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    browser.enter(link)
    # when its browser is closed, then its cookie is gone with it, and an hour later its copy opens nothing
    (cookie,) = [each for each in browser.http.cookies.jar if each.name == "hub_answer"]
    assert cookie.discard
    assert cookie.expires is None
    (known,) = house.rows("SELECT remembered, until - began_at AS lasts FROM devices ORDER BY began_at DESC LIMIT 1")
    assert (bool(known["remembered"]), known["lasts"]) == (False, 3600 * 1_000_000)


def test_r64_what_was_written_is_not_lost_when_a_device_s_time_runs_out(house: House, browser: Browser) -> None:
    # given a team that wrote a long answer, on a device whose time ran out meanwhile
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    browser.enter(link)
    form = browser.get(f"{link}?say=yes").hidden("/say")
    browser.http.cookies.clear()
    # when it sends it, then nothing is kept yet, and it is asked for the code
    written = {"owner": 'Ade "duty" <desk>', "words": "We will text on Monday.\nAnd ring on Tuesday."}
    asked = browser.post(
        f"{link}/say", **form, **written, **{"date-day": "30", "date-month": "11", "date-year": "2026"}
    )
    assert "What you wrote is kept on this page" in asked.words
    assert house.cases.delivery(receipt["id"], TEAM)["answer"] == "awaited"
    # when it types the code, also after a wrong one, then its answer is there to be sent
    carried = asked.hidden(link)
    again = browser.enter(link, "not-the-code", **carried)
    back = browser.enter(link, **again.hidden(link))
    assert back.heading == "Yes, we will help"
    assert written["words"].splitlines()[1] in back.words
    assert "&quot;duty&quot; &lt;desk&gt;" in back.reply.text or "&#34;duty&#34; &lt;desk&gt;" in back.reply.text
    sent = browser.post(f"{link}/say", **back.hidden("/say"), **written)
    assert sent.heading == "Your answer was sent"
    assert house.cases.delivery(receipt["id"], TEAM)["answer"] == "accepted"


def test_r64_a_team_forgets_every_device_and_a_new_code_shuts_out_the_old(house: House) -> None:
    # given two devices of a team
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    one, two = Browser(house.url), Browser(house.url)
    form = one.enter(link, remember="yes").hidden("/leave")
    assert two.enter(link, remember="yes").heading == "Shared with your team"
    # when one of them asks that every device is forgotten
    gone = one.post(f"{link}/leave", **form, whole_team="yes")
    assert gone.heading == "Every device of your team is forgotten"
    # then the other is asked for the code as well
    assert two.get(link).heading == "Something was sent to your team"
    # and a device that knew an older code than today's is one that nobody knows
    assert two.enter(link).heading == "Shared with your team"
    pages = house.hub.page_verbs.pages
    before = pages[TEAM]
    try:
        pages[TEAM] = replace(before, code=house.hub.vault.digest("team-code", "anewcode99"))
        assert two.get(link).heading == "Something was sent to your team"
    finally:
        pages[TEAM] = before
    for each in (one, two):
        each.http.close()
