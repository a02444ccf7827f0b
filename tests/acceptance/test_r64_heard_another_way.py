"""R64: what a service said by telephone counts as its answer; the clocks stop, and the service gets a copy."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance.house import House, until_true
from tests.acceptance.telling import SUPPORTED, TREATMENT, a_share

HEARD = {
    "state": "declined",
    "how": "phone",
    "on": "2026-11-20",
    "told_to": "Jo at the front desk",
    "said_by": "The team leader",
    "owner": "Team leader",
    "reason": "no room before spring",
    "text": "They said to try again in March.",
}


def _arrived(house: House) -> tuple[dict[str, Any], str]:
    receipt = house.cases.send(a_share(SUPPORTED))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "delivered")
    return receipt, receipt["deliveries"][0]["id"]


#: How a council's note says who was told, and how.
_TOLD = {"toldTo": "told_to", "saidBy": "said_by", "how": "how", "on": "on"}


def _notes(house: House, receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """The notes that supported housing has filed about one share."""
    entries = [each for each in house.troupe.supported.entries() if each.effect and each.path.endswith("/notes")]
    said = [json.loads(each.body) for each in entries]
    key = house.key_of(receipt, SUPPORTED)
    return [each for each in said if each["referralKey"] == key]


def _copies(house: House, receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """The copies of what was heard, as the sender's report has them."""
    return [each for each in house.cases.read(receipt["id"])["deliveries"] if each["kind"] == "reply"]


def _clocks(house: House, delivery_id: str) -> dict[int, str]:
    found = house.rows("SELECT level, state FROM clocks WHERE delivery_id = :id", id=delivery_id)
    return {row["level"]: row["state"] for row in found}


def test_r64_by_phone_it_counts_the_clocks_stop_and_the_service_gets_a_copy(new_house: Callable[..., House]) -> None:
    # given a delivered share whose receipt is overdue, with an alert
    house = new_house()
    receipt, delivery_id = _arrived(house)
    house.at(datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC))
    until_true("the alert", lambda: house.rows("SELECT id FROM alerts WHERE state = 'open'"), seconds=10)

    # when the trusted person writes down what the team leader said on the telephone
    reply = house.cases.post(f"/v1/deliveries/{delivery_id}/heard", HEARD)
    assert reply.status_code == 201, reply.text

    # then it is the answer, shown as what was told to whom, and how, and when
    found = house.cases.delivery(receipt["id"], SUPPORTED)
    assert found["answer"] == "declined"
    assert found["level"] == "L3"
    assert "The team leader told Jo at the front desk by phone on Friday 20 November." in found["words"]
    answer = found["answers"][0]
    assert (answer["owner"], answer["reason"], answer["source"]) == ("Team leader", HEARD["reason"], "heard")
    assert answer["text"] == HEARD["text"]
    # and every clock has stopped or had passed, the alert is closed, and nothing is overdue
    assert set(_clocks(house, delivery_id).values()) <= {"stopped", "passed"}
    assert _clocks(house, delivery_id)[3] == _clocks(house, delivery_id)[4] == "stopped"
    assert house.rows("SELECT id FROM alerts WHERE state = 'open'") == []
    assert found["overdue"] is False
    # and the service has a copy of it on its own referral, which it can correct
    copy = until_true("the copy", lambda: _notes(house, receipt))
    assert len(copy) == 1
    assert copy[0]["answer"] == {
        "state": "declined",
        "owner": "Team leader",
        "words": HEARD["text"],
        "reason": HEARD["reason"],
    }
    assert copy[0]["heard"] == {name: HEARD[key] for name, key in _TOLD.items()}
    until_true("the hub to know that it is there", lambda: _copies(house, receipt)[0]["level"] == "L2")
    assert _copies(house, receipt)[0]["words"] == "Supported housing has a copy of what was written down."
    assert house.mails(receipt, "duty@council.example") == []
    # and nobody is ever told that anything is late
    house.at(datetime(2026, 12, 24, 12, 0, tzinfo=UTC))
    house.rounds(3)
    assert house.rows("SELECT count(*) AS n FROM alerts") == [{"n": 1}]


def test_r64_a_service_whose_way_has_no_notes_gets_a_mail_that_says_nothing(house: House) -> None:
    # given a share with a service that is reached by BaRS
    receipt = house.cases.send(a_share(TREATMENT))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], TREATMENT)["state"] == "delivered")
    # when its answer is heard by phone
    reply = house.cases.post(f"/v1/deliveries/{receipt['deliveries'][0]['id']}/heard", HEARD)
    assert reply.status_code == 201, reply.text
    # then it has a mail with the reference, and none of what was said
    address = house.hub.directory.services[TREATMENT].email
    copies = until_true("the mail", lambda: house.mails(receipt, address))
    assert len(copies) == 1
    assert not [text for text in HEARD.values() if len(text) > 5 and text in copies[0]["raw"].replace("=\n", "")]
    assert _copies(house, receipt) == []


def test_r64_what_was_heard_can_be_corrected_by_the_service_itself(house: House) -> None:
    # given an answer that was written down after a call
    receipt, delivery_id = _arrived(house)
    house.cases.post(f"/v1/deliveries/{delivery_id}/heard", HEARD).raise_for_status()
    # when the service's own answer says otherwise
    assert house.say(receipt, SUPPORTED, status="ACCEPTED", owner="Duty desk").status_code == 202
    # then theirs is the answer now, and both are kept
    found = until_true(
        "the correction",
        lambda: (
            one := house.cases.delivery(receipt["id"], SUPPORTED),
            one if one["answer"] == "accepted" else None,
        )[1],
    )
    assert {each["state"] for each in found["answers"]} == {"declined", "accepted"}
    assert {each["source"] for each in found["answers"]} == {"heard", "message"}


@pytest.mark.parametrize(("how", "words"), [("meeting", "at a meeting"), ("email", "by email")])
def test_r64_a_meeting_or_a_plain_email_counts_too(house: House, how: str, words: str) -> None:
    # given a delivered share
    receipt, delivery_id = _arrived(house)
    # when it was answered that way
    house.cases.post(
        f"/v1/deliveries/{delivery_id}/heard", HEARD | {"how": how, "state": "accepted"}
    ).raise_for_status()
    # then it says so
    found = house.cases.delivery(receipt["id"], SUPPORTED)
    assert f"The team leader told Jo at the front desk {words} on" in found["words"]
    # and no reply is due any more, though the clock for what comes of it runs
    assert _clocks(house, delivery_id)[4] == "running"
    assert found["reply_by"] is None


def test_r64_what_was_only_heard_is_the_answer_and_the_share_is_still_sent(new_house: Callable[..., House]) -> None:
    # given a share that cannot get through, for the partner is down
    house = new_house()
    house.troupe.supported.stop()
    try:
        receipt = house.cases.send(a_share(SUPPORTED))
        until_true("a try", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "retrying")
        # when the trusted person rings them instead and is told yes
        delivery_id = receipt["deliveries"][0]["id"]
        said = HEARD | {"state": "accepted", "next_date": "2026-11-25"}
        house.cases.post(f"/v1/deliveries/{delivery_id}/heard", said).raise_for_status()
        # then it is the answer, and nobody takes it for proof that the share is there
        found = house.cases.delivery(receipt["id"], SUPPORTED)
        assert (found["answer"], found["state"]) == ("accepted", "retrying")
        clocks = _clocks(house, delivery_id)
        assert {level for level, state in clocks.items() if state == "running"} == {0, 1, 4}
    finally:
        house.troupe.supported.start()
    # and once the partner is back they get it, and the yes still stands
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "delivered", 60)
    assert house.cases.delivery(receipt["id"], SUPPORTED)["answer"] == "accepted"
    assert {level for level, state in _clocks(house, delivery_id).items() if state == "running"} == {4}


def test_r64_the_same_note_sent_again_is_one_note(house: House) -> None:
    # given a note whose reply got lost on its way
    receipt, delivery_id = _arrived(house)
    for _ in range(2):
        # when it is sent, and sent again
        reply = house.cases.post(f"/v1/deliveries/{delivery_id}/heard", HEARD)
        assert (reply.status_code, reply.json()) == (201, {"delivery": delivery_id, "state": "declined"})
    # then there is one
    assert len(house.cases.delivery(receipt["id"], SUPPORTED)["answers"]) == 1
    assert len(_copies(house, receipt)) == 1
