"""R21, TH03: what a service says comes back as agreed; a children's team only says that it has decided."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.continuing import arrived, delivered, documents
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share, consent_of

DECIDED = "Housing has it and has decided their next step."


def _answered(house: House, receipt: dict, **words: object) -> dict:
    house.say(receipt, HOUSING, **words)
    return until_true("the answer", lambda: (one := house.cases.delivery(receipt["id"], HOUSING))["answers"] and one)


def _for_children(folder: Path) -> None:
    file = folder / "services" / f"{HOUSING}.toml"
    content = file.read_text(encoding="utf-8")
    assert "[agreement]" in content
    file.write_text(content.replace("[agreement]", "[agreement]\nchildren = true", 1), encoding="utf-8")


@pytest.mark.parametrize(
    "words", [{"status": "ACCEPTED"}, {"status": "NOT_ACCEPTED", "outcomeReason": "NO_LOCAL_CONNECTION"}]
)
def test_r21_a_children_s_team_says_only_that_it_has_decided(new_house: Callable[..., House], words: dict) -> None:
    # given a team for children, and a person who agreed that all of its answer may come back
    house = new_house(edit=_for_children)
    share = a_share(HOUSING)
    consent = consent_of(share, HOUSING)
    consent["agreed"]["by"] = "both"
    consent["returns"] = ["state", "owner", "next_step", "reason", "text"]
    receipt = delivered(house, share, HOUSING)
    # when it answers with all of that
    said = {"owner": "Kim of the front door", "outcomeNote": "We have opened an enquiry.", "nextStep": "A visit"}
    found = _answered(house, receipt, **words, **said)
    # then the worker reads the same whatever was decided, and nothing of it
    assert (found["words"], found["answer"], found["owner"]) == (DECIDED, "decided", "")
    assert not [each for each in said.values() if each in json.dumps(house.cases.read(receipt["id"]))]
    (told,) = until_true("the notice", lambda: house.told(receipt, "delivery.answered"))
    assert told["data"]["answer"] == "decided"
    # and what was held back is recorded by name
    (kept,) = house.rows("SELECT held_back FROM answers")
    assert set(json.loads(kept["held_back"])) >= {"owner", "text", "next_step"}


def test_r21_the_service_is_told_what_was_held_back_and_asked_for_none_of_it(house: House) -> None:
    # given a person who lets only the state come back
    share = a_share(HOUSING)
    consent_of(share, HOUSING)["returns"] = ["state"]
    receipt = delivered(house, share, HOUSING)
    # when the council says more, and leaves something out
    said = {"owner": "Kim of the duty desk", "outcomeNote": "Come on Monday."}
    _answered(house, receipt, status="NOT_ACCEPTED", **said)
    arrived(house, receipt, "reply", 1)
    # then its system reads which fields were held back, and is asked for nothing that would be
    note = documents(house.troupe.housing, receipt)[-1]
    assert (note["heldBack"], "asked" in note) == (["owner", "text", "next_step"], False)
    assert "We did not pass on: who has it; the words with it; the next step." in note["note"]
    assert not [each for each in said.values() if each in json.dumps(note)]


def test_r21_do_not_tell_yet_is_for_the_author_and_a_named_lead(new_house: Callable[..., House]) -> None:
    # given a partner that has named a lead, and an answer that the service asks not to tell yet
    def named(folder: Path) -> None:
        (file,) = (folder / "partnerships").glob("*.toml")
        content = file.read_text(encoding="utf-8")
        assert 'id = "riverside"' in content
        file.write_text(content.replace('id = "riverside"', 'id = "riverside"\nlead = "worker-lead"'), encoding="utf-8")

    house = new_house(edit=named)
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    found = _answered(house, receipt, status="ACCEPTED", owner="Kim", doNotTellYet=True)
    # when whoever else reads it, then only that they have decided
    assert (found["words"], found["owner"], found["answer"]) == (DECIDED, "", "decided")
    # and its author and the lead read it as it is
    cases = house.cases
    for worker, sees in ((cases.worker, True), ("worker-lead", True), ("worker-other", False)):
        mine, cases.worker = cases.worker, worker
        reply = cases.http.get(f"/v1/shares/{receipt['id']}", headers=cases.headers(b""))
        cases.worker = mine
        assert reply.status_code == 200, reply.text
        one = reply.json()["deliveries"][0]
        assert (one["owner"] == "Kim", one["answer"] == "accepted") == (sees, sees), worker


def test_th03_words_with_a_place_stay_behind_unless_the_service_may_know_it(house: House) -> None:
    # given a person who agreed that words may come back, and nothing about where they are
    place = "Meet us at the hostel, CB1 2AB."
    for may_know, comes_back in ((False, ""), (True, place)):
        share = a_share(HOUSING)
        consent_of(share, HOUSING).update(returns=["state", "owner", "text"], location_ok=may_know)
        receipt = delivered(house, share, HOUSING)
        # when the service's words hold a place
        found = _answered(house, receipt, status="ACCEPTED", owner="Duty desk", outcomeNote=place)
        # then they come back only where the service may know it
        (answer,) = found["answers"]
        assert (answer["text"], "text" in answer["held_back"]) == (comes_back, not may_know)
        assert answer["owner"] == "Duty desk"
