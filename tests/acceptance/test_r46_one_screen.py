"""R46: from one screen a champion does all that an alert needs, unseen and once; every act returns to the sender."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.acceptance.following_up import (
    CHAMPION,
    COUNCIL,
    DEPUTY,
    MANAGER,
    Late,
    act,
    at_console,
    late,
    text_of,
    with_a_ladder,
)
from tests.acceptance.house import House, Troupe, open_house, until_true
from tests.acceptance.signing import Browser
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share, told_strings

ACTS = ("take", "nudge", "hear", "offer", "barrier", "escalate", "snooze", "close", "learn")
HEARD = {
    "hear_state": "accepted", "hear_how": "phone", "hear_on_day": "23", "hear_on_month": "11", "hear_on_year": "2026",
    "hear_by": "Jo", "hear_to": "Ashley", "hear_owner": "Jo, duty desk", "hear_next_day": "30",
    "hear_next_month": "11", "hear_next_year": "2026", "hear_text": "They have a room.",
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with a whole ladder, shared by this module."""
    with open_house(tmp_path_factory.mktemp("one-screen") / "instance", troupe, edit=with_a_ladder) as opened:
        yield opened


@pytest.fixture
def alert(house: House) -> Late:
    """A share that nobody opened in time."""
    return late(house)


@pytest.fixture
def ashley(house: House) -> Browser:
    """The day centre's champion, signed in."""
    return at_console(house)


def test_r46_every_act_is_on_one_screen_and_no_story(house: House, ashley: Browser) -> None:
    # given an alert about a share; when the champion opens it
    share = a_share(SUPPORTED)
    alert = late(house, sections=share["sections"], trusted_person=share["trusted_person"])
    page = ashley.get(alert.path)
    # then all that can be done is there, with what is owed, how late it is, and whom to ring
    forms = set(re.findall(rf'action="{alert.path}/(\w+)"', page.text))
    assert forms == set(ACTS)
    words = text_of(page)
    for said in (alert.receipt["reference"], "Supported housing", "1 minute late", "Whom to ring", "01223 000200"):
        assert said in words, said
    contact = share["trusted_person"]["contact"]
    assert contact["role"] in words
    # and nothing of the person or their story, on it or in the list
    listed = text_of(ashley.get("/console/follow-up"))
    secret = told_strings(share) - set(contact.values()) - {"the person"}
    assert len(secret) > 10
    assert [text for text in secret if re.search(rf"\b{re.escape(text)}\b", words + listed)] == []
    assert len(page.content) < 50_000


@pytest.mark.parametrize(
    ("name", "fields", "topic"),
    [
        ("take", {}, "alert.taken"),
        ("nudge", {}, "alert.nudged"),
        ("hear", HEARD, "delivery.answered"),
        ("offer", {"offer_service": HOUSING}, "service.offered"),
        ("barrier", {"barrier_door": "silence:unanswered"}, "barrier.recorded"),
        ("escalate", {"escalate_to": "network_manager", "escalate_reason": "no_reply"}, "alert.escalated"),
        (
            "snooze",
            {"snooze_until_day": "25", "snooze_until_month": "11", "snooze_until_year": "2026",
             "snooze_reason": "answer_promised"},
            "alert.snoozed",
        ),
        ("close", {"close_reason": "answered_elsewhere"}, "alert.closed"),
    ],
)  # fmt: skip
def test_r46_every_act_returns_to_the_trusted_person(
    house: House, ashley: Browser, alert: Late, name: str, fields: dict[str, str], topic: str
) -> None:
    # when a champion does it
    reply = act(ashley, alert, name, **fields)
    # then the screen says so
    assert (reply.status_code, reply.headers["location"]) == (303, f"{alert.path}?done={name}")
    shown = ashley.get(reply.headers["location"])
    assert 'role="status"' in shown.text
    # and the sender's case system hears of it, by ids alone
    (said,) = alert.told(topic)
    assert said["data"]["share"] == alert.receipt["id"]
    # and it stands in the log as this person's
    done = house.rows("SELECT action FROM audit_events WHERE actor = :who AND share_id = :share",
                      who=f"person:{CHAMPION}", share=alert.receipt["id"])  # fmt: skip
    assert topic in {row["action"] for row in done}


def test_r46_a_form_that_is_sent_twice_is_done_once(house: House, ashley: Browser, alert: Late) -> None:
    # when somebody presses twice, each time with the form that they had
    for name, fields in (("nudge", {}), ("offer", {"offer_service": HOUSING}), ("hear", HEARD)):
        replies = [act(ashley, alert, name, once="same", **fields) for _ in range(2)]
        # then both say that it is done
        assert [each.status_code for each in replies] == [303, 303], name
    # and it was done once
    counted = "SELECT action, count(*) AS n FROM audit_events WHERE share_id = :share GROUP BY action"
    found = {row["action"]: row["n"] for row in house.rows(counted, share=alert.receipt["id"])}
    assert [found[each] for each in ("alert.nudged", "service.offered", "delivery.heard")] == [1, 1, 1]


@pytest.mark.parametrize("name", ["hear", "offer", "barrier", "escalate", "snooze", "close", "learn"])
def test_r46_what_is_missing_is_said_by_its_field(ashley: Browser, alert: Late, name: str) -> None:
    # when a form is sent with nothing in it
    reply = act(ashley, alert, name)
    # then the screen comes back with a summary, and every line of it leads to its field
    assert reply.status_code == 422
    assert "There is a problem" in reply.text
    assert "<title>Error: " in reply.text
    summary = reply.text.split("govuk-error-summary__list")[1].split("</ul>")[0]
    places = re.findall(r'href="#([\w-]+)"', summary)
    assert places
    for place in places:
        assert f'id="{place}"' in reply.text, place
    assert re.search(rf'<details class="govuk-details" id="{name}" open>', reply.text)
    assert len(reply.content) < 50_000


def test_r46_what_cannot_be_done_says_why_and_what_next(ashley: Browser, alert: Late) -> None:
    # given a service that was asked a moment ago
    assert act(ashley, alert, "nudge").status_code == 303
    # when it is asked again
    reply = act(ashley, alert, "nudge")
    # then that is said, with what to do
    assert reply.status_code == 409
    assert "asked again less than an hour ago. Ring the service, or hand this up." in text_of(reply)


def test_r46_words_about_a_person_are_no_barrier(house: House, ashley: Browser, alert: Late) -> None:
    reply = act(ashley, alert, "barrier", barrier_door="silence:unanswered", barrier_words="Sam Carter rang on 3 May")
    assert reply.status_code == 422
    assert 'href="#barrier-words"' in reply.text
    assert house.rows("SELECT id FROM barriers WHERE service_id = :id", id="nobody") == []
    # what was typed is still there to be put right
    assert "Sam Carter rang on 3 May" in text_of(reply)


def test_r64_what_a_champion_heard_on_the_telephone_is_the_answer(house: House, ashley: Browser, alert: Late) -> None:
    assert act(ashley, alert, "hear", **HEARD).status_code == 303
    # then the trusted person reads it as said on the phone, and the alert is closed
    delivery = alert.delivery
    assert (delivery["answer"], delivery["owner"]) == ("accepted", "Jo, duty desk")
    assert "Jo told Ashley by phone" in delivery["words"]
    assert "They have a room." in str(delivery["answers"])
    assert alert.row["state"] == "closed"
    # and the screen says that it is answered, shows no word of it, and offers to share a win
    page = ashley.get(alert.path)
    assert "The service has answered" in text_of(page)
    assert "They have a room." not in page.text
    assert set(re.findall(rf'action="{alert.path}/(\w+)"', page.text)) == {"win", "learn"}
    assert act(ashley, alert, "win", win_help="answered_fast").status_code == 303
    assert house.rows("SELECT number FROM tallies WHERE what = 'win' AND name = 'answered_fast'")


def test_r44_the_receiver_s_champion_sees_it_and_can_say_that_they_have_it(house: House, alert: Late) -> None:
    # given the champion of the service's own organisation
    robin = at_console(house, COUNCIL)
    page = robin.get(alert.path)
    assert set(re.findall(rf'action="{alert.path}/(\w+)"', page.text)) == {"take", "learn"}
    assert "Your own team owes this" in text_of(page)
    # when they say that they have it
    assert act(robin, alert, "take").status_code == 303
    # then the sender's champion sees so, and still holds it
    assert "Robin said that they have this." in text_of(at_console(house).get(alert.path))
    assert alert.row["holder"] == CHAMPION
    # and may do nothing else
    assert act(robin, alert, "close", close_reason="no_longer_needed").status_code == 404


def test_r46_taking_it_over_is_said_to_whoever_had_it(house: House, ashley: Browser, alert: Late) -> None:
    assert act(ashley, alert, "take").status_code == 303
    dee = at_console(house, DEPUTY)
    assert "Ashley said that they have this." in text_of(dee.get(alert.path))
    assert act(dee, alert, "take").status_code == 409
    assert act(dee, alert, "take", instead="yes").status_code == 303
    assert (alert.row["holder"], alert.row["taken_by"]) == (DEPUTY, DEPUTY)
    until_true("the mail", lambda: house.mails(alert.receipt, "champion@daycentre.example"))


def test_th02_an_alert_of_others_is_like_none(house: House, alert: Late) -> None:
    # given a champion of another organisation; when they ask for the alert, or act on it
    stranger = at_console(house, "champion-trust")
    there, none = stranger.get(alert.path), stranger.get("/console/alerts/" + "0" * 32)
    # then it is like one that never was
    assert (there.status_code, none.status_code) == (404, 404)
    assert there.text == none.text
    token = stranger.form_token()
    assert stranger.post(f"{alert.path}/take", form_token=token, once="x").status_code == 404
    assert alert.row["taken_by"] is None
    # and that somebody tried is written down
    refused = "SELECT actor FROM audit_events WHERE action = 'alert.read_refused' AND actor = 'person:champion-trust'"
    assert house.rows(refused)


def test_r48_history_travels_to_whoever_gets_it(house: House, ashley: Browser, alert: Late) -> None:
    act(ashley, alert, "nudge")
    act(ashley, alert, "escalate", escalate_to="network_manager", escalate_reason="not_mine_to_decide")
    words = text_of(at_console(house, MANAGER).get(alert.path))
    for said in ("Asked the service again Ashley", "Handed up to Nell (network manager)", "I cannot decide this",
                 "The share was sent to us", "You (network manager)"):  # fmt: skip
        assert said in words, said


def test_r45_the_link_in_the_email_leads_to_the_alert_through_the_sign_in(house: House, alert: Late) -> None:
    # given the e-mail
    mail = until_true("the mail", lambda: house.mails(alert.receipt, "champion@daycentre.example"))[-1]
    link = next(word for word in mail["text"].split() if word.startswith(house.url)).removeprefix(house.url)
    # when its link is followed by somebody who is not signed in
    browser = Browser(house.url)
    first = browser.get(link)
    assert (first.status_code, first.headers["location"]) == (303, alert.path)
    # then they are led to sign in, and shown nothing; and whoever is signed in sees the alert
    second = browser.get(first.headers["location"])
    assert (second.status_code, second.headers["location"]) == (303, f"/console/sign-in?next={alert.path}")
    assert alert.receipt["reference"] not in first.text + second.text
    assert alert.receipt["reference"] in at_console(house).get(alert.path).text
    assert alert.row["opened_at"] is not None
