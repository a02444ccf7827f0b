"""R09: no one the person trusts, or a worry about someone: a request without data goes to a named person."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.acceptance.house import House, until_true
from tests.acceptance.telling import a_share, told_strings

COORDINATOR, OURS = "coordinator@hub.example", "champion@daycentre.example"


def test_r09_the_coordinator_is_asked_and_no_reference_share_or_link_is_made(house: House) -> None:
    # given nothing but a worry
    before = house.settled()
    # when a worker asks
    reply = house.cases.post("/v1/please-ring-me", {})
    # then the coordinator gets one mail that names nobody
    assert reply.status_code == 202
    ring = reply.json()
    mails = until_true(
        "the mail", lambda: [each for each in house.troupe.mails() if ring["id"] in each["text"]], seconds=10
    )
    assert [each["to"] for each in mails] == [[COORDINATOR]]
    assert not [word for word in told_strings(a_share()) if word in mails[0]["text"]]
    assert not re.search(r"\b[2-9CFHKMQRTWXY]{3}-[2-9CFHKMQRTWXY]{3}\b", mails[0]["subject"] + mails[0]["text"])
    assert set(ring) == {"id", "state", "late", "words", "asked_at"}
    # and no share, consent or delivery came to be
    grown = {name for name, count in house.settled().items() if count != before[name]}
    assert grown <= {"audit_events", "notices", "rings"}


@pytest.mark.parametrize("body", [{"person": {"reference": "P-1"}}, {"name": "Sam"}, {"words": "about Sam"}])
def test_r09_it_can_hold_no_data(house: House, body: dict[str, object], nothing_stored: None) -> None:
    del nothing_stored
    reply = house.cases.post("/v1/please-ring-me", body)
    assert reply.status_code == 422
    assert "Sam" not in reply.text


def test_r09_without_a_coordinator_the_partners_own_champion_is_asked_and_silence_is_noticed(new_house) -> None:
    # given a partnership that named no coordinator
    def without(folder) -> None:
        file = folder / "partnerships" / "demo.toml"
        text = file.read_text(encoding="utf-8")
        start = text.index("[coordinator]")
        file.write_text(text[:start] + text[text.index("[[partners]]") :], encoding="utf-8")

    house = new_house(edit=without)
    # when a worker asks, and nobody picks it up for a working day
    ring = house.cases.post("/v1/please-ring-me", {}).json()

    def mailed() -> list[str]:
        return sorted(each["to"][0] for each in house.troupe.mails() if ring["id"] in each["text"])

    until_true("the mail", lambda: mailed() == [OURS], seconds=10)
    house.at(house.hub.now.business() + timedelta(days=5))
    # then the same champion and the operator hear, and the asker reads what to do
    until_true("the mails", lambda: mailed() == [OURS, OURS, "operator@hub.example"], seconds=10)
    words = house.cases.get(f"/v1/please-ring-me/{ring['id']}").json()["words"]
    assert words == "Nobody has picked this up. Ring your champion, or the coordinator."
