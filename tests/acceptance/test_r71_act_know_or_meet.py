"""R71: a share asks to act, to know or to meet; each waits for just that, and a meeting has somebody to convene it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.continuing import delivered
from tests.acceptance.house import House, replace_in, until_true
from tests.acceptance.reading import sheet_of
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, story_of
from tests.acceptance.trusting import release, unsaid

COORDINATOR, CHAMPION = "coordinator@hub.example", "champion@daycentre.example"
LATER = datetime.fromisoformat("2027-01-11T12:00:00+00:00")


def levels(house: House, receipt: dict[str, Any]) -> set[int]:
    """The rungs for which a share has a clock."""
    found = "SELECT level FROM clocks c JOIN deliveries d ON d.id = c.delivery_id WHERE d.share_id = :share"
    return {row["level"] for row in house.rows(found, share=receipt["id"])}


def test_r71_to_know_expects_a_receipt_and_no_more(new_house: Callable[..., House]) -> None:
    # given the same told to housing twice: for them to know, and for them to act
    house = new_house()
    know, act = (delivered(house, a_share(HOUSING, ask=ask), HOUSING) for ask in ("know", "act"))
    # then no clock runs for an owner or a decision where they need only know
    assert (levels(house, know), levels(house, act)) == ({0, 1, 2}, {0, 1, 2, 3, 4})
    # when housing says of both that it has them, and seven weeks pass
    for receipt in (know, act):
        house.say(receipt, HOUSING, status="RECEIVED")
        until_true("it", lambda r=receipt: house.cases.delivery(r["id"], HOUSING)["answer"] == "received")
    assert house.cases.read(know["id"])["status"] == "answered"
    house.at(LATER)
    house.rounds(3)
    house.settled_notices()
    # then nobody is alerted about what was only to be known
    assert house.mails(know) == []
    assert house.mails(act)


@pytest.mark.parametrize(("ask", "mails"), [("meet", 1), ("act", 0), ("know", 0)])
def test_r71_for_a_meeting_the_coordinator_is_asked_once_to_convene(house: House, ask: str, mails: int) -> None:
    # given a share for two services, sent twice under one key
    share = a_share(HOUSING, TREATMENT, ask=ask)
    receipt = house.cases.send(share, key=f"r71-{ask}")
    assert house.cases.send(share, key=f"r71-{ask}") == receipt
    house.settled_notices()
    # then the coordinator hears once where a meeting is asked for, and never otherwise
    found = house.mails(receipt, COORDINATOR)
    assert len(found) == mails
    assert house.mails(receipt, CHAMPION) == []
    # and the mail says the reference and what to do, and no name, need, service or place
    for mail in found:
        assert mail["subject"] == f"Please bring people together: {receipt['reference']}"
        told = story_of(share) | {"Housing", "Treatment", share["trusted_person"]["name"]}
        assert [each for each in told if each in str(mail)] == []


def test_r71_without_a_coordinator_the_champion_convenes(new_house: Callable[..., House]) -> None:
    # given a partnership without a coordinator, when a meeting is asked for
    house = new_house(edit=_without_coordinator)
    receipt = house.cases.send(a_share(HOUSING, ask="meet"))
    house.settled_notices()
    # then the sending organisation's champion hears
    assert [mail["to"] for mail in house.mails(receipt)] == [[CHAMPION]]


_COORDINATOR = """[coordinator]
id = "coordinator"
name = "Alex"
email = "coordinator@hub.example"
"""


def _without_coordinator(folder: Path) -> None:
    replace_in(next((folder / "partnerships").glob("*.toml")), _COORDINATOR, "")


def test_r71_nobody_convenes_before_a_held_share_goes(house: House) -> None:
    # given a share for a meeting that waits for the champion
    receipt = house.cases.send(unsaid(a_share(HOUSING, ask="meet")))
    house.settled_notices()
    assert house.mails(receipt, COORDINATOR) == []
    # when it was looked at together, then the coordinator is asked
    assert release(house.cases, receipt["id"]).status_code == 202
    house.settled_notices()
    assert len(house.mails(receipt, COORDINATOR)) == 1


def test_r71_the_answer_to_a_meeting_is_who_comes(house: House) -> None:
    # given a share that asks housing to meet
    receipt = delivered(house, a_share(HOUSING, ask="meet"), HOUSING)
    # when housing says who comes and when
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Jo of the duty desk", nextDate="2026-12-01")
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    # then the trusted person reads who comes, and so does the person
    words = house.cases.delivery(receipt["id"], HOUSING)["words"]
    assert "They will come: Jo of the duty desk." in words
    assert "It is with" not in words
    assert "They will come: Jo of the duty desk." in sheet_of(house, receipt).json()["services"][0]["back"]
    # and an answer that names nobody is asked for it
    other = delivered(house, a_share(HOUSING, ask="meet"), HOUSING)
    house.say(other, HOUSING, status="ACCEPTED")
    until_true("the answer", lambda: house.cases.delivery(other["id"], HOUSING)["answer"] == "accepted")
    (answer,) = house.cases.delivery(other["id"], HOUSING)["answers"]
    assert answer["owner_missing"]
