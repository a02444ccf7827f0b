"""R15: one call ends it; whoever has it is asked to stop using it, and the person is told what is true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from hub.sdk.testing.sandbox import Behaviour
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share, consent_of, story_of

STOP = "please_stop_using"


def _withdraw(house: House, receipt: dict[str, Any], **body: Any) -> dict[str, Any]:
    reply = house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", body)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


def _delivered(house: House, receipt: dict[str, Any], *services: str) -> None:
    for service in services:
        until_true("it to arrive", lambda s=service: house.cases.delivery(receipt["id"], s)["state"] == "delivered")


def _stops(house: House, receipt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The requests to stop of one share, by service."""
    report = house.cases.read(receipt["id"])
    return {each["service"]: each for each in report["deliveries"] if each["kind"] == STOP}


def _all_asked(house: House, receipt: dict[str, Any], number: int) -> bool:
    found = _stops(house, receipt).values()
    return len(found) == number and all(each["state"] == "delivered" for each in found)


def _bodies(entries: Any, receipt: dict[str, Any]) -> list[str]:
    """What a partner acted on of one share, oldest first."""
    return [each.body.decode() for each in entries if each.effect and receipt["reference"] in each.body.decode()]


def test_r15_both_packs_ask_to_stop_and_tell_nothing_more(house: House) -> None:
    # given a share that a council and a health service have
    share = a_share(HOUSING, TREATMENT)
    receipt = house.cases.send(share)
    _delivered(house, receipt, HOUSING, TREATMENT)
    # when it is withdrawn with one call
    told = _withdraw(house, receipt)
    # then the person is told what cannot be unshared, and that they were asked
    assert {each["service"] for each in told["already_sent"]} == {HOUSING, TREATMENT}
    for each in told["already_sent"]:
        ending = " has this. We cannot take it back. We are asking them to stop using it."
        assert each["words"].endswith(ending)
    until_true("both to be asked", lambda: _all_asked(house, receipt, 2))
    # and each got it in the words of its own standard, in the same case, with nothing of the story
    first, council = _bodies(house.troupe.housing.entries(), receipt)
    assert json.loads(first)["status"] == "SUBMITTED"
    assert (json.loads(council)["status"], json.loads(council)["withdrawalReason"]) == ("WITHDRAWN", "NO_CONSENT")
    _, health = _bodies(house.troupe.health.entries(), receipt)
    request = next(
        entry["resource"]
        for entry in json.loads(health)["entry"]
        if entry["resource"]["resourceType"] == "ServiceRequest"
    )
    assert request["status"] == "revoked"
    story = story_of(share)
    assert len(story) > 5
    assert [text for text in story if re.search(rf"\b{re.escape(text)}\b", council + health)] == []
    cases = {
        each.case
        for each in house.troupe.health.entries()
        if each.effect and receipt["reference"].encode() in each.body
    }
    assert len(cases) == 1
    # and the report says so beside what was shared
    assert _stops(house, receipt)[HOUSING]["words"].startswith("We have asked Housing to stop using it.")
    assert house.cases.read(receipt["id"])["status"] == "withdrawn"


def test_r15_again_asks_nobody_twice(house: House) -> None:
    # given a withdrawal whose request to stop has arrived
    receipt = house.cases.send(a_share(HOUSING))
    _delivered(house, receipt, HOUSING)
    first = _withdraw(house, receipt)
    until_true("housing to be asked", lambda: _all_asked(house, receipt, 1))
    # when it is withdrawn again
    again = _withdraw(house, receipt)
    house.rounds(2)
    # then it says the same, and the council heard it once
    assert again == first
    assert len(_bodies(house.troupe.housing.entries(), receipt)) == 2


def test_r15_the_service_says_that_it_stopped_or_what_it_keeps(house: House) -> None:
    # given two councils that were asked to stop; what the second says may return word for word
    share = a_share(HOUSING, SUPPORTED)
    consent_of(share, SUPPORTED)["returns"] = ["state", "owner", "reason", "text"]
    receipt = house.cases.send(share)
    _delivered(house, receipt, HOUSING, SUPPORTED)
    _withdraw(house, receipt)
    until_true("both to be asked", lambda: _all_asked(house, receipt, 2))
    keys = {
        row["service_id"]: row["key"]
        for row in house.rows("SELECT service_id, key FROM deliveries WHERE share_id = :id AND kind = :kind",
                              id=receipt["id"], kind=STOP)
    }  # fmt: skip
    # when one says that it stopped, and the other what it keeps
    because = "The law has us keep the date."
    for service, words in ((HOUSING, {"status": "STOPPED"}), (SUPPORTED, {"status": "KEPT", "outcomeNote": because})):
        said = json.dumps({"idempotencyKey": keys[service], "owner": "Duty desk"} | words).encode()
        assert house.callback(service, said).status_code == 202
    # then both answers reach the sender, in plain words, and their clocks stop
    until_true("both answers", lambda: all(s["answer"] != "awaited" for s in _stops(house, receipt).values()))
    found = _stops(house, receipt)
    assert found[HOUSING]["words"].startswith("Housing has stopped using it.")
    assert found[SUPPORTED]["words"].startswith("Supported housing will keep it.")
    assert found[SUPPORTED]["answers"][0]["text"] == because
    running = house.rows(
        "SELECT c.level FROM clocks c JOIN deliveries d ON d.id = c.delivery_id"
        " WHERE d.share_id = :id AND d.kind = :kind AND c.state = 'running'",
        id=receipt["id"],
        kind=STOP,
    )
    assert running == []


def test_r15_what_a_try_may_have_brought_them_is_said(house: House) -> None:
    # given a council that let us in before, and that now takes in a share's bytes only to say that it is busy
    _delivered(house, house.cases.send(a_share(SUPPORTED)), SUPPORTED)
    house.troupe.supported.behave(Behaviour.DOWN)
    try:
        receipt = house.cases.send(a_share(SUPPORTED))
        until_true("a try", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "retrying")
        # when it is withdrawn
        told = _withdraw(house, receipt)
    finally:
        house.troupe.supported.behave(Behaviour.PROMPT)
    # then no more goes, and nobody says that nothing ever did
    assert (told["stopped"], told["already_sent"]) == ([], [])
    assert told["tried"][0]["words"] == (
        "We have stopped sending this to Supported housing. An earlier try may have reached them. "
        "We are asking them to stop using it."
    )


def test_r15_a_request_to_stop_waits_until_a_doubt_is_settled(house: House) -> None:
    # given a share that a council read without a reply, and that cannot be asked about yet
    council = house.troupe.supported
    council.behave(Behaviour.CRASHING, times=1)
    receipt = house.cases.send(a_share(SUPPORTED))
    council.wait()
    try:
        until_true("the doubt", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "in_doubt")
        # when it is withdrawn
        told = _withdraw(house, receipt)
        # then the person is told to ring, for the hub cannot be sure when it will be able to ask
        (one,) = told["already_sent"]
        assert one["words"].startswith("Supported housing may have this already. We cannot take it back. ")
        assert "We will ask them to stop using it once we know that it got there. Ring them" in one["words"]
        house.rounds(2)
        assert _stops(house, receipt)[SUPPORTED]["state"] == "queued"
    finally:
        council.start()
    # and once the doubt is settled, the council is asked
    until_true("the council to be asked", lambda: _all_asked(house, receipt, 1), seconds=60)
    statuses = [json.loads(body)["status"] for body in _bodies(council.entries(), receipt)]
    assert statuses == ["SUBMITTED", "WITHDRAWN"]


def test_r15_a_worry_about_pressure_stays_between_the_worker_and_the_senior_contact(house: House) -> None:
    # given a share that arrived, and one that is like it
    receipts = [house.cases.send(a_share(HOUSING)) for _ in range(2)]
    for receipt in receipts:
        _delivered(house, receipt, HOUSING)
    calm, worried = receipts
    # when both are withdrawn, the second with a worry
    replies = [_withdraw(house, calm), _withdraw(house, worried, worried_about_pressure=True)]
    for receipt in receipts:
        until_true("housing to be asked", lambda r=receipt: _all_asked(house, r, 1))
    house.settled_notices()
    # then sending stops, and the senior contact is asked to ring, without a word of why
    (mail,) = house.mails(worried, "safeguarding@council.example")
    assert "in private" in mail["subject"]
    assert not [word for word in ("pressure", "worr", "withdr") if word in json.dumps(mail).lower()]
    assert house.mails(calm, "safeguarding@council.example") == []
    # and nobody else can tell the one from the other: not by the reply, the report, the webhooks or the mails
    assert replies[0]["already_sent"] == replies[1]["already_sent"]
    reports = [house.cases.read(receipt["id"]) for receipt in receipts]
    assert _shape(reports[0]) == _shape(reports[1])
    assert [each["type"] for each in house.told(calm)] == [each["type"] for each in house.told(worried)]
    assert [each["to"] for each in house.mails(worried) if each != mail] == [each["to"] for each in house.mails(calm)]


def _shape(report: dict[str, Any]) -> Any:
    """What a report says, ids and instants left out."""
    return [
        {name: each[name] for name in ("kind", "state", "answer", "words", "owner")} for each in report["deliveries"]
    ]


def test_r15_one_that_does_not_say_it_stopped_is_told_to_the_champion(new_house: Callable[..., House]) -> None:
    # given a service that was asked to stop, and says nothing
    house = new_house()
    receipt = house.cases.send(a_share(HOUSING))
    _delivered(house, receipt, HOUSING)
    _withdraw(house, receipt)
    until_true("housing to be asked", lambda: _all_asked(house, receipt, 1))
    # when the time to reply has passed
    house.at(house.hub.calendar.add_working_days(house.hub.now.business(), 15))
    # then the sender's champion is told, without the story, and the report says that it is late
    until_true("the mail", lambda: house.mails(receipt, "champion@daycentre.example"))
    stop = _stops(house, receipt)[HOUSING]
    assert stop["overdue"]
    assert "Your champion has been told." in stop["words"]
    # and nobody waits for an answer to what was shared: one alert for each rung of the request, and no other
    about = house.rows("SELECT DISTINCT d.kind FROM alerts a JOIN deliveries d ON d.id = a.delivery_id")
    assert [row["kind"] for row in about] == [STOP]
