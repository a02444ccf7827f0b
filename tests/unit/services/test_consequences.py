"""When an answer that names its own time is asked about again (R38)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.answer import Answer, AnswerState
from hub.services.consequences import ASK_WITHIN, ask_again_at

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def test_r38_a_waiting_list_is_asked_when_its_day_is_over() -> None:
    answer = Answer(AnswerState.WAITING_LIST, next_date=date(2026, 12, 1))
    assert ask_again_at(answer, AT) == datetime(2026, 12, 2, tzinfo=UTC)


@given(st.sampled_from([AnswerState.WAITING_LIST, AnswerState.COULD_NOT_REACH]), st.dates(min_value=AT.date()))
def test_r38_no_day_is_so_far_away_that_nobody_asks_again(state: AnswerState, day: date) -> None:
    asked = ask_again_at(Answer(state, next_date=day), AT)
    assert asked is not None
    assert AT < asked <= AT + ASK_WITHIN


def test_r38_who_could_not_be_reached_has_five_working_days_however_soon_it_would_close() -> None:
    answer = Answer(AnswerState.COULD_NOT_REACH, next_date=date(2026, 11, 21))
    asked = ask_again_at(answer, AT)
    assert asked is not None
    assert asked >= AT + timedelta(days=7)
