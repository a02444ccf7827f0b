"""Which alerts are due, reckoned apart from the hub: by working days of its own, from what happened alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.quarter.fates import Fate
from tests.quarter.partnership import ALL_SHUT, SHUT

_LONDON = ZoneInfo("Europe/London")
#: Of the quarter and the days after it, as gov.uk lists them.
_HOLIDAYS = frozenset({date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 1)})


@dataclass(slots=True)
class Story:
    """What happened to one share: in which round the hub heard of each rung; `over` is when nothing more was owed."""

    fate: Fate
    rungs: dict[int, datetime] = field(default_factory=dict)
    over: datetime | None = None

    def reached(self, level: int, at: datetime) -> None:
        """Note a rung, and all below it, at the round in which the hub heard of it."""
        for each in range(level + 1):
            self.rungs.setdefault(each, at)


def due_alerts(story: Story, rounds: Sequence[datetime]) -> Iterator[int]:
    """Yield the rungs of which an alert is due by the last round.

    What has not arrived cannot be unanswered: above the way there (0 and 1), a clock is looked at once it has (R44).
    """
    arrived = story.rungs.get(1)
    for level, at in _due(story.fate):
        if level > 1 and arrived is None:
            continue
        index = bisect_left(rounds, at if level <= 1 or arrived is None else max(at, arrived))
        if index == len(rounds):
            continue
        looked, known = rounds[index], story.rungs.get(max(level, 1))
        if (known is None or known > looked) and (story.over is None or story.over > looked):
            yield level


def _due(fate: Fate) -> Iterator[tuple[int, datetime]]:
    theirs = ALL_SHUT | SHUT.get(fate.service.replace("service", "partner"), frozenset())
    sent = fate.sent_at
    yield 0, sent + timedelta(minutes=30) if fate.urgent else _hours(sent, 4, ALL_SHUT)
    yield 1, sent + timedelta(minutes=15)
    yield 2, _days(sent, 1, theirs)
    ends = [_days(sent, 3, theirs)]
    if fate.urgent:
        ends.append(_days(sent, 1, theirs))
    if fate.at_risk:
        ends.append(sent + timedelta(hours=24))
    yield 3, min(ends)
    yield 4, _days(sent, 10, theirs)


def _open(day: date, shut: frozenset[date]) -> bool:
    return day.weekday() < 5 and day not in _HOLIDAYS and day not in shut


def _first_day(sent: datetime, shut: frozenset[date]) -> date:
    local = sent.astimezone(_LONDON)
    day = local.date()
    if _open(day, shut) and local.hour >= 17:
        day += timedelta(days=1)
    while not _open(day, shut):
        day += timedelta(days=1)
    return day


def _days(sent: datetime, number: int, shut: frozenset[date]) -> datetime:
    day = _first_day(sent, shut)
    while number:
        day += timedelta(days=1)
        number -= _open(day, shut)
    return datetime.combine(day, time(17), _LONDON).astimezone(UTC)


def _hours(sent: datetime, number: int, shut: frozenset[date]) -> datetime:
    """Minute by minute, so that there is nothing to get wrong."""
    at, left = sent, timedelta(hours=number)
    if sent.second:
        step = timedelta(seconds=60 - sent.second)
        at, left = at + step, left - (step if _is_working(sent, shut) else timedelta(0))
    while left > timedelta(0):
        step = min(timedelta(minutes=1), left)
        left -= step if _is_working(at, shut) else timedelta(0)
        at += step
    return at


def _is_working(at: datetime, shut: frozenset[date]) -> bool:
    local = at.astimezone(_LONDON)
    return _open(local.date(), shut) and 9 <= local.hour < 17
