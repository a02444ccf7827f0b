"""The person's own words for everything: all states told apart, no code, no judgement, at a reading age of nine."""

from __future__ import annotations

import re
from datetime import date

import pytest

from hub.domain import sheet_words as words
from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryState
from hub.domain.share import Category
from hub.domain.wording import stigma_words
from tests.unit.domain.test_wording import reading_age

ON = date(2026, 11, 18)


def every_sentence() -> list[str]:
    """Everything that a sheet can say of a share, as it is read out."""
    states = [(state, answer) for state in DeliveryState for answer in AnswerState]
    said = {words.stands("Housing", *each) for each in states} | {words.stopping("Housing", *each) for each in states}
    said |= {words.ALL_TAKEN_BACK, words.NOT_SENT, words.FORGOTTEN, words.DIED, words.KEPT_LONGER, words.SAFE_TO_KEEP}
    said |= {
        words.forgotten_on(ON),
        words.DECIDED.format(it="Housing"),
        words.change_your_mind("Jo"),
        words.change_your_mind(""),
        *words.SAFER,
    }
    return sorted(said | set(words.LATER.values()) | {f"{words.TOLD_ABOUT} {part}." for part in words.PARTS.values()})


def test_r70_every_state_is_told_apart_and_every_part_has_words() -> None:
    waiting = {words.stands("Housing", state, AnswerState.AWAITED) for state in DeliveryState}
    answered = {words.stands("Housing", DeliveryState.DELIVERED, answer) for answer in AnswerState}
    assert (len(waiting), len(answered)) == (len(DeliveryState), len(AnswerState))
    assert set(words.PARTS) == set(Category)
    assert len(set(words.PARTS.values())) == len(Category)


def test_r61_the_sheet_is_plain_and_judges_nobody() -> None:
    for text in every_sentence():
        assert re.fullmatch(r"[A-Z][^_{}]+\.", text), text
        assert stigma_words(text) == []
        assert "consent" not in text.lower()
    assert [(round(reading_age(text), 1), text) for text in every_sentence() if reading_age(text) > 9] == []


@pytest.mark.parametrize(
    ("by", "how", "expected"),
    [
        ("the person", "heard_directly", "You said this on Wednesday 18 November 2026"),
        ("The person", "passed_on", "Someone passed on what you said, on Wednesday 18 November 2026"),
        ("Sam", "heard_directly", "Sam said this on Wednesday 18 November 2026"),
        ("outreach worker", "observed", "Outreach worker saw this on Wednesday 18 November 2026"),
        ("their GP", "passed_on", "Someone passed on what their GP said, on Wednesday 18 November 2026"),
    ],
)
def test_r39_a_part_says_who_said_it_how_it_is_known_and_when(by: str, how: str, expected: str) -> None:
    assert words.said(by, how, ON) == expected
