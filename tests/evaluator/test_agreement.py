"""R12 to R18, R22, R62, R65 to R67 and R72: the hub and a second evaluator, written from the texts alone, agree.

EVALUATOR_RUNS sets how many cases they are both asked; `make race` asks 100,000.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import pytest

from hub.domain.share import Category
from tests.evaluator.both import differences, hubs
from tests.evaluator.cases import Case, case

#: Cases of one part, so that all workers share them.
PARTS = 4
RUNS = int(os.environ.get("EVALUATOR_RUNS") or os.environ.get("RACE_RUNS") or "2000")


def disagreements(cases: list[Case], first: int) -> dict[int, list[str]]:
    """The seeds of the cases that they differ on, and how."""
    return {first + at: found for at, each in enumerate(cases) if (found := differences(each))}


@pytest.mark.race
@pytest.mark.parametrize("part", range(PARTS))
def test_r12_r13_r17_r18_r62_r65_r72_two_evaluators_agree_on_every_case(part: int) -> None:
    # given cases drawn from their seeds, when both are asked, then they agree on each
    for first in range(part * RUNS // PARTS, (part + 1) * RUNS // PARTS, 500):
        last = min(first + 500, (part + 1) * RUNS // PARTS)
        assert disagreements([case(seed) for seed in range(first, last)], first) == {}


def test_the_cases_ask_about_every_rule() -> None:
    # given the cases of a short run
    cases = [case(seed) for seed in range(2_000)]
    decided = [hubs(each) for each in cases]
    # when what the hub says of them is counted
    refused = Counter(kind for each in decided for kind in each.why_not)
    seen = Counter(category for each, one in zip(cases, decided, strict=True) for category in sections_seen(each, one))
    # then every refusal that they are about is among them, every category goes to somebody, and many may go
    assert {kind for kind, times in refused.items() if times >= 5} >= {
        *("consent-absent", "consent-expired", "consent-withdrawn", "consent-refused", "consent-superseded"),
        *("consent-purpose", "consent-not-sure", "best-interests-missing", "agreement-missing", "young-person-refused"),
        *("consent-from-the-future", "duties-not-explained", "consent-no-categories", "consent-covers-nothing"),
        *("unlabelled", "check-words", "place-in-words", "keep-from-not-carried", "service-unknown"),
        "check-offending",
    }
    assert set(seen) == set(Category)
    assert sum(each.may_go for each in decided) >= 350


def sections_seen(one: Case, decided: object) -> list[Category]:
    """The categories of what goes."""
    seen = {identifier for identifier, _, _ in getattr(decided, "seen", ())}
    return [each.category for each in one.share.sections if each.id in seen and each.category is not None]


def test_a_rule_that_one_of_them_forgets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a hub that takes every place to be agreed, and sends what nobody ticked
    from hub.domain import minimise
    from hub.services import decide

    def careless(share, consent, service, connection):
        return minimise.minimise(share, replace(consent, location_ok=True), service, connection)

    monkeypatch.setattr(decide, "minimise", careless)
    # when both are asked the same, then the difference shows
    assert len(disagreements([case(seed) for seed in range(300)], 0)) >= 3
