"""R35: any authentic answer is kept and shown, whatever its form; a forged, replayed or misdirected one is not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.security.webhooks import new_secret
from tests.acceptance.continuing import arrived, documents
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share, consent_of


def delivered(house: House, *services: str) -> dict[str, Any]:
    """Send a share whose answers may all come back, and wait until the services have it."""
    share = a_share(*(services or (HOUSING,)))
    for consent in share["consents"]:
        consent["returns"] = ["state", "owner", "next_step", "reason", "text"]
    receipt = house.cases.send(share)
    for service in services or (HOUSING,):
        until_true("it to arrive", lambda s=service: house.cases.delivery(receipt["id"], s)["state"] == "delivered")
    return receipt


def answers(house: House, receipt: dict[str, Any], service: str = HOUSING) -> list[dict[str, Any]]:
    """The answers to one delivery, as the sender sees them."""
    found: list[dict[str, Any]] = house.cases.delivery(receipt["id"], service)["answers"]
    return found


WORDS = [
    # status, reason, owner; then the hub's state, and whether owner and reason are asked for
    ("SUBMITTED", "", "", "received", False, False),
    ("ACCEPTED", "PREVENTION_AND_RELIEF_DUTY", "Duty desk", "accepted", False, False),
    ("ACCEPTED", "", "", "accepted", True, False),
    ("NOT_ACCEPTED", "NO_LOCAL_CONNECTION", "Sam Lee", "declined", False, False),
    ("NOT_ACCEPTED", "", "", "declined", True, True),
    ("WITHDRAWN", "NEW_REFERRAL", "Team B", "signposted", False, False),
    ("WITHDRAWN", "DISENGAGED", "", "could_not_reach", True, False),
    ("WITHDRAWN", "HOUSING_NEED_RESOLVED", "", "completed", True, False),
    ("A WORD NOBODY KNOWS", "", "", "received", False, False),
    ("accepted", "", "", "received", False, False),
    ("", "", "", "received", False, False),
]


@pytest.mark.parametrize(("status", "reason", "owner", "state", "owner_missing", "reason_missing"), WORDS)
def test_r35_whatever_a_service_says_is_kept_and_shown(
    house: House, status: str, reason: str, owner: str, state: str, owner_missing: bool, reason_missing: bool
) -> None:
    # given a delivered share
    receipt = delivered(house)
    # when the service answers in its own words
    said = {"status": status, "outcomeReason": reason, "owner": owner, "outcomeNote": "as agreed on the phone"}
    assert house.say(receipt, HOUSING, **said).status_code == 202
    # then the answer is kept and shown, and what is missing is marked, not refused
    found = until_true("the answer", lambda: answers(house, receipt))
    assert len(found) == 1
    assert (found[0]["state"], found[0]["owner"]) == (state, owner)
    assert (found[0]["owner_missing"], found[0]["reason_missing"]) == (owner_missing, reason_missing)
    assert found[0]["text"] == "as agreed on the phone"


def test_r35_what_is_missing_is_asked_for_once_through_their_own_system(house: House) -> None:
    # given a council that says yes, and neither who has it nor by when
    receipt = delivered(house)
    house.say(receipt, HOUSING, status="ACCEPTED")
    asked = arrived(house, receipt, "reply", 1)[HOUSING]
    # then its own system is asked for that, by the names of the fields and in words, and for nothing else
    note = documents(house.troupe.housing, receipt)[-1]
    assert (note["asked"], "heldBack" in note) == (["owner", "next_date"], False)
    assert "Please answer again, and say: who has it" in note["note"]
    assert asked["words"] == "Housing was told what is missing from their answer, or was not passed on."
    # when it answers again, and still says only who has it
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Duty desk")
    house.say(receipt, HOUSING, status="ACCEPTED")
    until_true("the answers", lambda: len(answers(house, receipt)) == 3)
    # then it is shown, and nothing is asked for a second time
    house.settled()
    assert len(house.rows("SELECT id FROM deliveries WHERE share_id = :id AND kind = 'reply'", id=receipt["id"])) == 1
    (event,) = house.rows(
        "SELECT detail FROM audit_events WHERE action = 'service.told' AND share_id = :id", id=receipt["id"]
    )
    assert json.loads(event["detail"]) == {"asked": ["owner", "next_date"], "held_back": []}


def test_r35_an_order_that_nobody_expects_is_kept_and_shown_as_unusual(house: House) -> None:
    # given a delivered share
    receipt = delivered(house)
    # when the service says no, then yes, then that it is done, then that it begins
    for number, status in enumerate(("NOT_ACCEPTED", "ACCEPTED", "WITHDRAWN", "ACCEPTED"), start=1):
        reason = {"outcomeReason": "HOUSING_NEED_RESOLVED"} if status == "WITHDRAWN" else {}
        house.say(receipt, HOUSING, status=status, owner="Duty desk", **reason)
        until_true("the answer", lambda n=number: len(answers(house, receipt)) == n)
    # then every word stands, in its order, the last of them marked
    found = sorted(answers(house, receipt), key=lambda each: each["at"])
    assert sorted(each["state"] for each in found) == ["accepted", "accepted", "completed", "declined"]
    assert sum(not each["usual"] for each in found) == 1
    assert house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted"


def test_r35_what_comes_back_is_cut_to_the_return_clause_and_says_so(house: House) -> None:
    # given a share whose person lets only the state come back
    share = a_share(HOUSING)
    consent_of(share, HOUSING)["returns"] = ["state"]
    receipt = house.cases.send(share)
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    # when the service says more than that
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Rowan Hale", outcomeNote="lives at number nine")
    found = until_true("the answer", lambda: answers(house, receipt))[0]
    # then the state returns, the rest is named as held back, and nothing of it is shown
    assert found["state"] == "accepted"
    assert {"owner", "text"} <= set(found["held_back"])
    assert "Rowan" not in house.cases.get(f"/v1/shares/{receipt['id']}").text
    assert "nine" not in house.cases.get(f"/v1/shares/{receipt['id']}").text


def test_r35_forged_stale_and_replayed_answers_change_nothing(house: House) -> None:
    # given a delivered share with one true answer
    receipt = delivered(house)
    body = json.dumps({"idempotencyKey": house.key_of(receipt, HOUSING), "status": "ACCEPTED"}).encode()
    at, identity = datetime.now(UTC), f"msg_{uuid.uuid4().hex}"
    assert house.callback(HOUSING, body, message_id=identity, at=at).status_code == 202
    until_true("the answer", lambda: answers(house, receipt))
    before = house.settled()

    # when the same proof comes again, the same message with a new proof, and forgeries
    changed = body.replace(b"ACCEPTED", b"NOT_ACCEPTED")
    replies = {
        "replayed": house.callback(HOUSING, body, message_id=identity, at=at),
        "forged": house.callback(HOUSING, changed, secret=new_secret()),
        "stale": house.callback(HOUSING, changed, at=at - timedelta(minutes=6)),
        "early": house.callback(HOUSING, changed, at=at + timedelta(minutes=6)),
    }
    again = house.callback(HOUSING, body, message_id=identity, at=at + timedelta(seconds=1))

    # then each forgery is refused by name, the partner's own second attempt is taken once, and nothing changed
    assert {name: reply.status_code for name, reply in replies.items()} == dict.fromkeys(replies, 401)
    assert {name: reply.json()["type"] for name, reply in replies.items()} == {
        "replayed": "/problems/callback-replayed",
        "forged": "/problems/callback-untrusted",
        "stale": "/problems/callback-expired",
        "early": "/problems/callback-clock-skew",
    }
    assert again.status_code == 202
    assert house.settled() == before


def test_r35_an_answer_through_another_services_connection_is_not_believed(new_house: Callable[..., House]) -> None:
    # given a share delivered to housing and to supported housing
    house = new_house()
    receipt = delivered(house, HOUSING, SUPPORTED)
    # when supported housing, whose secret is good, answers under housing's key
    body = json.dumps({"idempotencyKey": house.key_of(receipt, HOUSING), "status": "NOT_ACCEPTED"}).encode()
    assert house.callback(SUPPORTED, body).status_code == 202
    # then the message is kept, as one that answers nothing known, and neither delivery has an answer
    until_true(
        "the message to be judged",
        lambda: house.rows("SELECT id FROM inbox WHERE reason = 'unknown-delivery' AND attempt > 1"),
    )
    assert answers(house, receipt, HOUSING) == []
    assert answers(house, receipt, SUPPORTED) == []


@pytest.mark.parametrize("owner", [r"\ud800", r"\u0000", r"\udc00 desk"])
def test_r35_a_message_that_cannot_be_kept_never_blocks_the_next(house: House, owner: str) -> None:
    # given a delivered share
    receipt = delivered(house)
    key = house.key_of(receipt, HOUSING)
    # when the service sends characters that are not whole, and then an ordinary answer
    broken = f'{{"idempotencyKey": "{key}", "status": "ACCEPTED", "owner": "{owner}"}}'.encode()
    assert house.callback(HOUSING, broken).status_code == 202
    house.say(receipt, HOUSING, status="NOT_ACCEPTED", owner="Duty desk")
    # then the ordinary answer is there, and the broken one as far as it can be
    until_true("the next answer", lambda: "declined" in {each["state"] for each in answers(house, receipt)}, seconds=8)
    states = house.rows("SELECT state FROM inbox WHERE state = 'pending'")
    assert states == []
