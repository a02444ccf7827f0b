"""When each rung of the ladder is due: windows, who agreed them, which clocks run, and what stops them (R43, R44)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from hub.domain.answer import Level
from hub.domain.calendar import WorkingCalendar
from hub.domain.delivery import DeliveryKind

Ask = Literal["act", "know", "meet"]


class ClockState(StrEnum):
    """A clock runs until its rung is reached (stopped) or its time comes (passed)."""

    RUNNING = "running"
    STOPPED = "stopped"
    PASSED = "passed"


class Layer(StrEnum):
    """Who set a window; the first of these that names a rung decides it (R43)."""

    ROUTE = "route"
    CONNECTION = "connection"
    MANIFEST = "manifest"
    PARTNERSHIP = "partnership"
    SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Window:
    """How long a rung may take, in one unit; minutes and hours run through nights and weekends, working ones do not."""

    minutes: int | None = None
    working_hours: int | None = None
    working_days: int | None = None
    hours: int | None = None

    def __post_init__(self) -> None:
        """Refuse none, two, or a length that is not positive."""
        units = (self.minutes, self.hours, self.working_hours, self.working_days)
        given = [n for n in units if n is not None]
        if len(given) != 1 or given[0] < 1:
            raise ValueError("a window is a positive number of one unit: minutes, hours, working hours, working days")

    def ends(self, sent_at: datetime, calendar: WorkingCalendar) -> datetime:
        """Return the UTC instant at which the window that opened at `sent_at` closes."""
        if self.working_days is not None:
            return calendar.add_working_days(sent_at, self.working_days)
        if self.working_hours is not None:
            return calendar.add_working_hours(sent_at, self.working_hours)
        return sent_at.astimezone(UTC) + timedelta(minutes=self.minutes or 0, hours=self.hours or 0)

    def halfway(self, sent_at: datetime, calendar: WorkingCalendar) -> datetime:
        """Return when half of the window has passed, in the window's own time: half of three days is a day and a half.

        A working day counts as many hours as it is open, from the opening after what was sent came in.
        """
        if self.working_days is not None:
            open_hours = (datetime.combine(date.min, calendar.closes) - datetime.combine(date.min, calendar.opens)) / 2
            received = calendar.add_working_days(sent_at, 0)
            return calendar.add_working_hours(received, self.working_days * open_hours.total_seconds() / 3600)
        if self.working_hours is not None:
            return calendar.add_working_hours(sent_at, self.working_hours / 2)
        return sent_at.astimezone(UTC) + timedelta(minutes=self.minutes or 0, hours=self.hours or 0) / 2


@dataclass(frozen=True, slots=True)
class AgreedWindow:
    """A window with its provenance: every clock says who agreed it and when (R43)."""

    window: Window
    agreed_by: str
    agreed_on: date
    layer: Layer


@dataclass(frozen=True, slots=True)
class WindowSet:
    """The windows that one layer sets, or that are in force, by rung; a rung that is not named falls through."""

    standard: Mapping[Level, AgreedWindow] = field(default_factory=dict)
    urgent: Mapping[Level, AgreedWindow] = field(default_factory=dict)
    safety: Mapping[Level, AgreedWindow] = field(default_factory=dict)  #: where someone is at risk now


def agreed(  # noqa: PLR0913 - one argument for each kind of share
    layer: Layer,
    agreed_by: str,
    agreed_on: date,
    standard: Mapping[Level, Window],
    urgent: Mapping[Level, Window] | None = None,
    safety: Mapping[Level, Window] | None = None,
) -> WindowSet:
    """Return the set that one layer's agreement makes, with the same provenance on each of its windows."""

    def sign(windows: Mapping[Level, Window]) -> dict[Level, AgreedWindow]:
        return {level: AgreedWindow(window, agreed_by, agreed_on, layer) for level, window in windows.items()}

    return WindowSet(sign(standard), sign(urgent or {}), sign(safety or {}))


#: No source sets these (R43): defaults of the hub, for a partnership to replace.
SHIPPED = agreed(
    Layer.SHIPPED,
    "shipped default",
    date(2026, 1, 1),
    {
        Level.L1: Window(minutes=15),
        Level.L2: Window(working_days=1),
        Level.L3: Window(working_days=3),
        Level.L4: Window(working_days=10),
    },
    urgent={Level.L3: Window(working_days=1)},
    safety={Level.L3: Window(hours=24)},
)


def in_force(
    *,
    route: WindowSet | None = None,
    connection: WindowSet | None = None,
    manifest: WindowSet | None = None,
    partnership: WindowSet | None = None,
) -> WindowSet:
    """Return the windows that apply: route before connection before manifest before partnership before shipped."""
    standard: dict[Level, AgreedWindow] = {}
    urgent: dict[Level, AgreedWindow] = {}
    safety: dict[Level, AgreedWindow] = {}
    for layer in (SHIPPED, partnership, manifest, connection, route):
        if layer is not None:
            standard.update(layer.standard)
            urgent.update(layer.urgent)
            safety.update(layer.safety)
    return WindowSet(standard, urgent, safety)


def due(level: Level, sent_at: datetime, urgent: bool, windows: WindowSet, calendar: WorkingCalendar) -> datetime:
    """Return the UTC instant at which `level` is due; see `chosen`."""
    return chosen(level, sent_at, urgent, windows, calendar)[0]


def chosen(  # noqa: PLR0913 - what decides when a rung is due
    level: Level,
    sent_at: datetime,
    urgent: bool,
    windows: WindowSet,
    calendar: WorkingCalendar,
    *,
    safety: bool = False,
) -> tuple[datetime, AgreedWindow]:
    """Return when `level` is due, counted from when the trusted person sent, and the agreement that says so.

    A share that is urgent, or about someone at risk now (`safety`), is never due later than the same share that is
    not, whichever layer set which window. A rung that `windows` does not name has the shipped one; L0 has none:
    `ValueError`.
    """
    standard = windows.standard.get(level) or SHIPPED.standard.get(level)
    if standard is None:
        raise ValueError("L0 is never due: the hub itself holds the share")
    hurried = (windows.urgent.get(level) or SHIPPED.urgent.get(level)) if urgent else None
    safe = (windows.safety.get(level) or SHIPPED.safety.get(level)) if safety else None
    found = [(each.window.ends(sent_at, calendar), each) for each in (safe, hurried, standard) if each is not None]
    return min(found, key=lambda each: each[0])


_FIRST_TWO = (Level.L1, Level.L2)


def runs(ask: Ask, kind: DeliveryKind = DeliveryKind.SHARE) -> tuple[Level, ...]:
    """Return the rungs that have a clock.

    `know` expects a receipt and nothing more (R71), and so do an addendum, a correction (R41) and a reply. A
    `please_stop_using` expects `stopped` or `kept, because …` (R15).
    """
    if kind is DeliveryKind.PLEASE_STOP_USING:
        return (*_FIRST_TWO, Level.L3)
    if kind is not DeliveryKind.SHARE or ask == "know":
        return _FIRST_TWO
    return (*_FIRST_TWO, Level.L3, Level.L4)


def stops(level_reached: Level) -> tuple[Level, ...]:
    """Return the rungs whose clocks stop once `level_reached` is proved: it and all below it."""
    return tuple(level for level in Level if Level.L0 < level <= level_reached)


def undelivered_notice_at(sent_at: datetime, urgent: bool, calendar: WorkingCalendar) -> datetime:
    """Return when the trusted person and the champion hear that it has not arrived (R43, R44).

    Four working hours after it was sent; thirty minutes, by day or night, when it is urgent.
    """
    window = Window(minutes=30) if urgent else Window(working_hours=4)
    return window.ends(sent_at, calendar)
