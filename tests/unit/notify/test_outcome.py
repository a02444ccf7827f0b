"""When to try a notice again: the standard's ten tries, what the receiver asks for, and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notify.outcome import SCHEDULE, RetryLater, wait_after
from hub.notify.webhook import retry_after

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_ten_tries_over_the_standards_span() -> None:
    # given the schedule, when the tries are counted, then there are ten, each wait longer, over 75 h 35 m
    waits = [wait_after(tries, RetryLater("status:500")) for tries in range(1, 12)]
    given_waits = [wait for wait in waits if wait is not None]
    assert len(given_waits) + 1 == 10
    assert sum(given_waits, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    assert all(earlier < later for earlier, later in pairwise(SCHEDULE))
    assert waits[9:] == [None, None]


@given(
    tries=st.integers(1, len(SCHEDULE)),
    after=st.none() | st.floats(-1e9, 1e9),
    spread=st.floats(0, 1),
)
def test_a_receivers_wish_lengthens_and_never_shortens(tries: int, after: float | None, spread: float) -> None:
    # given any wish of the receiver, when the wait is worked out, then it is bounded on both sides
    wait = wait_after(tries, RetryLater("status:429", after=after), spread)
    assert wait is not None
    planned = SCHEDULE[tries - 1]
    assert planned <= wait <= max(planned * 1.1, timedelta(days=1))
    if after is not None and after <= 86_400:
        assert wait >= timedelta(seconds=max(after, 0))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 23 Nov 2026 09:31:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 09:31:00 -0000", 60.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("١٢", None),
        ("9" * 4000, None),
        ("Mon, 99 Nov 99999 09:00:00 GMT", None),
    ],
)
def test_both_forms_of_retry_after_are_read(header: str, seconds: float | None) -> None:
    # given a Retry-After header, when it is read, then seconds and dates count, and anything else asks nothing
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=60))
def test_any_header_is_read_without_a_fault(header: str) -> None:
    # given any text at all, when it is read, then it is a wait or nothing
    asked = retry_after(header, NOW)
    assert asked is None or asked >= 0
