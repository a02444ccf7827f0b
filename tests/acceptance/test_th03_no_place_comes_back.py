"""TH03: whatever a service writes, in whatever field, no place comes back with it, and never a file.

What a worker wrote down of a telephone call is their own already, and no word of the service's system.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from hub.domain.answer import RETURNABLE, Answer, AnswerState, returnable
from tests.acceptance.caller import as_json
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share, consent_of

_CORPUS = Path(__file__).parents[1] / "unit" / "domain" / "corpus" / "pinpoints.txt"
PLACES = [line for line in _CORPUS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
_TEXTS = ("owner", "text", "reason", "stage", "next_step")


def _saying(name: str, words: str) -> Answer:
    said: dict[str, Any] = {name: words}
    return Answer(AnswerState.ACCEPTED, **said)


def test_th03_no_field_of_an_answer_carries_any_marked_place_back() -> None:
    # given every place of the corpus in each field that holds words, of a consent that lets everything return but place
    everything = tuple(RETURNABLE)
    came_back = [
        (name, place)
        for place in PLACES
        for name in _TEXTS
        if place in str(returnable(_saying(name, place), everything)[0])
    ]
    # then none comes back
    assert len(PLACES) >= 40
    assert came_back == []


def test_th03_an_answer_has_no_room_for_a_file() -> None:
    # attachments are off: what a service says is a code, a date, a flag or words, and nothing else travels back
    kinds = {str(each.type) for each in dataclasses.fields(Answer)}
    assert not [kind for kind in kinds if "bytes" in kind or "Any" in kind]


def test_th03_what_a_partner_sends_back_leaves_place_and_file_behind(house: House) -> None:
    # given a person who agreed that words come back, and nothing about where they are
    share = a_share(HOUSING)
    consent_of(share, HOUSING).update(returns=["state", "owner", "text", "next_step", "reason"], location_ok=False)
    receipt = house.cases.send(share)
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    # when the service puts a place into what it says, and a file beside it
    place = "Meet us at the hostel, CB1 2AB, or ring 01223 000555."
    body = {"idempotencyKey": house.key_of(receipt, HOUSING), "status": "ACCEPTED", "outcomeNote": place}
    file = {"fileName": "CB1 2AB.jpg", "content": "/9j/4AAQSkZJRg=="}
    house.callback(HOUSING, as_json(body | {"owner": f"Jo at {place}", "attachments": [file]}))
    house.settled()
    # then nothing that the sender reads, by this or any other page of theirs, holds any of it
    shown = str(house.cases.read(receipt["id"])) + house.cases.get(f"/v1/shares/{receipt['id']}/for-the-person").text
    assert not [part for part in ("CB1 2AB", "01223 000555", "/9j/4AA", ".jpg") if part in shown]
    # and the state did come, if it could be read at all
    assert house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted"
