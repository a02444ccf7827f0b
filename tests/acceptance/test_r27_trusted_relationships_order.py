"""R27: open, CERA, MACE Level 1 view, suggestion, agreement: all five, and in that order."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.gate import refusals
from hub.domain.precondition import Asserted
from tests.gating import TR_FACTS, shipped_gate, types

TR = shipped_gate("trusted-relationships")
ON = date(2026, 11, 20)
STEPS = {
    "open_on": "open to Children and Families",
    "cera_done_on": "CERA done",
    "mace_level_1_on": "MACE Level 1 view",
    "suggested_on": "suggested",
    "agreed_on": "agreement",
}


def said(facts: dict[str, Any]) -> str:
    """Return the next step of the order's refusal."""
    found = refusals([TR], Asserted(facts, "not_said", ON), "/consents/0")
    return next(each.next_step for each in found if each.type == "gate-pathway-order")


def test_r27_of_all_thirty_two_combinations_exactly_one_passes() -> None:
    # given every way in which the five are there or not
    passed = []
    for there in itertools.product((False, True), repeat=5):
        missing = [name for name, given in zip(STEPS, there, strict=True) if not given]
        facts = {name: value for name, value in TR_FACTS.items() if name not in missing}

        # when the gate is asked
        refused = types(TR, facts, ON)

        # then each that lacks something is refused for the order, and told what, in order
        if refused:
            assert "gate-pathway-order" in refused
            named = ", then ".join(STEPS[name] for name in missing)
            assert f"Still missing, in this order: {named}." in said(facts)
        else:
            passed.append(there)
    assert passed == [(True,) * 5]


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(STEPS)))
def test_r27_dates_that_go_backwards_are_refused_and_named(earlier: str, later: str) -> None:
    # given two neighbours, each with the other's day
    swapped = TR_FACTS | {earlier: TR_FACTS[later], later: TR_FACTS[earlier]}

    # then the order refuses, and names the one that came too early; both days alike would pass
    assert types(TR, swapped, ON) == ["gate-pathway-order"]
    assert f"Too early for its place: {STEPS[later]}." in said(swapped)
    assert types(TR, TR_FACTS | {earlier: TR_FACTS[later]}, ON) == []


@pytest.mark.parametrize("name", STEPS)
def test_r27_a_step_that_is_still_to_come_is_missing(name: str) -> None:
    facts = TR_FACTS | {name: "2026-11-21"}
    assert "gate-pathway-order" in types(TR, facts, ON)
    assert STEPS[name] in said(facts)


@given(st.lists(st.dates(date(2026, 1, 1), date(2026, 11, 20)), min_size=5, max_size=5))
def test_r27_it_passes_just_when_no_day_is_before_the_one_ahead_of_it(days: list[date]) -> None:
    facts = TR_FACTS | {name: day.isoformat() for name, day in zip(STEPS, days, strict=True)}
    assert (types(TR, facts, ON) == []) is (days == sorted(days))


def test_r27_a_refusal_never_repeats_what_was_sent() -> None:
    facts = TR_FACTS | {"cera_done_on": "Zz9Canary", "agreed_on": "2025-03-07"}
    assert "Zz9Canary" not in said(facts)
    assert "2025" not in said(facts)
