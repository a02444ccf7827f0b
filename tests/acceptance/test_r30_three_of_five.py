"""R30, R31, R63: one answer about the five is counted and the five stay unasked; shares bear their rules' version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.house import House, replace_in
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, consent_of

TAG = """
title = "Three of five"

[[preconditions]]
id = "three-of-five"
kind = "cohort"
rule = "tag"
title = "We count how many people face three of the five."
next_step = "Nothing: it goes whatever you answer."
"""
CANARY = "Zz9Canary"


@pytest.fixture
def tagged(new_house: Callable[..., House]) -> House:
    """A hub with a service that counts the answer."""

    def edit(folder: Path) -> None:
        (folder / "gates" / "tag.toml").write_text(TAG, encoding="utf-8")
        replace_in(folder / "services" / f"{TREATMENT}.toml", "purposes", 'gates = ["tag"]\npurposes')

    return new_house(edit=edit)


def test_r30_with_tag_a_share_goes_whatever_the_answer_and_the_answer_is_counted(tagged: House) -> None:
    # given a share with each answer, and one that says nothing of it
    answers: list[dict[str, Any]] = [{"three_of_five": each} for each in ("yes", "yes", "no", "not_said")]

    # when they are sent, one more is only looked at, and one goes to a service that does not ask
    receipts = [tagged.cases.send(a_share(TREATMENT, **each)) for each in answers]
    tagged.cases.post("/v1/shares/preview", a_share(TREATMENT, three_of_five="yes"))
    tagged.cases.send(a_share(HOUSING, three_of_five="yes"))

    # then each went, and the answers are counted by service
    assert all(len(receipt["deliveries"]) == 1 for receipt in receipts)
    counted = tagged.rows("SELECT name, service_id, number FROM tallies WHERE what = 'cohort' ORDER BY name")
    assert [(each["name"], each["service_id"], each["number"]) for each in counted] == [
        *(("no", TREATMENT, 1), ("not_said", TREATMENT, 1), ("yes", TREATMENT, 2)),
    ]


def test_r30_which_of_the_five_is_never_kept_or_sent_on(tagged: House) -> None:
    # given a sender that says which, although nobody asked
    share = a_share(TREATMENT, three_of_five="yes")
    five = ("homelessness", "mental_health", "substance_misuse", "domestic_abuse", "offending")
    consent_of(share, TREATMENT)["facts"] = dict.fromkeys(five, CANARY)

    # when it is sent
    receipt = tagged.cases.send(share)
    tagged.settled()

    # then the service got none of it
    arrived = [entry.body for entry in tagged.troupe.health.entries()]
    assert arrived
    assert not [each for each in arrived if CANARY in str(each)]

    # and none of it is kept, neither in the open nor sealed
    from hub.services.pack import place, unpack

    (row,) = tagged.rows("SELECT data_key FROM shares WHERE id = :share", share=receipt["id"])
    key = tagged.hub.vault.unwrap(row["data_key"])
    (consent,) = tagged.rows("SELECT id, terms FROM consents WHERE share_id = :share", share=receipt["id"])
    (sent,) = tagged.rows("SELECT id, frame FROM deliveries WHERE share_id = :share", share=receipt["id"])
    terms = unpack(key.open(consent["terms"], place("consents", "terms", consent["id"])))
    frame = unpack(key.open(sent["frame"], place("deliveries", "frame", sent["id"])))
    assert (terms["facts"], frame["consent"]["facts"]) == ({}, {})


def test_r31_each_share_bears_the_version_of_the_rules_that_decided_it(tagged: House) -> None:
    # given a share under one version of a gate
    first = tagged.cases.send(a_share(TREATMENT))

    # when the gate's file changes and the hub starts with it
    tagged.close()
    replace_in(tagged.folder / "gates" / "tag.toml", "We count how many", "We count how often")
    tagged.open()
    second = tagged.cases.send(a_share(TREATMENT))

    # then each bears its own version, and the second is what runs now
    versions = [
        tagged.rows("SELECT config_digest AS v FROM shares WHERE id = :share", share=each["id"])[0]["v"]
        for each in (first, second)
    ]
    assert versions[0] != versions[1] == tagged.hub.directory.digest


@pytest.mark.parametrize("fact", ["consent_to_refer", "chosen_authority", "consent_to_pass_contact"])
def test_r63_what_the_law_asks_for_and_is_missing_is_422_by_its_gate(house: House, fact: str) -> None:
    # given a share for housing without one of the three things that the person decides
    share = a_share(HOUSING)
    del consent_of(share, HOUSING)["facts"][fact]

    # when it is sent, then it is refused for that alone, with what to ask
    reply = house.cases.post("/v1/shares", share)
    assert reply.status_code == 422
    (refused,) = reply.json()["refused"]
    assert refused["type"] == f"gate-{fact.replace('_', '-')}"
    assert refused["next_step"].startswith("Ask")
