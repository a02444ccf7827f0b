"""R45: the screen behind an alert's link says what is so now, what to do, and nothing of anyone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import httpx

from hub.domain.reference import spoken
from hub.sdk.testing.sandbox import Behaviour
from tests.acceptance.house import House, until_true
from tests.acceptance.signing import RIVERSIDE, Browser, signed_in
from tests.acceptance.telling import SUPPORTED, TREATMENT, a_share, story_of

SENT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday
L1_PASSED = SENT + timedelta(minutes=15, seconds=1)
L2_PASSED = datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC)
#: Where the screen says whom to ring: only while somebody still waits.
RING = "Whom to ring"
OPERATOR, OURS = "operator@hub.example", "champion@daycentre.example"


class Page(HTMLParser):
    """A page's parts by their elements, as a browser would have them."""

    def __init__(self, reply: httpx.Response) -> None:
        super().__init__()
        self.status = reply.status_code
        self.parts: dict[str, str] = {}
        self.inside: list[str] = []
        self.feed(reply.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its name
        if tag not in {"meta", "link", "input", "br"}:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self.inside:
            self.parts[tag] = f"{self.parts.get(tag, '')} {data.strip()}".strip()


def page(house: House, alert_id: str, browser: Browser | None = None) -> Page:
    """What the day centre's champion, signed in, sees behind the link."""
    browser = browser or _signed_in(house)
    led = browser.get(f"/alerts/{alert_id}")
    return Page(browser.get(led.headers["location"]))


def _signed_in(house: House) -> Browser:
    """One session a hub, so that a page is looked at again as often as a test likes."""
    if house.url not in _BROWSERS:
        _BROWSERS[house.url] = signed_in(house, RIVERSIDE)
    return _BROWSERS[house.url]


_BROWSERS: dict[str, Browser] = {}


def alert_of(house: House, receipt: dict[str, Any], kind: str = "share") -> str:
    """Wait for the first alert about a delivery of this kind, and return its id."""
    look = (
        "SELECT alerts.id FROM alerts JOIN deliveries ON deliveries.id = delivery_id"
        " WHERE share_id = :share AND deliveries.kind = :kind ORDER BY level"
    )
    found = until_true("the alert", lambda: house.rows(look, share=receipt["id"], kind=kind), seconds=10)
    return str(found[0]["id"])


def in_state(house: House, receipt: dict[str, Any], service: str, state: str) -> None:
    until_true(state, lambda: house.cases.delivery(receipt["id"], service)["state"] == state)


def test_r45_what_nobody_answered_says_so_until_it_is_opened_and_then_answered(new_house: Callable[..., House]) -> None:
    # given a share that arrived and that nobody answered in time
    house = new_house()
    share = a_share(SUPPORTED)
    receipt = house.cases.send(share)
    in_state(house, receipt, SUPPORTED, "delivered")
    house.at(L2_PASSED)
    alert_id = alert_of(house, receipt)

    # then the page says so, names the reference and how to say it, and what to do
    shown = page(house, alert_id)
    assert (shown.status, shown.parts["h1"]) == (200, "Nobody has opened this yet")
    assert receipt["reference"] in shown.parts["title"]
    assert f"{receipt['reference']} Say: {spoken(receipt['reference'])}" in shown.parts["main"]
    assert "Sent on 3:00pm on Friday 20 November Waiting 3 days" in shown.parts["main"]
    assert "Say the reference." in shown.parts["main"]
    assert RING in shown.parts["h2"]
    # and nothing of anyone
    everything = " ".join(shown.parts.values())
    assert not [text for text in story_of(share) if f" {text} " in f" {everything} "]

    # when the service opens it, then the alert is closed and not said to be answered
    assert house.say(receipt, SUPPORTED, status="RECEIVED").status_code == 202
    until_true("the page", lambda: page(house, alert_id).parts["h1"] == "The service has opened this")
    assert "They have not answered yet. You will hear again if they are late." in page(house, alert_id).parts["main"]
    assert RING not in page(house, alert_id).parts["h2"]

    # when it answers, then it says that
    assert house.say(receipt, SUPPORTED, status="ACCEPTED", owner="Duty desk").status_code == 202
    until_true("the page", lambda: page(house, alert_id).parts["h1"] == "The service has answered")
    assert "You need do nothing more about this alert." in page(house, alert_id).parts["main"]


def test_r45_what_did_not_arrive_is_not_said_to_be_answered_once_it_does(new_house: Callable[..., House]) -> None:
    # given a partner that is down for a quarter of an hour
    house = new_house()
    house.troupe.health.behave(Behaviour.DOWN)
    try:
        receipt = house.cases.send(a_share(TREATMENT))
        in_state(house, receipt, TREATMENT, "retrying")
        house.at(L1_PASSED)
        alert_id = alert_of(house, receipt)
        assert page(house, alert_id).parts["h1"] == "This has not arrived yet"
        assert "We keep trying." in page(house, alert_id).parts["main"]
        assert "Waiting 15 minutes" in page(house, alert_id).parts["main"]
        house.settled_notices()
        (mail,) = house.mails(receipt, OPERATOR)
        assert mail["subject"] == f"Not there yet: {receipt['reference']}"
    finally:
        house.troupe.health.behave(Behaviour.PROMPT)
    # when it arrives
    in_state(house, receipt, TREATMENT, "delivered")
    # then the page says that, and that an answer is still waited for
    until_true("the page", lambda: page(house, alert_id).parts["h1"] == "This has arrived")
    assert "The service has it now. You will hear again if nobody answers." in page(house, alert_id).parts["main"]


def test_r45_a_dead_letter_is_said_to_have_stopped_in_mail_and_page(new_house: Callable[..., House]) -> None:
    # given a partner that says no to it for good
    house = new_house()
    house.troupe.supported.behave(Behaviour.REFUSING)
    try:
        receipt = house.cases.send(a_share(SUPPORTED))
        in_state(house, receipt, SUPPORTED, "dead_lettered")
    finally:
        house.troupe.supported.behave(Behaviour.PROMPT)
    # then the operator hears at once, with the command that says why and no link that leads nowhere
    (mail,) = until_true("the mail", lambda: house.mails(receipt, OPERATOR))
    assert mail["subject"] == f"Could not be sent: {receipt['reference']}"
    assert f"Run `hub trace {receipt['reference']}`." in mail["text"]
    assert "/alerts/" not in mail["text"]
    # and when the clock of arriving passes, mail and page say that nothing is tried any more, and what to do
    house.at(L1_PASSED)
    alert_id = alert_of(house, receipt)
    shown = page(house, alert_id)
    assert shown.parts["h1"] == "This could not be sent"
    assert "We could not send this, and have stopped trying." in shown.parts["main"]
    assert RING in shown.parts["h2"]
    second = until_true("the second mail", lambda: house.mails(receipt, OPERATOR)[1:])[0]
    assert "have stopped trying" in second["text"]
    assert f"To see more: `hub trace {receipt['reference']}`." in second["text"]
    assert "/alerts/" not in second["text"], "the operator has no part in the console"
    assert "keep trying" not in shown.parts["main"] + second["text"]


def test_r45_a_doubt_is_said_to_be_one(new_house: Callable[..., House]) -> None:
    # given a partner that read a share and gave no reply
    house = new_house()
    council = house.troupe.supported
    council.behave(Behaviour.CRASHING, times=1)
    receipt = house.cases.send(a_share(SUPPORTED))
    council.wait()
    try:
        in_state(house, receipt, SUPPORTED, "in_doubt")
        house.at(L1_PASSED)
        shown = page(house, alert_of(house, receipt))
        assert shown.parts["h1"] == "This may not have arrived"
        assert "We are not sure that it arrived. We are checking." in shown.parts["main"]
        (mail,) = until_true("the mail", lambda: house.mails(receipt, OPERATOR))
        assert "We are not sure that it arrived. We are checking." in mail["text"]
    finally:
        council.start()


def test_r45_what_was_withdrawn_needs_nobody_and_the_request_to_stop_counts_from_itself(
    new_house: Callable[..., House],
) -> None:
    # given a share with an alert, that is withdrawn on Tuesday morning
    house = new_house()
    receipt = house.cases.send(a_share(SUPPORTED))
    in_state(house, receipt, SUPPORTED, "delivered")
    house.at(L2_PASSED)
    alert_id = alert_of(house, receipt)
    house.at(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {}).raise_for_status()
    # then nothing is to be done about that alert
    shown = page(house, alert_id)
    assert shown.parts["h1"] == "This is no longer needed"
    assert "There is nothing more to do." in shown.parts["main"]
    assert RING not in shown.parts["h2"]
    asked = "SELECT id FROM deliveries WHERE share_id = :id AND kind = 'please_stop_using' AND state = 'delivered'"
    until_true("the request to stop", lambda: house.rows(asked, id=receipt["id"]))
    # and when nobody answers the request to stop, its page and mail count from when it was made
    house.at(datetime(2026, 11, 25, 17, 0, 5, tzinfo=UTC))
    shown = page(house, alert_of(house, receipt, "please_stop_using"))
    assert shown.parts["h1"] == "Nobody has opened this yet"
    assert "Waiting 32 hours" in shown.parts["main"]
    assert "A request to stop using it" in shown.parts["main"]
    mails = until_true("the mail", lambda: house.mails(receipt, OURS)[1:])
    assert "It was sent 32 hours ago." in mails[0]["text"]


def test_r45_a_link_that_leads_nowhere_says_what_to_check(house: House) -> None:
    ours = "We cannot find this alert."
    for nothing, said in (("0" * 32, ours), ("nothing-of-ours", ours), ("%00", "We cannot find that.")):
        shown = page(house, nothing)
        assert (shown.status, shown.parts["h1"]) == (404, said), nothing
