"""R23, R48: whom to ring comes first, this is no safeguarding referral, and a lane that nobody picks up says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share

LEAD, OPERATOR = "safeguarding@council.example", "operator@hub.example"
ADULTS = "01223 000911"


def numbers(document: dict[str, Any]) -> list[str]:
    return [each["phone"] for each in document["safeguarding"]["ring"]]


def mails_of(house: House, ring: dict[str, Any], subject: str) -> list[dict[str, Any]]:
    return [each for each in house.troupe.mails() if ring["id"] in each["text"] and subject in each["subject"]]


def link_of(mail: dict[str, Any]) -> str:
    found = re.search(r"https?://\S+/rings/\S+", mail["text"])
    assert found is not None
    return found[0]


def test_r23_every_share_says_whether_someone_is_at_risk(house: House) -> None:
    # given a share that does not say
    share = a_share(HOUSING)
    del share["at_risk_now"]
    # when / then it is asked, and nothing is kept
    reply = house.cases.post("/v1/shares", share)
    assert reply.status_code == 422
    assert reply.json()["faults"] == [{"pointer": "/at_risk_now", "detail": "is missing"}]


@pytest.mark.parametrize("path", ["/v1/shares", "/v1/shares/preview"])
def test_r23_with_consent_it_goes_and_the_reply_says_first_that_it_is_no_referral(house: House, path: str) -> None:
    # given someone at risk who agreed to share / when it is sent or shown
    reply = house.cases.post(path, a_share(HOUSING, at_risk_now=True))
    # then it goes, and whom to ring stands before anything else
    assert reply.status_code in (200, 202)
    assert next(iter(reply.json())) == "safeguarding"
    assert reply.json()["safeguarding"]["words"].startswith("This has NOT made a safeguarding referral.")
    assert len(numbers(reply.json())) == 4
    assert ADULTS in numbers(reply.json())
    assert [each["service"] for each in reply.json()["deliveries"]] == [HOUSING]


def test_r23_without_consent_nothing_is_kept_and_whom_to_ring_is_said(house: House) -> None:
    # given someone at risk, and no consent
    share = a_share(HOUSING, at_risk_now=True)
    share["consents"], share["services"] = [], [HOUSING]
    before = house.settled()
    # when it is sent
    reply = house.cases.post("/v1/shares", share)
    # then this is not the route: whom to ring, and the lane, and no payload anywhere
    assert reply.status_code == 403
    assert reply.json()["type"] == "/problems/safeguarding-route"
    assert ADULTS in numbers(reply.json())
    assert reply.json()["safeguarding"]["safety_lane"] == "/v1/safety-lane"
    grown = {name for name, count in house.settled().items() if count != before[name]}
    assert grown == {"audit_events"}


def test_r48_the_lane_reaches_the_senior_contact_at_once_and_says_when_nobody_has_it(
    new_house: Callable[..., House],
) -> None:
    # given a worker who has rung nobody yet / when they use the lane
    house = new_house()
    reply = house.cases.post("/v1/safety-lane", {})
    ring = reply.json()
    # then the numbers come first, and the senior contact is told, with nothing of anyone
    assert reply.status_code == 202
    assert next(iter(ring)) == "safeguarding"
    (mail,) = until_true("the mail", lambda: mails_of(house, ring, "Ring now"), seconds=10)
    assert mail["to"] == [LEAD]
    assert "riverside" not in mail["text"].lower()
    # and while nobody picks it up
    assert house.cases.get(f"/v1/safety-lane/{ring['id']}").json()["late"] is False
    house.at(house.hub.now.business() + timedelta(minutes=15, seconds=1))
    # then it says so, in these words, and the operator and the case system hear
    seen = house.cases.get(f"/v1/safety-lane/{ring['id']}").json()
    assert (seen["late"], seen["words"]) == (True, "Nobody has picked this up. Ring.")
    late = until_true(
        "the mails",
        lambda: len(mails_of(house, ring, "Nobody has picked")) == 2 and mails_of(house, ring, "Nobody has picked"),
        seconds=10,
    )
    assert {each["to"][0] for each in late} == {LEAD, OPERATOR}
    house.rounds()
    house.settled_notices()
    assert len(mails_of(house, ring, "Nobody has picked")) == 2
    told = [entry for entry in house.troupe.webhooks.entries() if ring["id"] in entry.body.decode()]
    assert len(told) == 1


def test_r23_opening_the_link_changes_nothing_and_the_button_does(house: House) -> None:
    # given a request and its mail
    ring = house.cases.post("/v1/safety-lane", {}).json()
    (mail,) = until_true("the mail", lambda: mails_of(house, ring, "Ring now"), seconds=10)
    link = link_of(mail)
    # when a scanner opens the link
    page = httpx.get(link, timeout=10, trust_env=False)
    # then it says which team, and nobody has it
    assert "Riverside day centre" in page.text
    assert house.cases.get(f"/v1/safety-lane/{ring['id']}").json()["state"] == "waiting"
    # when the button is pressed, twice
    for _ in range(2):
        assert "You have this" in httpx.post(link, timeout=10, trust_env=False).text
    # then it is picked up, once, on record
    seen = house.cases.get(f"/v1/safety-lane/{ring['id']}").json()
    assert seen["state"] == "picked_up"
    assert seen["words"].startswith("This was picked up at ")
    picked = house.rows("SELECT actor FROM audit_events WHERE action = 'ring.picked_up'")
    assert [each["actor"] for each in picked] == ["person:safeguarding-lead"]


def test_r23_who_asked_cannot_pick_it_up_and_nobody_else_can_see_it(house: House) -> None:
    # given a request of ours
    ring = house.cases.post("/v1/safety-lane", {}).json()
    # when its link is guessed from its id, or another partner asks for it, or for it as another kind
    guessed = httpx.post(f"{house.url}/rings/{ring['id']}/{ring['id']}", timeout=10, trust_env=False)
    theirs, random = (house.other.get(f"/v1/safety-lane/{each}") for each in (ring["id"], "0" * 32))
    # then there is nothing, in the same bytes as for any other id
    assert guessed.status_code == 404
    assert theirs.status_code == random.status_code == 404
    assert theirs.content == random.content
    assert house.cases.get(f"/v1/please-ring-me/{ring['id']}").status_code == 404


def test_r23_a_repeat_asks_nobody_twice(house: House) -> None:
    first, again = (house.cases.post("/v1/safety-lane", {}, key="once-only") for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    house.settled_notices()
    assert len(mails_of(house, first.json(), "Ring now")) == 1
