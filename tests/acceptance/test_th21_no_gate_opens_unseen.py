"""TH21: whatever is changed that opens a gate, nothing goes through it before two people have approved that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from hub.entries import approve_all
from hub.security.assertions import ClientKey
from tests.acceptance.caller import Caller
from tests.acceptance.house import House, append_to, replace_in, until_true
from tests.acceptance.referring import CASE_HOLDER, PANEL, for_service, gate_services
from tests.acceptance.telling import HOUSING, a_share

REFUSAL = "gate-wants-it"


def _drops_a_question(folder: Path) -> None:
    panel = folder / "gates" / "panel.toml"
    head, _, rest = panel.read_text(encoding="utf-8").partition("[[preconditions]]")
    panel.write_text(f"{head}[[preconditions]]{rest.partition('[[preconditions]]')[2]}", encoding="utf-8")


def _drops_the_gate(folder: Path) -> None:
    replace_in(folder / "services" / f"{PANEL}.toml", 'gates = ["panel"]', "gates = []")


def _asks_for_less(folder: Path) -> None:
    replace_in(folder / "gates" / "panel.toml", "equals = true", "equals = false")


OPENS = [_drops_a_question, _drops_the_gate, _asks_for_less]


def _again(house: House, edit: Callable[[Path], None]) -> None:
    """Stop it, change its files, and start it as it then is: nobody has approved anything since."""
    house.close()
    edit(house.folder)
    house.approves = False
    house.open()


@pytest.mark.parametrize("edit", OPENS, ids=[each.__name__.strip("_").replace("_", "-") for each in OPENS])
def test_th21_what_a_changed_gate_lets_through_is_held_until_two_people_approved_it(
    new_house: Callable[..., House], edit: Callable[[Path], None], request: pytest.FixtureRequest
) -> None:
    # given a gate that two people approved, which refuses somebody who has not said that they want it
    key = ClientKey.generate()
    house = new_house(edit=lambda folder: gate_services(folder, key))
    caller = Caller(house.url, "childrens-cases", key, role=CASE_HOLDER)
    request.addfinalizer(caller.http.close)
    before = caller.post("/v1/shares", for_service(PANEL, wants_it=False) | {"three_of_five": "yes"})
    assert (before.status_code, REFUSAL in before.text) == (422, True)
    # when one person changes it, so that the same passes
    _again(house, edit)
    receipt = caller.send(for_service(PANEL, wants_it=False) | {"three_of_five": "yes"})
    house.rounds(2)
    # then that is held, and nothing goes, while every other service is as open as it was
    assert caller.delivery(receipt["id"], PANEL)["state"] == "held"
    other = house.cases.send(a_share(HOUSING))
    until_true("housing", lambda: house.cases.delivery(other["id"], HOUSING)["state"] == "delivered")
    assert caller.delivery(receipt["id"], PANEL)["state"] == "held"
    held = house.rows("SELECT held_reason FROM connections WHERE id = :id", id=PANEL)
    assert held[0]["held_reason"] == "entry-changed"
    # and once two people have approved the change, it goes
    approve_all(house.folder, date.fromisoformat(house.start[:10]))
    until_true("it to go", lambda: caller.delivery(receipt["id"], PANEL)["state"] == "delivered")


BY_KIND = """
[[preconditions]]
id = "public-bodies"
kind = "referrer"
partner_kinds = ["public_body"]
title = "Public bodies send here."
next_step = "Ask your council."
"""


def test_th21_a_partner_that_becomes_another_kind_is_no_referrer_unseen(new_house: Callable[..., House]) -> None:
    # given an approved gate that public bodies alone may come through
    key = ClientKey.generate()

    def edit(folder: Path) -> None:
        gate_services(folder, key)
        append_to(folder / "gates" / "panel.toml", BY_KIND)

    house = new_house(edit=edit)
    # when a charity is made a public body by one person
    partnership = house.folder / "partnerships" / "demo.toml"
    _again(house, lambda _: replace_in(partnership, 'kind = "charity"', 'kind = "public_body"'))
    house.rounds(2)
    # then the service with that gate is held, and no other
    held = {row["id"] for row in house.rows("SELECT id FROM connections WHERE held_reason = 'entry-changed'")}
    assert held == {PANEL}


def test_th21_a_comment_opens_nothing_and_holds_nothing(new_house: Callable[..., House]) -> None:
    # given an approved gate, when words that decide nothing are added to its file
    key = ClientKey.generate()
    house = new_house(edit=lambda folder: gate_services(folder, key))
    _again(house, lambda folder: append_to(folder / "gates" / "panel.toml", "\n# Agreed by the panel.\n"))
    house.rounds(2)
    # then nothing is held
    assert house.rows("SELECT id FROM connections WHERE held_reason <> ''") == []
