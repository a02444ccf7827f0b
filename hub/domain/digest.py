"""When mail goes: what is pressing at once, the rest together, so that no reader is flooded (TH15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.calendar import LONDON

_HOUR: Final = timedelta(hours=1)
#: When the mail of a day goes, in London.
_MORNING: Final = time(9, 0)


class Pace(StrEnum):
    """How a mail goes: by itself and at once, or together with what else becomes due for its reader."""

    NOW = "now"
    TOGETHER = "together"


class Waits(StrEnum):
    """Why a mail that goes together waits still."""

    WINDOW = "window"  #: its reader had one just now
    OUTAGE = "outage"  #: its reader knows that nothing gets to that service, and hears when something does
    DAILY = "daily"  #: its reader asked for one a day


@dataclass(frozen=True, slots=True)
class Gathering:
    """How far apart the mails of one reader are at the least, and how many of them an hour may have."""

    window: timedelta = timedelta(minutes=15)
    most_an_hour: int = 4

    def goes_at(self, sent: Sequence[datetime], now: datetime) -> datetime:
        """Return when the next one may go: `now`, or when the window or the hour has room again.

        `sent` are those of the last hour, in any order.
        """
        if not sent:
            return now
        free = max(sent) + self.window
        recent = sorted(each for each in sent if each + _HOUR > now)
        if len(recent) >= self.most_an_hour:
            free = max(free, recent[-self.most_an_hour] + _HOUR)
        return max(free, now)

    def is_last(self, sent: Sequence[datetime], now: datetime) -> bool:
        """Tell whether one that goes now is the last that this hour has room for."""
        return 1 + sum(each + _HOUR > now for each in sent) >= self.most_an_hour


def daily_at(now: datetime) -> datetime:
    """Return the next morning's time of the day's mail, after `now`, in UTC."""
    local = now.astimezone(LONDON)
    day = local.date() if local.time() < _MORNING else local.date() + timedelta(days=1)
    return datetime.combine(day, _MORNING, tzinfo=LONDON).astimezone(UTC)
