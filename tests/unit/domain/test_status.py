"""A share's status: open, answered, closed or withdrawn, from its deliveries alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.answer import AnswerState as A
from hub.domain.delivery import DeliveryState as D
from hub.domain.status import DECIDED, FINAL, ShareStatus, settled, status

pairs = st.lists(st.tuples(st.sampled_from(D), st.sampled_from(A)), max_size=5)
asks = st.sampled_from(["act", "know", "meet"])


@pytest.mark.parametrize(
    ("deliveries", "told", "expected"),
    [
        ([(D.QUEUED, A.AWAITED)], False, ShareStatus.OPEN),
        ([(D.DELIVERED, A.RECEIVED)], True, ShareStatus.OPEN),
        ([(D.DELIVERED, A.ACCEPTED)], False, ShareStatus.ANSWERED),
        ([(D.DELIVERED, A.DECLINED)], True, ShareStatus.CLOSED),
        ([(D.DELIVERED, A.ACCEPTED), (D.DELIVERED, A.AWAITED)], True, ShareStatus.OPEN),
        ([(D.DELIVERED, A.ACCEPTED), (D.CANCELLED, A.AWAITED)], False, ShareStatus.ANSWERED),
        ([(D.CANCELLED, A.AWAITED)], False, ShareStatus.WITHDRAWN),
        ([(D.DEAD_LETTERED, A.AWAITED)], False, ShareStatus.OPEN),
        ([(D.DEAD_LETTERED, A.AWAITED)], True, ShareStatus.CLOSED),
        ([(D.DEAD_LETTERED, A.COMPLETED)], False, ShareStatus.ANSWERED),
        ([], True, ShareStatus.OPEN),
    ],
)
def test_r37_status(deliveries: list[tuple[D, A]], told: bool, expected: ShareStatus) -> None:
    assert status(deliveries, person_told=told) is expected


@pytest.mark.parametrize("answer", [A.SIGNPOSTED, A.COULD_NOT_REACH, A.WAITING_LIST, A.NEEDS_INFO])
def test_r34_r38_a_door_that_closed_keeps_the_share_open(answer: A) -> None:
    assert status([(D.DELIVERED, answer)], person_told=True) is ShareStatus.OPEN


def test_r71_know_is_answered_by_a_receipt() -> None:
    assert status([(D.DELIVERED, A.RECEIVED)], ask="know") is ShareStatus.ANSWERED
    assert status([(D.DELIVERED, A.AWAITED)], ask="know") is ShareStatus.OPEN


@given(pairs, asks, st.booleans())
def test_r37_never_closed_before_the_person_is_told(deliveries: list[tuple[D, A]], ask: str, withdrawn: bool) -> None:
    got = status(deliveries, ask=ask, withdrawn=withdrawn)  # type: ignore[arg-type]
    assert got is not ShareStatus.CLOSED
    assert (got is ShareStatus.WITHDRAWN) or not withdrawn


@given(pairs, asks)
def test_r34_never_closed_while_a_service_owes_an_answer(deliveries: list[tuple[D, A]], ask: str) -> None:
    got = status(deliveries, ask=ask, person_told=True)  # type: ignore[arg-type]
    owed = [s for s, a in deliveries if s not in {D.CANCELLED, D.DEAD_LETTERED} and not settled(a, ask)]  # type: ignore[arg-type]
    if owed:
        assert got is ShareStatus.OPEN
    elif any(s is not D.CANCELLED for s, _ in deliveries):
        assert got is ShareStatus.CLOSED


@given(pairs, asks, st.booleans())
def test_the_order_of_deliveries_does_not_matter(deliveries: list[tuple[D, A]], ask: str, told: bool) -> None:
    mixed = sorted(deliveries, key=str)
    assert status(mixed, ask=ask, person_told=told) is status(deliveries, ask=ask, person_told=told)  # type: ignore[arg-type]


def test_final_answers_are_decided() -> None:
    assert FINAL < DECIDED
