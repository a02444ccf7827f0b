"""R33: whoever is sent on keeps the date they first asked and nothing else; a second time somebody looks at it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.acceptance.continuing import delivered, documents
from tests.acceptance.house import House, replace_in, until_true
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share, story_of

CHAMPION = "champion@daycentre.example"


def sent_on(house: House, share: dict[str, Any], service: str) -> str:
    """Let a service say that somebody else may help, and return the delivery it says so of."""
    receipt = delivered(house, share, service)
    house.say(receipt, service, status="WITHDRAWN", withdrawalReason="INCORRECT_LOCAL_AUTHORITY", outcomeNote="zq-why")
    until_true("it", lambda: house.cases.delivery(receipt["id"], service)["answer"] == "redirect_suggested")
    return str(house.cases.delivery(receipt["id"], service)["id"])


def on_from(delivery: str, person: Any, *services: str) -> dict[str, Any]:
    """The share that follows from it, agreed anew."""
    return a_share(*services, person=person, redirected_from=delivery)


def test_r33_the_next_service_reads_since_when_they_ask_and_nothing_of_who_sent_them_on(house: House) -> None:
    # given a person whom a council sent on, three days after they first asked
    first = a_share(HOUSING)
    delivery = sent_on(house, first, HOUSING)
    began = house.hub.now.business()
    try:
        house.at(began + timedelta(days=3))
        # when the person agrees to ask another service
        share = on_from(delivery, first["person"], SUPPORTED, TREATMENT)
        shown = house.cases.post("/v1/shares/preview", share).json()
        receipt = delivered(house, share, SUPPORTED)
    finally:
        house.at(began)
    # then each service reads the date first asked, as the preview said
    (document,) = documents(house.troupe.supported, receipt)
    assert document["firstAskedOn"] == "2026-11-20"
    parcels = {each["service"]: each["parcel"] for each in shown["deliveries"]}
    assert json.loads(parcels[SUPPORTED])["firstAskedOn"] == "2026-11-20"
    assert "Help with this was first asked for on 20 November 2026." in parcels[TREATMENT]
    # and nothing of the council, of its reference or of its answer
    earlier = [delivery, "zq-why", "another council", "City Council", "INCORRECT"]
    for parcel in (json.dumps(document), *parcels.values()):
        assert [each for each in earlier if each in parcel] == []


def test_r33_the_second_time_the_champion_hears_and_after_the_third_it_is_not_sent(house: House) -> None:
    # given a person who is sent on again and again
    share = a_share(HOUSING)
    person, told = share["person"], []
    delivery = sent_on(house, share, HOUSING)
    for service in (SUPPORTED, HOUSING, SUPPORTED):
        share = on_from(delivery, person, service)
        receipt = house.cases.send(share)
        until_true("it", lambda r=receipt, s=service: house.cases.delivery(r["id"], s)["state"] == "delivered")
        house.settled_notices()
        told.append(house.mails(receipt, CHAMPION))
        house.say(receipt, service, status="WITHDRAWN", withdrawalReason="INCORRECT_LOCAL_AUTHORITY")
        until_true(
            "it", lambda r=receipt, s=service: house.cases.delivery(r["id"], s)["answer"] == "redirect_suggested"
        )
        delivery = house.cases.delivery(receipt["id"], service)["id"]
    # then the sender's champion hears from the second time on, in a mail that tells no story
    assert [len(each) for each in told] == [0, 1, 1]
    mail = told[1][0]
    assert mail["subject"].startswith("Sent on again: ")
    assert [each for each in story_of(share) | {"Housing", "Supported"} if each in str(mail)] == []
    # and a fourth time it is not sent, and the worker is told whom to ring
    problem = refused(house.cases.post("/v1/shares", on_from(delivery, person, HOUSING)), 403)
    assert (problem["type"], problem["pointer"]) == ("/problems/redirect-limit", "/redirected_from")
    assert problem["next_step"].startswith("Ring your champion.")


def test_r33_how_often_is_the_partnership_s_own(new_house: Callable[..., House]) -> None:
    # given a partnership where nobody is sent on more than once
    def once(folder: Any) -> None:
        file = next((folder / "partnerships").glob("*.toml"))
        replace_in(file, "[operator]", "most_redirects = 1\n\n[operator]")

    house = new_house(edit=once)
    first = a_share(HOUSING)
    second = on_from(sent_on(house, first, HOUSING), first["person"], SUPPORTED)
    third = on_from(sent_on(house, second, SUPPORTED), first["person"], HOUSING)
    # then a second time is refused
    assert refused(house.cases.post("/v1/shares", third), 403)["type"] == "/problems/redirect-limit"


@pytest.mark.parametrize("whose", ["nobody's", "another partner's", "another person's", "not sent on"])
def test_r33_what_nobody_said_is_refused_alike_whatever_it_is(house: House, whose: str) -> None:
    # given a delivery that is not one of this person's that was sent on
    first = a_share(HOUSING)
    if whose == "nobody's":
        delivery = uuid.uuid4().hex
    elif whose == "not sent on":
        delivery = delivered(house, first, HOUSING)["deliveries"][0]["id"]
    else:
        delivery = sent_on(house, first, HOUSING)
    caller = house.other if whose == "another partner's" else house.cases
    person = {"reference": "P-somebody"} if whose == "another person's" else first["person"]
    share = on_from(delivery, person, SUPPORTED)
    for path in ("/v1/shares", "/v1/shares/preview"):
        # when it is named, then the same is said of each
        problem = refused(caller.post(path, share), 422)
        assert problem == _ALIKE


_ALIKE = {
    "type": "/problems/redirect-unknown",
    "title": "We know of no team there that named someone else for them.",
    "status": 422,
    "next_step": "Check which delivery it was. Leave this out if nobody sent them on.",
    "origin": "sender",
    "pointer": "/redirected_from",
}


def test_r33_a_repeat_is_answered_as_at_first_whatever_the_service_says_since(house: House) -> None:
    # given a share that was sent on, and a council that has changed its mind since
    first = a_share(HOUSING)
    receipt = delivered(house, first, HOUSING)
    delivery = receipt["deliveries"][0]["id"]
    house.say(receipt, HOUSING, status="WITHDRAWN", withdrawalReason="INCORRECT_LOCAL_AUTHORITY")
    until_true("it", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "redirect_suggested")
    share = on_from(delivery, first["person"], SUPPORTED)
    taken = house.cases.post("/v1/shares", share, key="r33-once")
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Jo")
    until_true("it", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    # then the same request gets the same answer
    again = house.cases.post("/v1/shares", share, key="r33-once")
    assert (taken.status_code, again.content) == (202, taken.content)


def test_r33_a_receiver_cannot_send_anybody_on_by_itself(house: House) -> None:
    # given a service that has a share
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    # when it says that another service should have it, and names that
    body = {"idempotencyKey": house.key_of(receipt, HOUSING), "status": "WITHDRAWN", "forwardTo": SUPPORTED}
    body["withdrawalReason"] = "INCORRECT_LOCAL_AUTHORITY"
    assert house.callback(HOUSING, json.dumps(body).encode()).status_code < 300
    until_true("it", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "redirect_suggested")
    # then nothing is sent to anybody else
    house.settled()
    assert {each["service"] for each in house.cases.read(receipt["id"])["deliveries"]} == {HOUSING}
    # and what proves a receiver's own messages opens no way to send a share
    share = json.dumps(a_share(SUPPORTED)).encode()
    assert house.callback(f"{HOUSING}/shares", share).status_code == 404
    secret = {"authorization": f"Bearer {house.troupe.callback_secret}"}
    assert house.cases.http.post("/v1/shares", content=share, headers=secret).status_code == 401
