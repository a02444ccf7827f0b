"""R39: each statement is delivered with who said it, how it is known and when; or that nobody said so."""

from __future__ import annotations

import pytest

from tests.acceptance.house import House
from tests.acceptance.previewing import preview, section
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, strings


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            {"by": "Sam", "how": "heard_directly", "on": "2026-11-03"},
            "Told to the worker by Sam, heard directly, on 3 November 2026",
        ),
        (
            {"by": "a friend", "how": "passed_on", "on": "2026-11-03"},
            "Told to the worker by a friend, passed on from someone else, on 3 November 2026",
        ),
        (
            {"by": "the night worker", "how": "observed", "on": "2026-11-03"},
            "Noted by the night worker from what they saw, on 3 November 2026",
        ),
        (None, "The worker who sent this did not say who told them, or when"),
    ],
)
def test_r39_each_statement_goes_with_where_it_comes_from(
    looking: House, said: dict[str, str] | None, line: str
) -> None:
    # given one statement of each kind, in each section that holds words
    share = a_share(HOUSING, TREATMENT)
    for consent in share["consents"]:
        consent["categories"] = [
            "identity",
            "contact",
            "housing",
            "substance_use",
            "goal",
            "approach",
            "in_their_words",
        ]
    worded = ("goal", "approach", "in_their_words", "substance_use", "housing")
    share["sections"] = [each for each in share["sections"] if each["category"] not in worded]
    fields = {"housing": {"reason": "threatened_with_homelessness_56_days"}}
    for each in worded:
        share["sections"].append(section(each, text=f"zq-{each}", said=said, fields=fields.get(each, {})))
    shown = preview(looking, share)
    # then its line stands beside each, in each format, and nothing calls it verified or not
    expected = {HOUSING: {"goal", "approach", "in_their_words", "housing"}, TREATMENT: {*worded} - {"housing"}}
    for service, categories in expected.items():
        texts = list(strings(shown.parcel(service)))
        assert {each for each in categories if f"zq-{each}" in texts} == categories
        assert texts.count(line) == len(categories)
        assert "verified" not in shown.text(service).lower().replace("nhsnumberverificationstatus", "")
