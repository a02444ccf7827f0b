"""Clocks: defaults, precedence with provenance, which run, and what stops them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.answer import Level
from hub.domain.calendar import LONDON, WorkingCalendar, england_and_wales
from hub.domain.clock import (
    SHIPPED,
    Layer,
    Window,
    WindowSet,
    agreed,
    due,
    in_force,
    runs,
    stops,
    undelivered_notice_at,
)
from hub.domain.delivery import DeliveryKind

FRIDAY = datetime(2026, 11, 20, 15, tzinfo=UTC)
windows = st.one_of(
    st.builds(Window, minutes=st.integers(1, 9999)),
    st.builds(Window, working_hours=st.integers(1, 99)),
    st.builds(Window, working_days=st.integers(1, 30)),
)
levels = st.sampled_from([Level.L1, Level.L2, Level.L3, Level.L4])
layers = st.dictionaries(levels, windows)


@pytest.mark.parametrize(
    ("level", "urgent", "expected"),
    [
        (Level.L1, False, datetime(2026, 11, 20, 15, 15, tzinfo=UTC)),
        (Level.L1, True, datetime(2026, 11, 20, 15, 15, tzinfo=UTC)),
        (Level.L2, False, datetime(2026, 11, 23, 17, tzinfo=UTC)),
        (Level.L3, True, datetime(2026, 11, 23, 17, tzinfo=UTC)),
        (Level.L3, False, datetime(2026, 11, 25, 17, tzinfo=UTC)),
        (Level.L4, False, datetime(2026, 12, 4, 17, tzinfo=UTC)),
    ],
)
def test_r43_shipped_defaults(level: Level, urgent: bool, expected: datetime, calendar: WorkingCalendar) -> None:
    assert due(level, FRIDAY, urgent, SHIPPED, calendar) == expected


def test_r43_route_beats_connection_beats_manifest_beats_partnership() -> None:
    # given the same rung set by all four layers, and each layer taken away in turn
    order = [Layer.ROUTE, Layer.CONNECTION, Layer.MANIFEST, Layer.PARTNERSHIP]
    sets = {
        layer.value: agreed(layer, f"{layer} board", date(2026, 2, n + 1), {Level.L3: Window(working_days=n + 4)})
        for n, layer in enumerate(order)
    }
    for layer in order:
        # when they are put together
        clock = in_force(**sets).standard[Level.L3]
        # then the highest that is left decides, and says who agreed it and when
        assert (clock.layer, clock.agreed_by) == (layer, f"{layer} board")
        assert clock.window.working_days == order.index(layer) + 4
        assert clock.agreed_on == date(2026, 2, order.index(layer) + 1)
        del sets[layer.value]
    assert in_force().standard[Level.L3] == SHIPPED.standard[Level.L3]


def test_r43_a_layer_that_names_one_rung_leaves_the_others() -> None:
    route = agreed(Layer.ROUTE, "the board", date(2026, 2, 1), {Level.L2: Window(working_hours=4)})
    together = in_force(route=route)
    assert together.standard[Level.L2].layer is Layer.ROUTE
    assert all(together.standard[level].layer is Layer.SHIPPED for level in (Level.L1, Level.L3, Level.L4))


@given(layers, layers, levels, st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC)))
def test_urgent_is_never_due_later(
    standard: dict[Level, Window], urgent: dict[Level, Window], level: Level, sent: datetime
) -> None:
    together = in_force(connection=agreed(Layer.CONNECTION, "board", date(2026, 1, 1), standard, urgent))
    calendar = england_and_wales()
    hurried, ordinary = (due(level, sent, u, together, calendar) for u in (True, False))
    assert sent < hurried <= ordinary


def test_a_rung_that_nobody_named_has_the_shipped_clock(calendar: WorkingCalendar) -> None:
    for level in (Level.L1, Level.L2, Level.L3, Level.L4):
        for urgent in (True, False):
            assert due(level, FRIDAY, urgent, WindowSet(), calendar) == due(level, FRIDAY, urgent, SHIPPED, calendar)
    with pytest.raises(ValueError, match="L0"):
        due(Level.L0, FRIDAY, False, SHIPPED, calendar)


def test_r71_know_expects_a_receipt_and_no_more() -> None:
    assert runs("know") == (Level.L1, Level.L2)
    assert runs("act") == runs("meet") == (Level.L1, Level.L2, Level.L3, Level.L4)


def test_r15_r41_follow_ups_run_their_own_clocks_whatever_was_asked() -> None:
    for ask in ("act", "know", "meet"):
        assert runs(ask, DeliveryKind.PLEASE_STOP_USING)[-1] is Level.L3
        for kind in (DeliveryKind.CORRECTION, DeliveryKind.ADDENDUM, DeliveryKind.REPLY):
            assert runs(ask, kind) == (Level.L1, Level.L2)


@given(st.sampled_from(Level), st.sampled_from(Level))
def test_a_rung_stops_its_own_clock_and_all_below(reached: Level, level: Level) -> None:
    assert (level in stops(reached)) == (Level.L0 < level <= reached)


def test_r44_the_trusted_person_hears_within_four_working_hours_or_thirty_minutes(calendar: WorkingCalendar) -> None:
    assert undelivered_notice_at(FRIDAY, False, calendar) == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert undelivered_notice_at(FRIDAY, True, calendar) == FRIDAY + timedelta(minutes=30)


def test_minutes_run_through_a_clock_change(calendar: WorkingCalendar) -> None:
    # given a share sent half an hour before the clocks go back
    sent = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    # then a day and a half of minutes is 36 hours of time, and 11:30 in London is 12:30 by the wall
    end = Window(minutes=36 * 60).ends(sent.astimezone(LONDON), calendar)
    assert end - sent == timedelta(hours=36)
    assert end.tzinfo is UTC


@pytest.mark.parametrize("given_", [{}, {"minutes": 1, "working_days": 1}, {"minutes": 0}, {"working_hours": -1}])
def test_a_window_is_one_positive_length(given_: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(**given_)
