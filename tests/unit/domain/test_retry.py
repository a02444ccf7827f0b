"""Retry: grows, bounded, jitter in range, Retry-After honoured, a snooze costs nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.retry import Policy, ceiling_seconds, next_attempt

FIRST = datetime(2026, 11, 20, 12, tzinfo=UTC)
fractions = st.floats(0, 1)
numbers = st.integers(1, 10_000)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    first = draw(st.floats(0.1, 600))
    return Policy(
        first,
        draw(st.floats(first, 86_400)),
        draw(st.integers(1, 100)),
        draw(st.floats(1, 30 * 86_400)),
    )


@given(policies(), numbers)
def test_the_ceiling_doubles_up_to_the_cap(policy: Policy, attempt: int) -> None:
    here, later = ceiling_seconds(policy, attempt), ceiling_seconds(policy, attempt + 1)
    assert policy.first_seconds <= here <= later <= policy.cap_seconds
    assert later == min(policy.cap_seconds, 2 * here) or attempt > 60
    assert ceiling_seconds(policy, 1) == policy.first_seconds


@given(policies(), numbers, fractions, st.floats(0, 86_400), st.booleans())
def test_the_jitter_stays_in_range_and_before_the_end(
    policy: Policy, attempt: int, rand: float, age: float, counts: bool
) -> None:
    now = FIRST + timedelta(seconds=age)
    at = next_attempt(policy, attempt, FIRST, now, None, counts, rand)
    if at is None:
        assert (counts and attempt >= policy.attempts) or age >= policy.give_up_after_seconds - 1e-3
        return
    assert now <= at <= FIRST + timedelta(seconds=policy.give_up_after_seconds, milliseconds=1)
    assert (at - now).total_seconds() <= ceiling_seconds(policy, attempt) * rand + 1e-3


def test_the_jitter_uses_the_whole_range() -> None:
    policy = Policy(first_seconds=10, cap_seconds=1000)
    waits = [next_attempt(policy, 4, FIRST, FIRST, None, True, r) for r in (0.0, 0.5, 1.0)]
    assert waits == [FIRST, FIRST + timedelta(seconds=40), FIRST + timedelta(seconds=80)]


@given(policies(), numbers, fractions, st.floats(0, 40 * 86_400))
def test_r36_retry_after_is_never_undercut_and_never_passes_the_end(
    policy: Policy, attempt: int, rand: float, after: float
) -> None:
    at = next_attempt(policy, attempt % policy.attempts, FIRST, FIRST, after, True, rand)
    if after > policy.give_up_after_seconds:
        assert at is None
    else:
        assert at is not None
        assert after - 1e-3 <= (at - FIRST).total_seconds() <= policy.give_up_after_seconds + 1e-3


@given(policies(), numbers, fractions)
def test_a_snooze_costs_no_attempt(policy: Policy, attempt: int, rand: float) -> None:
    # given a delivery that has no counted attempt left
    used = policy.attempts + attempt
    # then a failure that counts ends it, and a snooze does not
    assert next_attempt(policy, used, FIRST, FIRST, None, True, rand) is None
    assert next_attempt(policy, used, FIRST, FIRST, None, False, rand) is not None


@given(tries=st.integers(1, 40))
def test_the_wait_grows_with_every_try_and_the_limit_with_those_counted(tries: int) -> None:
    policy = Policy(first_seconds=2, cap_seconds=900, attempts=12)
    due_at = next_attempt(policy, 1, FIRST, FIRST, counts=False, tries=tries)
    assert due_at == FIRST + timedelta(seconds=ceiling_seconds(policy, tries))


def test_even_a_snooze_ends_when_time_is_up() -> None:
    policy = Policy(give_up_after_seconds=60)
    assert next_attempt(policy, 1, FIRST, FIRST + timedelta(seconds=59), None, False, 1) == FIRST + timedelta(minutes=1)
    assert next_attempt(policy, 1, FIRST, FIRST + timedelta(seconds=60), None, False, 0) is None


@given(policies(), numbers, fractions, fractions, st.none() | st.floats(0, 86_400))
def test_chance_never_decides_whether_one_is_left(
    policy: Policy, attempt: int, one: float, other: float, after: float | None
) -> None:
    got = [next_attempt(policy, attempt, FIRST, FIRST, after, True, rand) is None for rand in (one, other)]
    assert got[0] == got[1]


@pytest.mark.parametrize("after", [-1.0, math.nan, -math.inf, 0.0])
def test_a_retry_after_that_says_nothing_is_passed_over(after: float) -> None:
    assert next_attempt(Policy(), 1, FIRST, FIRST, after, True, 0.5) == FIRST + timedelta(seconds=1)


def test_a_retry_after_without_end_gives_up() -> None:
    assert next_attempt(Policy(), 1, FIRST, FIRST, math.inf, True, 0.5) is None


def test_the_shipped_policy_tries_exactly_its_attempts() -> None:
    # given a partner that is down for good, and the longest wait each time
    policy, now, made = Policy(), FIRST, 1
    while (at := next_attempt(policy, made, FIRST, now, None, True, 1.0)) is not None:
        now, made = at, made + 1
    # then it is tried twelve times, within the time to give up
    assert made == policy.attempts
    assert now - FIRST < timedelta(seconds=policy.give_up_after_seconds)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_seconds": 0}, {"first_seconds": 10, "cap_seconds": 9}, {"attempts": 0},
        {"give_up_after_seconds": math.inf}, {"cap_seconds": math.nan},
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"polic|cap"):
        Policy(**wrong)  # type: ignore[arg-type]


def test_a_chance_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="rand"):
        next_attempt(Policy(), 1, FIRST, FIRST, None, True, 1.1)
