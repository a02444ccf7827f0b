"""R25, R63: gates are data; every one that ships says in plain words what it asks for and what to do next."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.domain.gate import Gate, asked_only, asks_for, refusals
from hub.domain.precondition import FIVE, Asserted, Precondition
from hub.domain.wording import stigma_words
from hub.partnership import shipped
from hub.sdk.gate import GateTable
from tests.gating import SHIPPED, gate_of, shipped_gate, types
from tests.unit.domain.test_wording import reading_age

DTR = shipped_gate("duty-to-refer")
THE_DAY = date(2026, 11, 20)
AGREED = {"consent_to_refer": True, "chosen_authority": "E07000008", "consent_to_pass_contact": True}
PANEL = {
    "age": 34,
    "support_level": "daily",
    "housing_asked_on": "2026-09-01",
    "met_support_on": "2026-10-01",
    "plan_made_on": "2026-11-01",
}


def every_precondition() -> list[tuple[str, Precondition]]:
    """Each precondition that ships, with its gate's name."""
    return [(name, each) for name in SHIPPED for each in shipped_gate(name).preconditions]


def test_every_gate_that_ships_is_read_and_listed_here() -> None:
    assert sorted(file.stem for file in (shipped("config") / "gates").glob("*.toml")) == sorted(SHIPPED)


@pytest.mark.parametrize(("name", "each"), every_precondition())
def test_r25_each_says_plainly_what_it_asks_for_and_what_next(name: str, each: Precondition) -> None:
    assert each.title.endswith(".")
    assert each.next_step.endswith(".")
    assert stigma_words(f"{each.title} {each.next_step}") == []
    # Names that services and forms give themselves are not our words.
    text = f"{each.title} {each.next_step}"
    for own in ("Children and Families", "hospital discharge lead", "case-holder", "safeguarding referral"):
        text = text.replace(own, "them")
    assert reading_age(text) <= 9, (reading_age(text), text)


def test_r25_all_that_fails_is_told_at_once_in_the_order_configured() -> None:
    assert types(DTR, {}) == ["gate-consent-to-refer", "gate-chosen-authority", "gate-consent-to-pass-contact"]


def test_r63_each_of_the_three_alone_is_refused_and_all_three_pass() -> None:
    assert types(DTR, AGREED) == []
    for name in AGREED:
        lacking = {key: value for key, value in AGREED.items() if key != name}
        assert types(DTR, lacking) == [f"gate-{name.replace('_', '-')}"]


@pytest.mark.parametrize("code", ["W06000015", "S12000036", "N09000003", "E10000007", "e07000008"])
def test_r63_only_an_english_housing_authority_is_a_choice(code: str) -> None:
    assert types(DTR, AGREED | {"chosen_authority": code}) == ["gate-chosen-authority"]


def test_r63_another_council_than_the_one_they_chose_gets_nothing() -> None:
    assert types(DTR, AGREED | {"chosen_authority": "E09000001"}) == ["gate-another-council"]


def test_r31_another_partnership_s_panel_is_data_alone() -> None:
    # given a panel with other ages, another order and other referrers
    panel = shipped_gate("complex-needs-housing")
    # then its own rules decide, and nothing of the hub's code names it
    assert types(panel, PANEL, three_of_five="yes") == []
    assert types(panel, PANEL | {"age": 17}, three_of_five="yes") == ["gate-adult"]
    assert types(panel, PANEL | {"plan_made_on": "2026-09-15"}, three_of_five="yes") == ["gate-panel-order"]
    code = Path(__file__).parents[2] / "hub"
    found = {file.name for file in code.rglob("*.py") if "complex-needs" in file.read_text(encoding="utf-8")}
    assert found == {"init.py"}


@pytest.mark.parametrize(
    ("answer", "refused"), [("yes", []), ("no", ["gate-three-of-five"]), ("not_said", ["gate-three-of-five"])]
)
def test_r30_a_cohort_rule_may_require_the_answer_yes(answer: Any, refused: list[str]) -> None:
    assert types(shipped_gate("complex-needs-housing"), PANEL, three_of_five=answer) == refused


@pytest.mark.parametrize("answer", ["yes", "no", "not_said"])
def test_r30_a_rule_that_only_tags_lets_every_answer_by(answer: Any) -> None:
    assert types(gate_of("tagged", TAG), {}, three_of_five=answer) == []


@pytest.mark.parametrize("name", sorted(FIVE))
def test_r30_no_gate_can_ask_for_one_of_the_five(name: str) -> None:
    asked = {"id": "x-1", "kind": "equals", "fact": name, "equals": True, "title": "T.", "next_step": "N."}
    with pytest.raises(ValidationError, match="none of the five is ever asked for"):
        GateTable.model_validate({"title": "T", "preconditions": [asked]})


def test_r30_a_fact_that_no_gate_asks_for_goes_no_further() -> None:
    assert asked_only([DTR], AGREED | {"homelessness": True, "note": "x"}) == AGREED
    assert asked_only([], AGREED) == {}


TOLD = {"title": "T.", "next_step": "N."}
TAG = {"title": "Tagged", "preconditions": [{"id": "tag", "kind": "cohort", "rule": "tag"} | TOLD]}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "horoscope"}, "does not match any of the expected tags"),
        ({"kind": "sequence", "steps": [{"fact": "a_on", "name": "a"}]}, "an order has two steps or more"),
        ({"kind": "sequence", "steps": [{"fact": "a_on", "name": "a"}] * 2}, "each step has a fact of its own"),
        ({"kind": "age", "fact": "age"}, "name at_least, at_most or both"),
        ({"kind": "age", "fact": "age", "at_least": 18, "at_most": 17}, "nobody could pass"),
        ({"kind": "pattern", "fact": "code", "pattern": "("}, "is not a pattern that can be read"),
        ({"kind": "referrer"}, "name partners, partner_kinds or roles"),
        ({"kind": "one_of", "fact": "status", "values": []}, "at least 1 item"),
        ({"kind": "equals", "fact": "Status", "equals": True}, "String should match pattern"),
        ({"kind": "equals", "fact": "status", "equals": True, "unless": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_r25_a_gate_that_cannot_work_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        GateTable.model_validate({"title": "T", "preconditions": [{"id": "x-1"} | TOLD | asked]})


def test_r25_where_several_ask_one_fact_the_first_that_fails_is_told() -> None:
    found = refusals([DTR], Asserted(AGREED | {"chosen_authority": "Leeds"}, "yes", THE_DAY), "/consents/2")
    assert [(each.type, each.pointer) for each in found] == [
        ("gate-chosen-authority", "/consents/2/facts/chosen_authority")
    ]


def test_r25_another_service_can_be_the_next_step() -> None:
    asked = {"id": "never", "kind": "never_direct", "reroute_to": "other"} | TOLD
    (one,) = gate_of("closed", {"title": "Closed", "preconditions": [asked]}).preconditions
    assert one.next_step == "N. Or ask if they want Other."


def test_a_gate_knows_what_it_asks_for() -> None:
    gate: Gate = shipped_gate("trusted-relationships")
    assert gate.facts == {name for each in gate.preconditions for name in asks_for(each)}
    assert "cera_reference" in gate.facts
