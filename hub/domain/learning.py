"""Learning: what is counted of a month, for the partnership and by partner and service, and never of a person (R54)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.answer import AnswerState
from hub.domain.barrier import NO_CODE, NO_CODES, BarrierState, Cause
from hub.domain.calendar import WorkingCalendar, day_ends
from hub.domain.disclosure import SMALL, Span, told, told_total
from hub.domain.gate import PREFIX
from hub.domain.win import Help, Topic


class Measure(StrEnum):
    """What is counted. Each fact is in one measure and under one name of it, so that no two of them can be compared."""

    TELLINGS = "tellings"
    ANSWERS = "answers"
    TOLD = "told"
    DOORS = "doors"
    BARRIERS = "barriers"
    WINS = "wins"
    TRAINING = "training"
    THREE_OF_FIVE = "three_of_five"
    GAPS = "gaps"


class Level(StrEnum):
    """Of whom a figure is."""

    PARTNERSHIP = "partnership"
    PARTNER = "partner"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Counted:
    """A count of a month: `place` is a service, a partner for what partners do, or nothing for the partnership."""

    measure: Measure
    name: str
    place: str
    number: int


@dataclass(frozen=True, slots=True)
class Figure:
    """What is published of one count."""

    measure: Measure
    name: str
    level: Level
    place: str
    span: Span


#: How long a service took to decide, from when the trusted person sent: the most hours, and the name.
WITHIN: Final = ((24, "day"), (72, "3_days"), (None, "longer"))
#: So many services and more are one name.
MOST_RECIPIENTS: Final = 4
#: Where a name is none of those that were agreed on, such as a gate that is gone.
ANOTHER: Final = "another"

_DOORS: Final = frozenset({
    *(f"{state}/{code}" for state in (AnswerState.DECLINED, AnswerState.COULD_NOT_REACH, AnswerState.WAITING_LIST)
      for code in (*NO_CODES, NO_CODE)),
    str(AnswerState.SIGNPOSTED),
})  # fmt: skip
#: The names that each measure has; those of gates and of needs are the partnership's own, and are codes too.
NAMES: Final[Mapping[Measure, frozenset[str]]] = {
    Measure.TELLINGS: frozenset(
        f"{how}/{number}" for how in ("planned", "urgent") for number in range(1, MOST_RECIPIENTS + 1)
    ),
    Measure.ANSWERS: frozenset({"none", *(f"{when}/{band}" for when in ("in_time", "late") for _, band in WITHIN)}),
    Measure.TOLD: frozenset({"yes", "could_not"}),
    Measure.DOORS: frozenset({
        *(f"{Cause.DOOR}/{each}" for each in _DOORS),
        *(f"{Cause.SILENCE}/{kind}" for kind in ("undelivered", "unanswered")),
        *(f"{cause}/{ANOTHER}" for cause in Cause),
    }),
    Measure.BARRIERS: frozenset(str(state) for state in BarrierState),
    Measure.WINS: frozenset(str(each) for each in Help),
    Measure.TRAINING: frozenset(str(each) for each in Topic),
    Measure.THREE_OF_FIVE: frozenset({"yes", "no", "not_said"}),
    Measure.GAPS: frozenset({ANOTHER}),
}  # fmt: skip
#: Which are counted by partner, and which by nothing smaller than the partnership; the others are by service.
BY_PARTNER: Final = frozenset({Measure.TELLINGS, Measure.TOLD})
BY_NONE: Final = frozenset({Measure.TRAINING, Measure.GAPS})
#: Those with so many names that most are nothing in most months.
SPARSE: Final = frozenset({Measure.DOORS, Measure.GAPS})

_GATE: Final = re.compile(rf"{Cause.GATE}/{PREFIX}[a-z0-9][a-z0-9-]{{0,59}}")
_NEED: Final = re.compile(r"[a-z][a-z-]{1,59}")
_MONTH: Final = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")


def is_month(text: str) -> bool:
    """Tell whether a text is a month, such as 2026-11."""
    return _MONTH.fullmatch(text) is not None


def month_of(day: date) -> str:
    """Return the month of a day, as 2026-11."""
    return f"{day:%Y-%m}"


def bounds(month: str) -> tuple[datetime, datetime]:
    """Return the UTC instants at which a month begins and is over in London."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return day_ends(first - timedelta(days=1)), day_ends(following - timedelta(days=1))


def opens_on(month: str, calendar: WorkingCalendar) -> date:
    """Return the day from which everyone sees a month: ten working days after the services saw their own (R54)."""
    day, left = bounds(month)[1].date(), 10
    while left:
        day += timedelta(days=1)
        left -= calendar.is_working_day(day)
    return day


def band(hours: float) -> str:
    """Return the name of how long something took."""
    return next(name for most, name in WITHIN if most is None or hours <= most)


def known(measure: Measure, name: str, codes: Collection[str]) -> str:
    """Return a name as it is published: itself where it is a code that was agreed on, else another of its kind.

    `codes` holds the gates and needs of the partnership. Nobody's own words can be a name, whatever was counted.
    """
    if name in NAMES[measure] or (name in codes and (_GATE.fullmatch(name) or _NEED.fullmatch(name))):
        return name
    return f"{name.partition('/')[0]}/{ANOTHER}" if measure is Measure.DOORS else ANOTHER


def figures(counted: Iterable[Counted], services: Mapping[str, str], partners: Iterable[str]) -> list[Figure]:
    """Return what is published of a month's counts.

    `services` are those that are listed, each with its partner. What is of a service that is not (a refuge, R58), or
    of one that is gone, is in the partnership's figure alone, and is kept as open there as if it were published.
    """
    trees: dict[tuple[Measure, str], dict[str, int]] = defaultdict(dict)
    for each in counted:
        tree = trees[each.measure, each.name]
        tree[each.place] = tree.get(each.place, 0) + each.number
    found = []
    for measure in Measure:
        for name in sorted(NAMES[measure] | {name for of, name in trees if of is measure}):
            found += _tree(measure, name, trees.get((measure, name), {}), dict(services), sorted(partners))
    # Of what has many names only what is told is a row: that there is no row says what "fewer than 5" says.
    return [each for each in found if each.measure not in SPARSE or each.span.low]


def _tree(
    measure: Measure, name: str, counts: Mapping[str, int], services: Mapping[str, str], partners: Iterable[str]
) -> list[Figure]:
    """One name of one measure: services below their partners, and partners below the partnership."""
    found: list[Figure] = []
    parts: list[Span] = []
    listed: set[str] = set()
    room = max(told(each).room for each in (0, *counts.values()))
    if measure not in BY_NONE:
        for partner in partners:
            below = [partner] if measure in BY_PARTNER else [each for each in services if services[each] == partner]
            if not below:
                continue
            listed.update(below)
            spans = {each: told(counts.get(each, 0)) for each in below}
            if measure not in BY_PARTNER:
                found += [Figure(measure, name, Level.SERVICE, each, span) for each, span in spans.items()]
            whole = told_total(sum(counts.get(each, 0) for each in below), list(spans.values()), room)
            found.append(Figure(measure, name, Level.PARTNER, partner, whole))
            parts.append(whole)
    parts += [told(number) for place, number in sorted(counts.items()) if place not in listed]
    total = told_total(sum(counts.values()), parts, room) if parts else told(0)
    return [*found, Figure(measure, name, Level.PARTNERSHIP, "", total)]


def settled(first: Iterable[Counted], later: Iterable[Counted]) -> list[Counted]:
    """Return the counts of a month that is put right: one moves only where it is 5 or more away from what it was.

    So a single share that came late shows nowhere, and what was small before is no clearer than it was.
    """
    before = {(each.measure, each.name, each.place): each.number for each in first}
    after = {(each.measure, each.name, each.place): each.number for each in later}
    found = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, 0), after.get(key, 0)
        found.append(Counted(*key, new if abs(new - old) >= SMALL else old))
    return found


def check(published: Iterable[Figure], codes: Collection[str], places: Collection[str]) -> None:
    """Raise `ValueError` where a figure could hold anything but a code, a listed place and two whole numbers (R54)."""
    for each in published:
        named = known(each.measure, each.name, codes) == each.name
        placed = not each.place if each.level is Level.PARTNERSHIP else each.place in places
        if not (named and placed and 0 <= each.span.low <= each.span.high):
            raise ValueError("a figure is a code of its measure, a listed place, and a range")


def median(spans: Mapping[str, Span]) -> str | None:
    """Return the band in which the middle answer lies, from published figures by band; None where they cannot tell.

    It is worked out from what is published alone, and so tells nothing more.
    """
    bands = [name for _, name in WITHIN]
    for at, name in enumerate(bands):
        upto = sum(spans[each].low for each in bands[: at + 1])
        after = sum(spans[each].high for each in bands[at + 1 :])
        before = sum(spans[each].high for each in bands[:at])
        here_on = sum(spans[each].low for each in bands[at:])
        if upto >= after and upto > 0 and here_on >= before:
            return name
    return None
