"""The answer page in a real browser: each journey of a team, and every page and state on the way (R64, WCAG 2.2 AA)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.acceptance.house import House, Troupe, open_house
from tests.acceptance.paging import (
    CODE,
    MAILBOX,
    OTHER_MAILBOX,
    TEAM,
    a_share_for_the_team,
    invited,
    run_out,
    with_a_team,
)
from tests.browser.conftest import Look

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with the team in it, shared by this module."""
    with open_house(tmp_path_factory.mktemp("browsed") / "instance", troupe, edit=with_a_team) as opened:
        yield opened


@pytest.fixture
def share(house: House) -> dict[str, Any]:
    """A share that was sent to the team: its receipt, and the link that its mailbox got."""
    return sent(house)


def sent(house: House, **changes: Any) -> dict[str, Any]:
    receipt = house.cases.send(a_share_for_the_team(**changes))
    return receipt | {"link": invited(house, receipt)}


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def answer_of(house: House, share: dict[str, Any]) -> dict[str, Any]:
    """What the sender reads of the team's answer."""
    delivery: dict[str, Any] = house.cases.delivery(share["id"], TEAM)
    return delivery


def at_the_door(house: House, page: Page, share: dict[str, Any]) -> None:
    """Follow the link in the e-mail."""
    page.goto(house.url + share["link"])
    assert heading(page) == "Something was sent to your team"


def inside(house: House, page: Page, share: dict[str, Any]) -> None:
    """Follow the link and type the code."""
    at_the_door(house, page, share)
    page.get_by_label("Your team's code").fill(CODE)
    page.get_by_role("button", name="Open it").click()
    assert heading(page) == "Shared with your team"


def choose(page: Page, answer: str) -> None:
    """Choose an answer and go on to its form."""
    page.get_by_label(answer, exact=True).check()
    page.get_by_role("button", name="Continue").click()
    assert heading(page) == answer


def send(page: Page) -> None:
    page.get_by_role("button", name="Send this answer").click()


def test_r64_from_the_email_to_yes(house: House, new_page: NewPage, look: Look, share: dict[str, Any]) -> None:
    # given a team that follows the link in its e-mail
    page = new_page()
    at_the_door(house, page, share)
    look(page, "door")
    # when it types its code, then it reads what was shared: safe contact first
    inside(house, page, share)
    look(page, "story")
    headings = page.locator("h2").all_inner_texts()
    assert headings[0] == "How to make contact safely"
    assert page.get_by_text("Threatened with homelessness 56 days").count() == 1
    # when it goes on without having chosen, then it is asked to choose
    page.get_by_role("button", name="Continue").click()
    assert page.title().startswith("Error: ")
    look(page, "story-nothing-chosen")
    page.get_by_role("link", name="Choose your team's answer").click()
    assert page.evaluate("document.activeElement.id") == "say"
    # when it says yes, and who has it
    choose(page, "Yes, we will help")
    look(page, "form-yes")
    page.get_by_label(OWNER).fill("Ade, duty desk")
    page.get_by_label("Day").fill("30")
    page.get_by_label("Month").fill("11")
    page.get_by_label("Year").fill("2026")
    send(page)
    # then it is thanked, and the sender has the answer
    assert heading(page) == "Your answer was sent"
    look(page, "said")
    assert answer_of(house, share)["answer"] == "accepted"
    # and back at the link, the page says what was answered and lets it say more
    page.get_by_role("link", name="Read it again, or say something else").click()
    look(page, "story-answered")


OWNER = "Who in your team has this?"
#: What a team can say: the choice, what it fills in, what it ticks, and the state that it means.
ANSWERS: tuple[tuple[str, dict[str, str], str, str], ...] = (
    ("We have a question", {"What do you need to know?": "Which day?"}, "", "needs_info"),
    ("Please check this with the person", {}, "", "needs_info"),
    ("We could not get in touch", {}, "Nobody answered", "could_not_reach"),
    ("We can only say where else may help", {"Where else may help?": "The library"}, "", "signposted"),
    ("Another service should have this", {"Which service, and why?": "The council"}, "", "redirect_suggested"),
    (
        "No, we cannot help",
        {"Who in your team can they ask about this?": "Duty desk"},
        "We have no room now",
        "declined",
    ),
    ("Yes, but there is a wait", {OWNER: "Ade", "Day": "1", "Month": "2", "Year": "2027"}, "", "waiting_list"),
    ("It is done", {OWNER: "Ade"}, "", "completed"),
)


def test_r35_each_answer_can_be_given(house: House, new_page: NewPage, look: Look, share: dict[str, Any]) -> None:
    # given a team that reads what was shared
    page = new_page()
    inside(house, page, share)
    for number, (answer, fields, ticked, state) in enumerate(ANSWERS):
        # when it chooses each answer in turn, and fills in what is asked
        choose(page, answer)
        look(page, f"form-{number}-{state}")
        for label, value in fields.items():
            page.get_by_label(label).fill(value)
        if ticked:
            page.get_by_label(ticked).check()
        send(page)
        # then that is the answer
        assert heading(page) == "Your answer was sent"
        assert answer_of(house, share)["answer"] == state
        page.get_by_role("link", name="Read it again").click()


def test_r64_what_is_missing_is_said_by_its_field(
    house: House, new_page: NewPage, look: Look, share: dict[str, Any]
) -> None:
    # given a team that says no and fills in nothing, and a wait whose day is none
    page = new_page()
    inside(house, page, share)
    choose(page, "No, we cannot help")
    send(page)
    # then each field says what is missing, and the summary leads to it
    look(page, "form-declined-missing")
    page.get_by_role("link", name="Choose the reason").click()
    assert page.evaluate("document.activeElement.id") == "reason"
    page.get_by_role("link", name="Back").click()
    choose(page, "Yes, but there is a wait")
    for label, value in {OWNER: "Ade", "Day": "31", "Month": "2", "Year": "2027"}.items():
        page.get_by_label(label).fill(value)
    send(page)
    look(page, "form-waiting_list-no-such-day")
    # and what was typed is still there
    assert page.get_by_label(OWNER).input_value() == "Ade"
    assert answer_of(house, share)["answer"] == "awaited"


def test_r64_a_link_that_ran_out_has_one_button_and_it_sends_a_new_one(
    house: House, new_page: NewPage, look: Look, share: dict[str, Any]
) -> None:
    # given a link that ran out
    run_out(house, share["link"])
    page = new_page()
    at_the_door(house, page, share)
    page.get_by_label("Your team's code").fill(CODE)
    page.get_by_role("button", name="Open it").click()
    # when its page is read, then there is one button
    assert heading(page) == "This link does not work any more"
    look(page, "over")
    assert page.get_by_role("button").count() == 1
    # and it sends a new link to the mailbox on file
    page.get_by_role("button").click()
    assert heading(page) == "Look in your team's mailbox"
    look(page, "renewed")
    inside(house, page, share | {"link": invited(house, share, 2)})


def test_th04_five_wrong_codes_end_a_link(house: House, new_page: NewPage, look: Look, share: dict[str, Any]) -> None:
    # given somebody who guesses five times
    page = new_page()
    page.goto(house.url + share["link"])
    for number in range(5):
        page.get_by_label("Your team's code").fill(f"guess-number-{number}")
        page.get_by_role("button", name="Open it").click()
        assert page.title().startswith("Error: ")
    look(page, "door-wrong")
    # when the right code comes, then it opens nothing
    page.get_by_label("Your team's code").fill(CODE)
    page.get_by_role("button", name="Open it").click()
    assert page.title().startswith("Error: ")


def test_r64_by_keyboard_alone(house: House, new_page: NewPage, share: dict[str, Any]) -> None:
    # given somebody who uses no mouse
    page = new_page()
    page.goto(house.url + share["link"])
    keys = page.keyboard

    def focused() -> str:
        return str(page.evaluate("document.activeElement.innerText || document.activeElement.id"))

    def tab_to(what: str) -> None:
        for _ in range(40):
            keys.press("Tab")
            ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            shadow = page.evaluate("getComputedStyle(document.activeElement).boxShadow")
            assert (ring, shadow) != ("none", "none") or "radio" in page.evaluate("document.activeElement.className")
            if focused().strip() == what:
                return
        raise AssertionError(f"nobody gets to {what} by keyboard")

    # when the first key is pressed, then one can skip to what matters
    keys.press("Tab")
    assert focused() == "Skip to main content"
    # when the code is typed and sent with Enter, an answer is chosen with the space bar, and its form filled in
    tab_to("code")
    keys.type(CODE)
    keys.press("Enter")
    page.wait_for_selector("text=Shared with your team")
    tab_to("say")
    keys.press("Space")
    tab_to("Continue")
    keys.press("Enter")
    page.wait_for_selector("text=Who in your team has this?")
    tab_to("owner")
    keys.type("Ade")
    tab_to("Send this answer")
    keys.press("Enter")
    page.wait_for_selector("text=Your answer was sent")
    # then it is answered
    assert answer_of(house, share)["answer"] == "accepted"


def test_r64_without_javascript(house: House, new_page: NewPage, share: dict[str, Any]) -> None:
    # given a browser that runs no script
    page = new_page(java_script_enabled=False)
    inside(house, page, share)
    # when its team answers
    choose(page, "Yes, we will help")
    page.get_by_label(OWNER).fill("Ade")
    send(page)
    # then it is answered, and no page had a script at all
    assert heading(page) == "Your answer was sent"
    assert answer_of(house, share)["answer"] == "accepted"
    assert page.locator("script").count() == 0


def test_r64_a_remembered_device_needs_the_button_and_can_be_forgotten(
    house: House, new_page: NewPage, look: Look, share: dict[str, Any]
) -> None:
    # given a device that is to be remembered
    page = new_page()
    page.goto(house.url + share["link"])
    page.get_by_label("Remember this device for my shift").check()
    page.get_by_label("Your team's code").fill(CODE)
    page.get_by_role("button", name="Open it").click()
    # when another link comes, then no code is asked for, but the button is
    other = sent(house)
    page.goto(house.url + other["link"])
    look(page, "door-remembered")
    assert page.get_by_label("Your team's code").count() == 0
    page.get_by_role("button", name="Open it").click()
    assert heading(page) == "Shared with your team"
    # when it is forgotten, then the code is asked for again
    page.get_by_role("button", name="Forget this device").click()
    look(page, "left")
    page.get_by_role("link", name="Open the link again").click()
    assert page.get_by_label("Your team's code").count() == 1


def test_r64_a_link_is_sent_on_within_the_team_and_switched_off(
    house: House, new_page: NewPage, look: Look, share: dict[str, Any]
) -> None:
    # given a team that read what was shared
    page = new_page()
    inside(house, page, share)
    # when it sends it to its other mailbox
    page.get_by_role("link", name="Send this to another mailbox of your team").click()
    look(page, "forward")
    page.get_by_role("button", name="Send a link there").click()
    assert heading(page) == "A link is on its way"
    look(page, "forwarded")
    at_the_door(house, page, share | {"link": invited(house, share, to=OTHER_MAILBOX)})
    page.get_by_role("button", name="Open it").click()
    # and finds that it should not have come to it
    page.get_by_role("link", name="This should not have come to us").click()
    look(page, "end")
    page.get_by_role("button", name="Switch this link off").click()
    # then neither link opens anything
    assert heading(page) == "This link is switched off"
    look(page, "ended")
    page.goto(house.url + share["link"])
    assert heading(page) == "Something was sent to your team"


def test_r64_what_was_written_is_kept_when_the_time_of_a_device_runs_out(
    house: House, new_page: NewPage, look: Look, share: dict[str, Any]
) -> None:
    # given a team that writes while its device's time runs out
    page = new_page()
    inside(house, page, share)
    choose(page, "We have a question")
    page.get_by_label("What do you need to know?").fill("Which day?\nAnd where?")
    page.context.clear_cookies()
    # when it sends it, then it is asked for the code, and has it all back
    send(page)
    look(page, "door-written")
    page.get_by_label("Your team's code").fill(CODE)
    page.get_by_role("button", name="Open it").click()
    assert page.get_by_label("What do you need to know?").input_value() == "Which day?\nAnd where?"
    send(page)
    assert heading(page) == "Your answer was sent"


def test_r15_when_it_is_taken_back_the_team_is_asked_to_stop(
    house: House, new_page: NewPage, look: Look, share: dict[str, Any]
) -> None:
    # given a team that read what was shared
    page = new_page()
    inside(house, page, share)
    # when the person takes it back
    house.cases.post(f"/v1/consents/{share['consent']}/withdraw", {})
    page.reload()
    # then nothing of it is there, and a link of its own asks the team to stop
    assert heading(page) == "There is nothing to read here any more"
    look(page, "closed")
    page.goto(house.url + invited(house, share, 2, to=MAILBOX))
    page.get_by_role("button", name="Open it").click()
    assert heading(page) == "Please stop using this"
    look(page, "stop")
    choose(page, "We must keep some of it")
    look(page, "form-kept")


def test_r69_when_the_person_has_died(house: House, new_page: NewPage, look: Look, share: dict[str, Any]) -> None:
    # given a team that heard of it
    page = new_page()
    inside(house, page, share)
    choose(page, "We were told that the person has died")
    look(page, "form-died")
    # when it says so, then the page closes in kind words
    send(page)
    page.goto(house.url + share["link"])
    assert page.get_by_text("We are so sorry").count() == 1
    look(page, "closed-died")


def test_r64_what_goes_wrong_is_told_on_a_page(
    house: House, new_page: NewPage, look: Look, share: dict[str, Any]
) -> None:
    # given a page whose form was changed on the way
    page = new_page()
    inside(house, page, share)
    choose(page, "Yes, we will help")
    page.locator("input[name=form_token]").evaluate("each => { each.value = 'another' }")
    # when it is sent, then a page says what to do next
    send(page)
    assert heading(page) == "This did not come from one of our pages."
    look(page, "problem")
    assert answer_of(house, share)["answer"] == "awaited"
