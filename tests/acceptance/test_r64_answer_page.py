"""R64: a team with no system reads what was shared with it on a page, and its answer there is the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_mailbox.sandbox import Team

from tests.acceptance.house import House, Troupe, open_house, until_true
from tests.acceptance.paging import (
    CODE,
    MAILBOX,
    OTHER_MAILBOX,
    TEAM,
    Browser,
    a_share_for_the_team,
    invited,
    levels,
    run_out,
    with_a_team,
)
from tests.acceptance.telling import story_of, told_strings


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with the team in it, shared by this module."""
    with open_house(tmp_path_factory.mktemp("paged") / "instance", troupe, edit=with_a_team) as opened:
        yield opened


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    """A device of the team's."""
    made = Browser(house.url)
    yield made
    made.http.close()


def events(house: House, receipt: dict[str, Any], like: str) -> list[str]:
    found = house.rows(
        "SELECT action FROM audit_events WHERE share_id = :share AND action LIKE :like ORDER BY id",
        share=receipt["id"],
        like=like,
    )
    return [row["action"] for row in found]


def test_r64_from_the_email_to_an_answer(house: House, browser: Browser) -> None:
    # given a share for a team that has a mailbox alone
    share = a_share_for_the_team()
    receipt = house.cases.send(share)
    link = invited(house, receipt)
    until_true("L1", lambda: levels(house, receipt) == {1})
    # when a scanner of mail fetches the link, then nothing has changed
    for method in ("GET", "HEAD"):
        assert browser.http.request(method, link).status_code == 200
    assert levels(house, receipt) == {1}
    assert events(house, receipt, "invite.opened") == []
    # when the team types its code, in its own way of writing it
    page = browser.enter(link, "Kettle Otter 42")
    # then it was received, and shows what the person agreed to share, safe contact first
    assert (page.status, page.heading) == (200, "Shared with your team")
    assert levels(house, receipt) == {1, 2}
    assert receipt["reference"] in page.words
    order = ["How to make contact safely", "Take care", "What they ask", "In their own words", "Your team's answer"]
    places = [page.words.index(each) for each in order]
    assert places == sorted(places)
    assert "Safe to text" in page.words
    assert "heroin" not in page.words
    assert events(house, receipt, "share.read") == ["share.read"]
    # when it says yes
    done = browser.say(link, "yes", owner="Ade, duty desk", words="We will text on Monday.")
    # then that is the answer
    assert done.heading == "Your answer was sent"
    assert (
        "Please answer again, and say: a date" in done.words,
        "We did not pass on: the words with it" in done.words,
    ) == (True, True)
    assert levels(house, receipt) == {1, 2, 3}
    delivery = house.cases.delivery(receipt["id"], TEAM)
    assert (delivery["answer"], delivery["answers"][-1]["owner"]) == ("accepted", "Ade, duty desk")
    assert delivery["answers"][-1]["text"] == ""  # R21: this consent lets no words come back
    house.settled()
    assert house.told(receipt, "delivery.answered")


def test_r45_neither_email_nor_link_holds_anything_of_anyone(house: House) -> None:
    # given, when a team was invited
    share = a_share_for_the_team()
    receipt = house.cases.send(share)
    invited(house, receipt)
    (mail,) = house.mails(receipt, MAILBOX)
    # then its headers, subject, words and link name nobody, no need, no place and no service
    raw = mail["raw"].lower()
    said = {text.lower() for text in told_strings(share) | story_of(share)}
    assert len(said) > 10
    assert [text for text in said if text in raw] == []
    assert "floating" not in raw
    assert CODE not in raw


def test_r64_one_answer_however_often_it_is_posted(house: House, browser: Browser) -> None:
    # given a team that opened a share
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    browser.enter(link)
    form = browser.get(f"{link}?say=no").hidden("/say")
    answer = {"owner": "Duty desk", "reason": "no-room-now"}
    # when it posts its answer twice
    assert browser.post(f"{link}/say", **form, **answer).heading == "Your answer was sent"
    assert browser.post(f"{link}/say", **form, **answer).heading == "Your answer was sent"
    # then it was said once
    delivery = house.cases.delivery(receipt["id"], TEAM)
    assert [each["state"] for each in delivery["answers"]] == ["declined"]


def test_r64_what_is_missing_is_said_by_its_field(house: House, browser: Browser) -> None:
    # given a team that says that there is a wait
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    browser.enter(link)
    # when it says neither who nor when, and a day that is none
    page = browser.say(link, "later", **{"date-day": "31", "date-month": "2", "date-year": "2027"})
    # then both are asked for, and nothing was said
    assert page.status == 422
    assert "Say who has this: a person, a team or a duty desk" in page.words
    assert "Enter a real date, such as 27 3 2027" in page.words
    assert house.cases.delivery(receipt["id"], TEAM)["answer"] == "awaited"


@pytest.mark.parametrize(
    ("say", "fields", "state"),
    [
        ("later", {"owner": "Ade", "date-day": "1", "date-month": "2", "date-year": "2027"}, "waiting_list"),
        (
            "not-reached",
            {"reason": "not-in-touch", "date-day": "9", "date-month": "12", "date-year": "2026"},
            "could_not_reach",
        ),
        ("done", {"owner": "Duty desk"}, "completed"),
        ("question", {"words": "Which day suits them?"}, "needs_info"),
        ("another", {"words": "The council next door."}, "redirect_suggested"),
        ("signpost", {"words": "The day centre's own list."}, "signposted"),
        ("check", {}, "needs_info"),
    ],
)
def test_r35_whatever_the_team_says_is_an_answer(
    house: House, browser: Browser, say: str, fields: dict[str, str], state: str
) -> None:
    # given a team that opened a share
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    browser.enter(link)
    # when it answers
    assert browser.say(link, say, **fields).heading == "Your answer was sent"
    # then the sender sees it
    delivery = house.cases.delivery(receipt["id"], TEAM)
    assert delivery["answer"] == state
    assert delivery["answers"][-1]["check_with_person"] is (say == "check")


def test_r15_a_page_closes_when_the_person_takes_it_back(house: House, browser: Browser) -> None:
    # given a team that reads a share
    share = a_share_for_the_team()
    receipt = house.cases.send(share)
    link = invited(house, receipt)
    assert browser.enter(link).heading == "Shared with your team"
    # when the person withdraws
    withdrawn = house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {})
    assert withdrawn.status_code in {200, 202}, withdrawn.text
    # then the page shows nothing of it any more, in kind words
    page = browser.get(link)
    assert page.heading == "There is nothing to read here any more"
    assert "please stop using it" in page.words
    assert [text for text in story_of(share) if text in page.words] == []
    # and the team is asked to stop by a page of its own, and can say that it has
    asked = invited(house, receipt, 2)
    assert asked != link
    assert browser.enter(asked).heading == "Please stop using this"
    assert browser.say(asked, "stopped").heading == "Your answer was sent"
    # and what it would say of the share itself is not kept
    assert browser.post(f"{link}/say", say="yes", owner="Ade").heading == "This did not come from one of our pages."


def test_r69_a_page_closes_kindly_when_the_person_has_died(house: House, browser: Browser) -> None:
    # given a team that opened a share and heard that the person has died
    share = a_share_for_the_team()
    receipt = house.cases.send(share)
    link = invited(house, receipt)
    browser.enter(link)
    # when it says so
    assert browser.say(link, "died").heading == "Your answer was sent"
    # then nothing is shown any more
    page = browser.get(link)
    assert "We are so sorry" in page.words
    assert [text for text in story_of(share) if text in page.words] == []


def test_th04_five_wrong_codes_end_a_link_and_a_new_one_goes_to_the_mailbox_on_file(
    house: House, browser: Browser
) -> None:
    # given a link and somebody who guesses
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    for number in range(5):
        assert browser.enter(link, f"guess-number-{number}").status == 403
    # when the right code comes too late, then it opens nothing
    assert browser.enter(link).status == 403
    assert levels(house, receipt) == {1}
    assert events(house, receipt, "invite.refused") == ["invite.refused"] * 6
    # when a new one is asked for, then it goes to the team's mailbox, and works
    assert browser.post(f"{link}/renew").heading == "Look in your team's mailbox"
    fresh = invited(house, receipt, 2)
    assert fresh != link
    assert browser.enter(fresh).heading == "Shared with your team"
    # and asking again at once sends nothing more
    browser.post(f"{link}/renew")
    house.settled_notices()
    assert len(house.mails(receipt, MAILBOX)) == 2


def test_r64_a_link_that_ran_out_offers_a_new_one(house: House, browser: Browser) -> None:
    # given a link that ran out
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    run_out(house, link)
    # when the team types its code, then nothing is shown but how to have a new one
    page = browser.enter(link)
    assert page.heading == "This link does not work any more"
    assert levels(house, receipt) == {1}
    # and one press sends it
    browser.post(f"{link}/renew")
    assert browser.enter(invited(house, receipt, 2)).heading == "Shared with your team"


@pytest.mark.parametrize("step", ["renew", "leave", "say"])
def test_r64_the_address_of_a_posted_form_leads_back_to_its_link(house: House, browser: Browser, step: str) -> None:
    # given, when, then
    reply = browser.http.get("/answer/" + "0" * 48 + f"/{step}", follow_redirects=False)
    assert (reply.status_code, reply.headers["location"]) == (303, "/answer/" + "0" * 48)


def test_r64_a_team_sends_a_link_to_another_of_its_own_mailboxes(house: House, browser: Browser) -> None:
    # given a team that opened a share, and another mailbox that was agreed for it
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    browser.enter(link)
    form = browser.get(f"{link}/forward").hidden("/forward")
    # when it names a mailbox that nobody agreed on, then nothing is sent
    refused = browser.post(f"{link}/forward", **form, mailbox="me@home.example")
    assert (refused.status, "Choose one of these mailboxes" in refused.words) == (422, True)
    # when it names one of its own, then a link of its own goes there, once, and the same code opens it
    assert browser.post(f"{link}/forward", **form, mailbox=OTHER_MAILBOX).heading == "A link is on its way"
    assert browser.post(f"{link}/forward", **form, mailbox=OTHER_MAILBOX).status == 422
    there = invited(house, receipt, to=OTHER_MAILBOX)
    assert there != link
    other = Browser(house.url)
    assert other.enter(there).heading == "Shared with your team"
    other.http.close()
    house.settled_notices()
    assert len(house.mails(receipt, OTHER_MAILBOX)) == 1
    assert house.mails(receipt, "me@home.example") == []


def test_r64_a_link_that_came_to_the_wrong_team_is_switched_off(house: House, browser: Browser) -> None:
    # given a team that should not have had it
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    browser.enter(link)
    # when it switches the link off, and says so again
    asked = browser.get(f"{link}/end")
    assert levels(house, receipt) == {1, 2}
    assert browser.post(f"{link}/end", **asked.hidden("/end")).heading == "This link is switched off"
    # then it opens nothing, and no new one goes to that mailbox
    assert browser.get(link).heading == "Something was sent to your team"
    assert browser.enter(link).heading == "This link does not work any more"
    browser.post(f"{link}/renew")
    house.settled_notices()
    assert len(house.mails(receipt, MAILBOX)) == 1
    # and the operator hears of it at once, for what came to the wrong team was read there
    (told,) = house.mails(receipt, "operator@hub.example")
    assert "wrong team" in told["subject"]


def test_th19_a_form_of_another_site_does_nothing(house: House, browser: Browser) -> None:
    # given a team that reads a share
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    browser.enter(link)
    form = browser.get(f"{link}?say=yes").hidden("/say") | {"owner": "Mallory"}
    # when a form is posted from elsewhere, from nowhere, or without its page's token
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {}):
        assert browser.http.post(f"{link}/say", data=form, headers=headers).status_code == 403
    assert browser.post(f"{link}/say", **form | {"form_token": "0" * 64}).status == 403
    # then nothing was said
    assert house.cases.delivery(receipt["id"], TEAM)["answer"] == "awaited"


def test_r64_the_team_of_the_sandbox_answers(house: House) -> None:
    # given a share for the team
    receipt = house.cases.send(a_share_for_the_team())
    invited(house, receipt)
    (mail,) = house.mails(receipt, MAILBOX)
    # when a device of its own reads the e-mail, types the code and answers
    team = Team(CODE)
    assert "Shared with your team" in team.read(mail["text"])
    assert "Your answer was sent" in team.answer(mail["text"], "yes", owner="Ade")
    # then the sender has the answer
    assert house.cases.delivery(receipt["id"], TEAM)["answer"] == "accepted"


def test_r50_a_mailbox_that_is_not_there_is_told(new_house: Callable[..., House]) -> None:
    # given a team whose mailbox nobody wrote down
    def elsewhere(folder: Path) -> None:
        with_a_team(folder)
        file = folder / "services" / f"{TEAM}.toml"
        file.write_text(file.read_text().replace(f'address = "{MAILBOX}"', 'address = "nobody"'), encoding="utf-8")

    house = new_house(edit=elsewhere)
    # when something is shared with it, then it is stopped at once and said so
    receipt = house.cases.send(a_share_for_the_team())
    until_true("the end", lambda: house.cases.delivery(receipt["id"], TEAM)["state"] == "dead_lettered")
    house.settled()
    assert house.mails(receipt, "operator@hub.example")
