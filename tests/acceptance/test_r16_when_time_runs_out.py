"""R16: before consent runs out its trusted person is told; then nothing new goes, and what was due still returns."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.acceptance.continuing import call, delivered, section
from tests.acceptance.house import House, replace_in, until_true
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, consent_of

#: It is Friday 20 November 2026; the fifth working day from then is Friday 27 November.
ENDING = "consent.ending"


def _until(day: str, *services: str) -> dict[str, Any]:
    share = a_share(*services)
    consent_of(share, HOUSING)["until"] = day
    return share


def test_r16_five_working_days_before_the_case_system_is_told_once(new_house: Callable[..., House]) -> None:
    # given three shares that housing has: one agreed until the following Monday, one a day longer, one of them done
    house = new_house()
    near = delivered(house, _until("2026-11-30", HOUSING, TREATMENT), HOUSING)
    later = delivered(house, _until("2026-12-01", HOUSING), HOUSING)
    done = delivered(house, _until("2026-11-30", HOUSING), HOUSING)
    house.say(done, HOUSING, status="NOT_ACCEPTED")
    until_true("the answer", lambda: house.cases.delivery(done["id"], HOUSING)["answer"] != "awaited")
    # when it is the last moment at which six working days are left, then nothing is said
    house.at(datetime(2026, 11, 20, 16, 59, tzinfo=UTC))
    house.rounds()
    assert house.rows("SELECT id FROM notices WHERE topic = :topic", topic=ENDING) == []
    # and when five are left, the one that ends then is told of, by ids and its service, and nothing else
    house.at(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    house.rounds()
    (told,) = until_true("the notice", lambda: house.told(near, ENDING))
    delivery = house.cases.delivery(near["id"], HOUSING)
    assert told["data"] == {
        "share": near["id"],
        "reference": near["reference"],
        "your_reference": near["your_reference"],
        "delivery": delivery["id"],
        "state": "delivered",
        "answer": delivery["answer"],
        "service": HOUSING,
    }
    # and once only, however often it is looked at, also by a hub that starts anew
    house.close()
    house.open()
    house.rounds()
    house.settled_notices()
    assert len(house.told(near, ENDING)) == 1
    assert house.told(later, ENDING) == []
    # and a share of which nothing is open any more needs no new agreement
    assert house.told(done, ENDING) == []


def test_r16_how_long_before_is_the_partnership_s_to_say(new_house: Callable[..., House]) -> None:
    # given a partnership that wants ten working days
    def edit(folder: Path) -> None:
        (file,) = (folder / "partnerships").glob("*.toml")
        replace_in(file, "\n\n[operator]", "\nconsent_ending_working_days = 10\n\n[operator]")

    house = new_house(edit=edit)
    # when a consent has that long to go, then it is told of
    share = house.cases.send(_until("2026-12-04", HOUSING))
    until_true("the notice", lambda: house.told(share, ENDING))


def test_r16_after_it_ran_out_updates_are_refused_and_answers_still_return(new_house: Callable[..., House]) -> None:
    # given a share that housing has, whose return clause lets their words back
    house = new_house()
    share = _until("2026-11-24", HOUSING)
    consent_of(share, HOUSING)["returns"] = ["state", "owner", "text"]
    receipt = delivered(house, share, HOUSING)
    # when its last day is over
    house.at(datetime(2026, 11, 25, 9, 0, tzinfo=UTC))
    house.rounds()
    (row,) = house.rows("SELECT state FROM consents WHERE share_id = :id", id=receipt["id"])
    assert row["state"] == "expired"
    # then a later fact is refused
    more = [section("s9", "housing", "They may stay until Friday.")]
    refused = call(house, receipt, "addenda", 403, relates_to="s6", sections=more)
    assert [each["type"] for each in refused["refused"]] == ["consent-expired"]
    # and what housing says of what it had before comes back under the clause as it was
    words = "We will ring on Monday."
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Duty desk", outcomeNote=words)
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answers"])
    (answer,) = house.cases.delivery(receipt["id"], HOUSING)["answers"]
    assert (answer["owner"], answer["text"], answer["held_back"]) == ("Duty desk", words, [])


def test_r16_after_a_stop_only_the_state_returns(new_house: Callable[..., House]) -> None:
    # given the same, withdrawn
    house = new_house()
    share = a_share(HOUSING)
    consent_of(share, HOUSING)["returns"] = ["state", "owner", "text"]
    receipt = delivered(house, share, HOUSING)
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {}).raise_for_status()
    # when housing answers what it was sent
    (shared,) = house.rows("SELECT id, key FROM deliveries WHERE share_id = :id AND kind = 'share'", id=receipt["id"])
    said = {"idempotencyKey": shared["key"], "status": "ACCEPTED", "owner": "Duty desk", "outcomeNote": "We know them."}
    assert house.callback(HOUSING, json.dumps(said).encode()).status_code == 202

    def answered() -> Any:
        return next(e for e in house.cases.read(receipt["id"])["deliveries"] if e["id"] == shared["id"])["answers"]

    # then that they answered comes back, and nothing of what they said
    (answer,) = until_true("the answer", answered)
    assert (answer["state"], answer["owner"], answer["text"]) == ("accepted", "", "")
    assert {"owner", "text"} <= set(answer["held_back"])
