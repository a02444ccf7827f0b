"""Checks of the kit run in any order: each one that speaks to the partner starts the partner itself."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from hub.conformance.check import Check, every_check
from hub.conformance.run import trying

HOUSING = Path(__file__).parents[3] / "plugins" / "housing"


@pytest.mark.parametrize(
    "first",
    [each for each in every_check() if "stand.sandbox" in inspect.getsource(each.run) and "poll" not in each.needs],
    ids=lambda check: check.name,
)
def test_a_check_that_speaks_to_the_partner_can_come_first(first: Check) -> None:
    # given a pack of which nothing runs yet
    with trying(str(HOUSING)) as tried:
        # when this check is the first of all
        result = tried.run("duty-to-refer", first)

    # then it finds its partner
    assert result.state == "passed", result
