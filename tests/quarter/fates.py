"""What becomes of each share of the quarter, drawn once from a seed: when it is sent, and how late it is answered."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

from hub.domain.answer import AnswerState
from tests.quarter.partnership import FIRST, LAST, NUMBER, SERVICES

_A = AnswerState
#: Services that cannot be reached for a while, from and until.
OUTAGES: Final = {
    "service-02": (datetime(2026, 10, 13, 8, 30, tzinfo=UTC), datetime(2026, 10, 15, 12, 20, tzinfo=UTC)),
    "service-06": (datetime(2026, 11, 20, 15, 10, tzinfo=UTC), datetime(2026, 11, 22, 9, 40, tzinfo=UTC)),
    "service-09": (datetime(2026, 12, 8, 9, 0, tzinfo=UTC), datetime(2026, 12, 8, 16, 45, tzinfo=UTC)),
}


@dataclass(frozen=True, slots=True)
class Fate:
    """One share: `says` are the states that its service answers with, each so long after it was sent."""

    number: int
    sender: str
    service: str
    sent_at: datetime
    urgent: bool
    at_risk: bool
    says: tuple[tuple[timedelta, AnswerState], ...] = field(default=())
    #: How long after it is asked again a silent service answers; None where it stays silent.
    asked_again: timedelta | None = None


def fates(shares: int, seed: int) -> list[Fate]:
    """Return the quarter's shares in the order they are sent."""
    rand = random.Random(seed)
    made = sorted(_sent_at(rand) for _ in range(shares))
    return [_fate(number, at, rand) for number, at in enumerate(made)]


def _sent_at(rand: random.Random) -> datetime:
    days = (LAST - FIRST).days - 3
    while True:
        day = FIRST + timedelta(days=rand.randrange(days))
        if day.weekday() < 5 or rand.random() < 0.2:
            break
    return datetime.combine(day, time(rand.randrange(7, 20), rand.randrange(60), rand.randrange(1, 59)), UTC)


def _fate(number: int, at: datetime, rand: random.Random) -> Fate:
    service = rand.choice(SERVICES)
    sender = rand.choice([f"partner-{each:02}" for each in range(1, NUMBER + 1) if f"{each:02}" != service[-2:]])
    urgent, at_risk = rand.random() < 0.1, rand.random() < 0.02
    says, again = _says(rand)
    return Fate(number, sender, service, at, urgent, at_risk, says, again)


def _hours(rand: random.Random, least: float, most: float) -> timedelta:
    return timedelta(seconds=int(rand.uniform(least, most) * 3600))


def _says(rand: random.Random) -> tuple[tuple[tuple[timedelta, AnswerState], ...], timedelta | None]:
    """Most answer in time; some late; some only when they are asked again; some never."""
    draw = rand.random()
    if draw < 0.78:  # opened and decided at once, and done within the week
        decided = _hours(rand, 0.3, 5)
        if rand.random() < 0.2:
            return ((decided, _A.DECLINED),), None
        return ((decided, _A.ACCEPTED), (decided + _hours(rand, 20, 120), _A.COMPLETED)), None
    if draw < 0.86:  # opened in time, decided late
        opened, decided = _hours(rand, 0.3, 5), _hours(rand, 120, 400)
        return ((opened, _A.RECEIVED), (decided, _A.ACCEPTED), (decided + _hours(rand, 20, 60), _A.COMPLETED)), None
    if draw < 0.91:  # decided in time, and then nothing
        return ((_hours(rand, 0.3, 5), _A.ACCEPTED),), _hours(rand, 4, 70)
    if draw < 0.96:  # silent until it is asked again
        return (), _hours(rand, 4, 70)
    return (), None
