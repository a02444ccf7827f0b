"""Forgetting: whichever date is first, never later for an answer, and only a final answer counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryState
from hub.domain.forget import Forgetting, forget_on, is_final
from hub.domain.status import FINAL

SENT = datetime(2026, 11, 20, 12, tzinfo=UTC)
lengths = st.timedeltas(timedelta(seconds=1), timedelta(days=400))
policies = st.builds(Forgetting, lengths, lengths)
pairs = st.lists(st.tuples(st.sampled_from(DeliveryState), st.sampled_from(AnswerState)), max_size=5)


@pytest.mark.parametrize(
    ("answered_after_days", "kept_days"),
    [(None, 90), (0, 30), (1, 31), (59, 89), (60, 90), (61, 90), (400, 90)],
)
def test_r59_thirty_days_after_its_answer_or_ninety_after_sending(answered_after_days: int | None, kept_days: int):
    final_at = None if answered_after_days is None else SENT + timedelta(days=answered_after_days)
    assert forget_on(SENT, final_at, Forgetting()) == SENT + timedelta(days=kept_days)


@given(policies, st.none() | lengths)
def test_r59_never_later_than_either_date(policy: Forgetting, answered: timedelta | None) -> None:
    final_at = None if answered is None else SENT + answered
    due = forget_on(SENT, final_at, policy)
    assert SENT < due <= SENT + policy.after_sending
    assert final_at is None or due <= final_at + policy.after_answer
    assert due in {SENT + policy.after_sending, (final_at or SENT) + policy.after_answer}


@given(policies, lengths, lengths)
def test_r59_a_later_answer_never_shortens_and_an_answer_never_lengthens(
    policy: Forgetting, early: timedelta, later: timedelta
) -> None:
    first, second = sorted((early, later))
    assert forget_on(SENT, SENT + first, policy) <= forget_on(SENT, SENT + second, policy)
    assert forget_on(SENT, SENT + second, policy) <= forget_on(SENT, None, policy)


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(days=-1)])
def test_a_story_is_not_forgotten_before_it_was_told(wrong: timedelta) -> None:
    with pytest.raises(ValueError, match="kept for some time"):
        Forgetting(after_answer=wrong)
    with pytest.raises(ValueError, match="kept for some time"):
        Forgetting(after_sending=wrong)


@given(pairs)
def test_r59_final_is_when_no_service_that_was_not_cancelled_owes_more(
    deliveries: list[tuple[DeliveryState, AnswerState]],
) -> None:
    owing = [answer for state, answer in deliveries if state is not DeliveryState.CANCELLED]
    assert is_final(deliveries) is (owing != [] and set(owing) <= FINAL)
    assert not is_final([*deliveries, (DeliveryState.DELIVERED, AnswerState.WAITING_LIST)])
    assert is_final([*deliveries, (DeliveryState.CANCELLED, AnswerState.AWAITED)]) is is_final(deliveries)
