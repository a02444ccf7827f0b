"""R42: a service's question reaches the trusted person inside the share, and is answered once."""

from __future__ import annotations

import json
import uuid

from tests.acceptance.continuing import arrived, call, delivered, documents, following, section
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share


def test_r42_a_question_is_answered_once_and_offered_only_where_agreed(house: House) -> None:
    # given a council with a question about a share that two others have as well
    receipt = delivered(house, a_share(HOUSING, SUPPORTED, TREATMENT), HOUSING, SUPPORTED, TREATMENT)
    delivery = house.cases.delivery(receipt["id"], HOUSING)["id"]
    answer = {"delivery": delivery, "sections": [section("s30", "housing", "Since June, with three friends.")]}
    none = call(house, receipt, "replies", 409, **answer)
    assert none["type"] == "/problems/no-open-question"
    house.say(receipt, HOUSING, status="QUESTION", outcomeNote="Since when?")
    until_true("it", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "needs_info")
    # when it is answered, for the others too
    said = call(house, receipt, "replies", **answer, also=[SUPPORTED, TREATMENT])
    # then the council gets the answer, and of the others who was agreed to see this
    assert {(each["service"], each["kind"]) for each in said["deliveries"]} == {
        (HOUSING, "reply"),
        (SUPPORTED, "addendum"),
    }
    assert [each["service"] for each in said["refused"]] == [TREATMENT]
    found = arrived(house, receipt, "reply", 1)
    assert found[HOUSING]["words"] == "Housing has your answer to their question."
    words = next(each["words"] for each in house.cases.read(receipt["id"])["deliveries"] if each["id"] == delivery)
    assert words.startswith("Housing asked a question, and you have answered it.")
    note = documents(house.troupe.housing, receipt)[-1]
    assert (note["kind"], note["housing"][0]["words"]) == ("reply", "Since June, with three friends.")
    # and a second answer to it is none
    again = call(house, receipt, "replies", 409, **answer)
    assert again["type"] == "/problems/no-open-question"
    assert len(following(house, receipt, "reply")) == 1
    # until it asks again
    house.say(receipt, HOUSING, status="QUESTION", outcomeNote="And where before?")
    asked = f"/v1/shares/{receipt['id']}/replies"
    until_true("the next", lambda: house.cases.post(asked, answer).status_code == 202)


def test_r42_a_service_opens_no_thread_of_its_own(house: House) -> None:
    # given a council that asks about somebody we sent nothing of
    before = house.settled()
    body = json.dumps({"idempotencyKey": str(uuid.uuid4()), "status": "QUESTION", "outcomeNote": "Who is Sam?"})
    # when its message comes
    assert house.callback(HOUSING, body.encode()).status_code == 202
    # then it makes no share, no answer and no notice to anyone
    until_true("it to be looked at", lambda: house.rows("SELECT reason FROM inbox WHERE reason = 'unknown-delivery'"))
    after = house.counts()
    for name in ("shares", "deliveries", "answers", "notices"):
        assert after[name] == before[name], name
