"""A request to be rung: when it is late, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.calendar import england_and_wales
from hub.domain.ring import Ring, RingKind, RingState, due, is_late, words

ASKED = datetime(2026, 11, 20, 23, 50, tzinfo=UTC)  # a Friday night


def test_r23_safety_is_late_after_a_quarter_of_an_hour_by_night_too() -> None:
    assert due(RingKind.SAFETY, ASKED, england_and_wales()) == ASKED + timedelta(minutes=15)


def test_r09_a_coordinator_has_a_working_day() -> None:
    ends = due(RingKind.PLEASE_RING_ME, ASKED, england_and_wales())
    assert ends.date() >= datetime(2026, 11, 23, tzinfo=UTC).date()


@given(st.sampled_from(RingKind), st.integers(-3600, 360_000))
def test_r23_who_waits_is_told_so_and_once_picked_up_never_that_nobody_has_it(kind: RingKind, seconds: int) -> None:
    ends = due(kind, ASKED, england_and_wales())
    now = ends + timedelta(seconds=seconds)
    waiting = Ring(kind, RingState.WAITING, ASKED, ends)
    taken = Ring(kind, RingState.PICKED_UP, ASKED, ends, ASKED + timedelta(minutes=1))
    assert is_late(waiting, now) == (seconds >= 0)
    assert ("Ring" in words(waiting, now)) == (seconds >= 0)
    assert not is_late(taken, now)
    assert "Nobody" not in words(taken, now)
