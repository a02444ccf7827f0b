"""Working days and hours in England and Wales, Europe/London, from GOV.UK's bank holidays (`bank-holidays.json`).

The data file is a byte-exact copy of the GOV.UK bank holidays feed: Crown copyright, used under the Open Government
Licence v3.0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

_ONE_DAY = timedelta(days=1)
#: No run of holidays and closures is this long: further on, the calendar itself is wrong.
_LONGEST_CLOSURE_DAYS = 366


def load_holidays(json_text: str) -> frozenset[date]:
    """Return the England and Wales bank holidays in a document of GOV.UK's shape; raises `ValueError` on any other."""
    document = json.loads(json_text)
    try:
        events = document["england-and-wales"]["events"]
        holidays = frozenset(date.fromisoformat(event["date"]) for event in events)
    except (KeyError, TypeError) as fault:
        raise ValueError("not the GOV.UK bank holidays shape: england-and-wales.events[].date") from fault
    if not holidays:
        raise ValueError("the bank holidays document lists no holiday")
    return holidays


@lru_cache(maxsize=1)
def shipped_holidays() -> frozenset[date]:
    """Return the bank holidays that ship with the hub (2012 to 2028)."""
    return load_holidays(files("hub.domain").joinpath("bank-holidays.json").read_text(encoding="utf-8"))


def london_date(instant: datetime) -> date:
    """Return the date on London's calendar at `instant`; raises `ValueError` when it has no time zone."""
    return _local(instant).date()


def day_ends(day: date) -> datetime:
    """Return the UTC instant at which a day is over in London; the calendar's last day ends with the calendar."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return _utc(day + timedelta(days=1), time(0))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """When a partnership is open: Monday to Friday but for `holidays` and local `closures`, `opens` to `closes`.

    `weekdays` are the days of the week that somebody works, Monday 0. Times are London's; the opening is inside the
    working day and the closing is not. Instants are always aware, and those returned are in UTC (R43).
    """

    holidays: frozenset[date]
    closures: frozenset[date] = frozenset()
    opens: time = time(9)
    closes: time = time(17)
    weekdays: frozenset[int] = frozenset(range(5))

    def __post_init__(self) -> None:
        """Refuse hours that never open."""
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")

    def is_working_day(self, day: date) -> bool:
        """Tell whether `day` is one of the week's working days, and neither a bank holiday nor a local closure."""
        return day.weekday() in self.weekdays and day not in self.holidays and day not in self.closures

    def closed_on(self, days: frozenset[date]) -> WorkingCalendar:
        """Return this calendar with more days off."""
        return replace(self, closures=self.closures | days) if days - self.closures else self

    def end_of_working_day(self, day: date) -> datetime:
        """Return the instant at which `day` closes, or, when it is not a working day, the next one that is."""
        return _utc(self._working_day_from(day), self.closes)

    def add_working_days(self, start_utc: datetime, n: int) -> datetime:
        """Return the close of the `n`th working day after the day of receipt ("within n working days").

        The day of receipt is not counted; what arrives at or after closing, or on a day off, counts as received on
        the next working day. `n` = 0 is the close of the day of receipt itself.
        """
        if n < 0:
            raise ValueError("working days are counted forwards")
        day = self._day_of_receipt(start_utc)
        for _ in range(n):
            day = self._working_day_from(day + _ONE_DAY)
        return _utc(day, self.closes)

    def add_working_hours(self, start_utc: datetime, hours: float) -> datetime:
        """Return the instant at which `hours` of opening time have passed since `start_utc`."""
        if hours < 0:
            raise ValueError("working hours are counted forwards")
        at, left = _local(start_utc).astimezone(UTC), timedelta(hours=hours)
        if not left:
            return at
        day = self._day_of_receipt(at)
        while True:
            begins, ends = max(at, _utc(day, self.opens)), _utc(day, self.closes)
            if left <= ends - begins:
                return begins + left
            left -= ends - begins
            day = self._working_day_from(day + _ONE_DAY)

    def covers(self, now: datetime) -> bool:
        """Tell whether the holidays are known for the coming twelve months; if not, the operator is warned."""
        return bool(self.holidays) and _a_year_after(london_date(now)) <= max(self.holidays)

    def _day_of_receipt(self, instant: datetime) -> date:
        local = _local(instant)
        late = self.is_working_day(local.date()) and local.time() >= self.closes
        return self._working_day_from(local.date() + _ONE_DAY if late else local.date())

    def _working_day_from(self, day: date) -> date:
        for _ in range(_LONGEST_CLOSURE_DAYS):
            if self.is_working_day(day):
                return day
            day += _ONE_DAY
        raise ValueError("the calendar has no working day in a year")


def england_and_wales(closures: frozenset[date] = frozenset()) -> WorkingCalendar:
    """Return the shipped calendar, with a partnership's own `closures` added (one-off holidays, local days off)."""
    return WorkingCalendar(shipped_holidays(), closures)


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, month=3, day=1)


def _local(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(LONDON)


@lru_cache(maxsize=1024)  # every share's clocks end at a few days' close
def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=LONDON).astimezone(UTC)
