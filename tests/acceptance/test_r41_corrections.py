"""R41: what was not right is put right with everyone who got it, and nobody is missed."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.continuing import arrived, call, delivered, documents, following, section
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share


def _newest(sandbox: Any, receipt: dict[str, Any]) -> dict[str, Any]:
    return documents(sandbox, receipt)[-1]


def test_r41_everyone_who_got_a_statement_gets_its_correction_and_its_clocks(house: House) -> None:
    # given a goal that three services got
    receipt = delivered(house, a_share(HOUSING, SUPPORTED, TREATMENT), HOUSING, SUPPORTED, TREATMENT)
    # when it is corrected
    said = call(house, receipt, "corrections", corrects="s4", sections=[section("s4b", "goal", "A script that lasts.")])
    # then each of them is sent the new statement, tracked by the clocks of a receipt
    assert {each["service"] for each in said["deliveries"]} == {HOUSING, SUPPORTED, TREATMENT}
    (words,) = [each["words"] for each in said["deliveries"] if each["service"] == HOUSING]
    assert words.startswith("We will tell Housing what to change.")
    found = arrived(house, receipt, "correction", 3)
    for each in found.values():
        rungs = house.rows("SELECT level FROM clocks WHERE delivery_id = :id ORDER BY level", id=each["id"])
        assert [row["level"] for row in rungs] == [0, 1, 2]
    assert found[HOUSING]["words"] == "We have told Housing what to change."
    council, health = _newest(house.troupe.housing, receipt), _newest(house.troupe.health, receipt)
    assert (council["kind"], council["corrects"]) == ("correction", "s4")
    assert council["note"].startswith("Part of what we sent is not right. Do not rely on it.")
    assert council["goals"][0]["words"] == "A script that lasts."
    assert "Do not rely on it" in json.dumps(health)
    assert "A script that lasts." in json.dumps(health)


def test_r41_a_statement_that_one_got_is_corrected_with_that_one_alone(house: House) -> None:
    # given words about their housing, which only the council got
    receipt = delivered(house, a_share(HOUSING, TREATMENT), HOUSING, TREATMENT)
    # when they are put right
    said = call(house, receipt, "corrections", corrects="s6", sections=[section("s6b", "housing", "Since July.")])
    # then only the council hears of it
    assert [each["service"] for each in said["deliveries"]] == [HOUSING]
    # and what went nowhere cannot be put right anywhere
    wrong = call(house, receipt, "corrections", 422, corrects="s99")
    assert wrong["faults"][0]["pointer"] == "/corrects"


def test_r41_r15_after_consent_has_ended_it_says_only_not_to_rely_on_it(house: House) -> None:
    # given two councils, one of which the person has told to stop
    receipt = delivered(house, a_share(HOUSING, SUPPORTED), HOUSING, SUPPORTED)
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {"services": [SUPPORTED]})
    # when a statement that both got is corrected
    new = "Since July, and alone."
    said = call(house, receipt, "corrections", corrects="s6", sections=[section("s6b", "housing", new)])
    # then both hear, and the one hears nothing new
    assert {each["service"] for each in said["deliveries"]} == {HOUSING, SUPPORTED}
    assert {(each["service"], each["type"]) for each in said["refused"]} == {(SUPPORTED, "consent-withdrawn")}
    arrived(house, receipt, "correction", 2)
    assert _newest(house.troupe.housing, receipt)["housing"][0]["words"] == new
    told = _newest(house.troupe.supported, receipt)
    assert told["note"].startswith("Part of what we sent is not right. Do not rely on it.")
    assert told["corrects"] == "s6"
    assert new not in json.dumps(told)
    assert "housing" not in told


def test_r41_what_is_still_on_its_way_is_corrected_behind_it(house: House) -> None:
    # given a share that has not got there yet
    house.troupe.supported.stop()
    try:
        receipt = house.cases.send(a_share(SUPPORTED))
        until_true("a try", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "retrying")
        # when a part of it is corrected, twice
        for words in ("Since July.", "Since June, after all."):
            call(house, receipt, "corrections", corrects="s6", sections=[section("s6b", "housing", words)])
        assert [each["state"] for each in _all(house, receipt)] == ["queued", "queued"]
    finally:
        house.troupe.supported.start()
    # then each arrives behind what it corrects, in the order in which it was said
    until_true("both", lambda: all(each["state"] == "delivered" for each in _all(house, receipt)), seconds=60)
    said = [each.get("housing") for each in documents(house.troupe.supported, receipt)]
    assert [each[0]["words"] for each in said if each][1:] == ["Since July.", "Since June, after all."]


def _all(house: House, receipt: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in house.cases.read(receipt["id"])["deliveries"] if each["kind"] == "correction"]


def test_r40_the_statement_pauses_only_on_the_trusted_person_s_word(house: House) -> None:
    # given a share for two, and a council that doubts a part of it
    receipt = delivered(house, a_share(HOUSING, SUPPORTED), HOUSING, SUPPORTED)
    house.say(receipt, HOUSING, status="ACCEPTED", checkWithPerson=True)
    asked = until_true("their doubt", lambda: house.told(receipt, "delivery.check_with_person"))
    # then the trusted person's system is told, and reads it in plain words
    assert asked[0]["data"]["service"] == HOUSING
    assert "They ask you to check this with the person." in house.cases.delivery(receipt["id"], HOUSING)["words"]
    # and nothing is frozen with anyone
    assert following(house, receipt, "correction") == {}
    call(house, receipt, "addenda", sections=[section("s6c", "housing", "Still on sofas.")])
    # when the trusted person pauses the statement
    call(house, receipt, "pauses", section="s6")
    # then whoever has it hears that it is being checked
    arrived(house, receipt, "correction", 2)
    for sandbox in (house.troupe.housing, house.troupe.supported):
        assert _newest(sandbox, receipt)["note"].startswith("Part of what we sent is being checked with the person.")
    # and it goes in nothing later, until it is put right
    refused = call(house, receipt, "addenda", 422, sections=[section("s6", "housing", "The same again.")])
    assert refused["type"] == "/problems/section-paused"
    call(house, receipt, "corrections", corrects="s6", sections=[section("s6", "housing", "Since May.")])
    call(house, receipt, "addenda", sections=[section("s6", "housing", "And still.")])
