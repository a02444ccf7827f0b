"""What earlier shares say of a new one: the newest version is the one that came last, and being sent on is counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.answer import AnswerState
from hub.domain.errors import HubError
from hub.domain.wording import stigma_words
from hub.services.before import NO_SUCH_REDIRECT, PLAN_IS_OLD, REFUSALS, TOO_OFTEN, Before, is_stale, redirect_of
from hub.services.sent_before import sent_before
from tests.unit.domain.test_wording import reading_age

ASKED = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@given(st.lists(st.integers(0, 5), min_size=1))
def test_r20_only_the_version_that_came_last_is_not_old(named: list[int]) -> None:
    # given versions in the order in which they were named, each first seen once
    seen = list(dict.fromkeys(str(each) for each in named))[::-1]
    # then the last that was new is the newest, all others are old, and one never named is no old one
    assert [version for version in seen if not is_stale(version, seen)] == seen[:1]
    assert not is_stale("never", seen)
    assert not is_stale("never", [])


def row(**changes: Any) -> dict[str, Any]:
    """A delivery of ours that sent a person on for the first time."""
    found = {"person": "p", "sent_at": ASKED, "answer_state": AnswerState.REDIRECT_SUGGESTED}
    return found | {"first_asked_at": None, "redirects": None} | changes


def why(found: Before | HubError) -> Any:
    return found.refusal if isinstance(found, HubError) else found


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_r33_each_time_is_counted_up_to_the_limit_and_the_first_date_stays(number: int) -> None:
    # given a person who was sent on so often before
    first = {} if number == 0 else {"first_asked_at": ASKED, "sent_at": datetime(2026, 12, 1, tzinfo=UTC)}
    found = redirect_of(row(redirects=number or None, **first), "p", 3)
    # then the date first asked stays, the champion hears from the second time on, and the fourth is refused
    assert why(found) == (Before(ASKED, number + 1) if number < 3 else TOO_OFTEN)
    if isinstance(found, Before):
        assert found.champion_hears is (number >= 1)


@pytest.mark.parametrize("answer", [each for each in AnswerState if each is not AnswerState.REDIRECT_SUGGESTED])
def test_r33_no_other_answer_sends_anybody_on(answer: AnswerState) -> None:
    assert why(redirect_of(row(answer_state=answer), "p", 3)) == NO_SUCH_REDIRECT


def test_r33_whatever_is_not_theirs_is_refused_alike() -> None:
    assert why(redirect_of(None, "p", 3)) == why(redirect_of(row(person="q"), "p", 3)) == NO_SUCH_REDIRECT


def test_r61_what_a_worker_reads_of_it_is_plain() -> None:
    (already,) = sent_before({"housing": "n"}, {"n": "0" * 32}, {}).values()
    pieces = [f"{each.title} {each.next_step}" for each in (*REFUSALS, already)] + [PLAN_IS_OLD]
    assert [(round(reading_age(text), 1), text) for text in pieces if reading_age(text) > 9 or stigma_words(text)] == []


def test_r32_what_replaces_an_open_one_goes() -> None:
    assert sent_before({"housing": "n"}, {"n": "s"}, {"housing": "earlier"}) == {}
    assert sent_before({"housing": "n"}, {"m": "s"}, {}) == {}
