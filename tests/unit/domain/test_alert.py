"""Alerts: two kinds of silence told apart, the right people, each once."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.alert import AlertKind, kind_of, recipients, should_raise, title
from hub.domain.answer import Level
from hub.domain.delivery import DeliveryState

CLOCKS = [Level.L1, Level.L2, Level.L3, Level.L4]
people = st.sampled_from(["ann", "ben", "cat", "dev"])


@pytest.mark.parametrize(
    ("reached", "clock", "state", "expected"),
    [
        (Level.L0, Level.L1, DeliveryState.QUEUED, AlertKind.UNDELIVERED),
        (Level.L0, Level.L1, DeliveryState.HELD, AlertKind.UNDELIVERED),
        (Level.L0, Level.L1, DeliveryState.DEAD_LETTERED, AlertKind.UNDELIVERED),
        (Level.L0, Level.L3, DeliveryState.DEAD_LETTERED, None),
        (Level.L0, Level.L3, DeliveryState.RETRYING, AlertKind.UNDELIVERED),
        (Level.L0, Level.L1, DeliveryState.IN_DOUBT, AlertKind.UNDELIVERED),
        (Level.L0, Level.L1, DeliveryState.DELIVERED, None),
        (Level.L1, Level.L2, DeliveryState.DELIVERED, AlertKind.UNANSWERED),
        (Level.L2, Level.L3, DeliveryState.DELIVERED, AlertKind.UNANSWERED),
        (Level.L3, Level.L4, DeliveryState.DELIVERED, AlertKind.UNANSWERED),
        (Level.L3, Level.L3, DeliveryState.DELIVERED, None),
        (Level.L0, Level.L1, DeliveryState.CANCELLED, None),
    ],
)
def test_r44_what_silence_is_called(
    reached: Level, clock: Level, state: DeliveryState, expected: AlertKind | None
) -> None:
    assert should_raise(reached, clock, state) is expected


def test_r44_over_every_case_the_two_kinds_never_mix() -> None:
    for reached, clock, state in itertools.product(Level, CLOCKS, DeliveryState):
        kind = should_raise(reached, clock, state)
        # a rung that was reached is never alerted, nor what was cancelled
        if clock <= reached or state is DeliveryState.CANCELLED:
            assert kind is None
        # unanswered means that it arrived; undelivered means that nothing shows that it did
        if kind is AlertKind.UNANSWERED:
            assert reached > Level.L0 or state is DeliveryState.DELIVERED
            assert kind_of(clock) is kind
        if kind is AlertKind.UNDELIVERED:
            assert reached is Level.L0
        # silence about a delivery that is still alive is never lost
        if kind is None and clock > reached:
            assert state in {DeliveryState.CANCELLED, DeliveryState.DEAD_LETTERED, DeliveryState.DELIVERED}


def test_r45_titles_differ_and_tell_no_story() -> None:
    titles = {title(kind_of(level), level) for level in CLOCKS}
    assert len(titles) == 4
    assert title(AlertKind.UNDELIVERED, Level.L3) == title(AlertKind.UNDELIVERED, Level.L1)
    assert title(AlertKind.UNDELIVERED, Level.L1) == "Could not be delivered"
    assert "nobody has answered" in title(AlertKind.UNANSWERED, Level.L3)


def test_r44_undelivered_goes_to_the_operator_at_once_and_later_to_the_sending_side() -> None:
    who = {"sender_champion": "ann", "receiver_champion": "ben", "operator": "ops", "author": "tp"}
    assert recipients(AlertKind.UNDELIVERED, Level.L1, **who) == ("ops",)
    assert recipients(AlertKind.UNDELIVERED, Level.L1, **who, late=True) == ("ops", "ann", "tp")
    assert recipients(AlertKind.UNDELIVERED, Level.L2, **who) == ("ops", "ann", "tp")


def test_r44_unanswered_is_led_by_the_senders_champion() -> None:
    who = {"sender_champion": "ann", "receiver_champion": "ben", "operator": "ops"}
    assert recipients(AlertKind.UNANSWERED, Level.L3, **who) == ("ann", "ben")


@given(
    st.sampled_from(AlertKind),
    st.sampled_from(CLOCKS),
    st.fixed_dictionaries(
        {"sender_champion": st.none() | people, "receiver_champion": st.none() | people, "operator": people},
        optional={"author": st.none() | people, "about": st.none() | people, "late": st.booleans()},
    ),
)
def test_r44_r50_one_notice_each_nobody_about_themselves_and_no_orphan(
    kind: AlertKind, level: Level, who: dict[str, str]
) -> None:
    told = recipients(kind, level, **who)
    assert told
    assert len(set(told)) == len(told)
    assert who.get("about") not in told or told == (who["operator"],)
