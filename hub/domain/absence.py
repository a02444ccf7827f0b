"""When a trusted person is away or has left: who may hear what comes back, and that nothing goes astray (R07, R08)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from hub.domain.calendar import WorkingCalendar, london_date
from hub.domain.errors import Refusal


class Absence(StrEnum):
    """Away for some days, or gone for good; a last day is what a partner says, so that one who left is absent after."""

    AWAY = "away"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a trusted person is there for one share today; `cover` is whom the person named, as a keyed hash."""

    why: Absence | None = None
    cover: str = ""


HERE: Final = Presence()


def presence(absences: Iterable[Mapping[str, Any]], cover: str, today: date) -> Presence:
    """Return how it stands today by what is kept, in London's days; to have left comes first."""
    day = today.isoformat()
    kinds = {
        Absence(row["kind"]) for row in absences if row["first"] <= day and (not row["last"] or day <= row["last"])
    }
    if Absence.LEFT in kinds:
        return Presence(Absence.LEFT)
    return Presence(Absence.AWAY, cover) if kinds else HERE


#: So many working days before somebody leaves, what they have open is offered to be handed over [P].
HANDOVER_DAYS: Final = 10

WRONG_DAYS: Final = Refusal(
    "absence-wrong",
    "Those days do not work.",
    "Give a first day, and a last day if you know it. The last day may be the same, and must not be past.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (WRONG_DAYS,)

_WORDS: Final = {
    Absence.AWAY: "The one whom the person trusts is away. What comes back waits for them.",
    Absence.LEFT: "The one whom the person trusts has left. What comes back waits until the person says who is next.",
}
COVERED_WORDS: Final = "The one whom the person trusts is away. The cover that the person named can read this."
LEFT_ALREADY: Final = "An answer is here."
NONE_YET: Final = "There is no answer yet."


def finds(presence: Presence, own: str, reader: str | None) -> bool:
    """Tell whether a share is there at all for a trusted person who looks; who names none is the partner's system."""
    return reader is None or reader == own or (presence.why is Absence.AWAY and reader == presence.cover != "")


def reads(presence: Presence, own: str, reader: str | None) -> bool:
    """Tell whether somebody who finds a share reads what came back: the absent one's own, or their cover's (R07).

    Of one who has left nobody does, and they themselves never, until the person says who is next (R08).
    """
    if presence.why is None:
        return True
    return presence.why is Absence.AWAY and finds(presence, own, reader) and reader is not None


def waiting_words(presence: Presence, *, answered: bool) -> str:
    """Return what everybody else is told of a share whose trusted person is not there."""
    why = COVERED_WORDS if presence.cover and presence.why is Absence.AWAY else _WORDS[presence.why or Absence.AWAY]
    return f"{LEFT_ALREADY if answered else NONE_YET} {why}"


def first_day_gone(last_day: date) -> date:
    """Return the day on which somebody is no longer there whose last day this is."""
    return last_day + timedelta(days=1)


def offered_from(now: datetime, calendar: WorkingCalendar) -> date:
    """Return by when, at the latest, those are gone whose handover is offered by now (R08)."""
    return first_day_gone(london_date(calendar.add_working_days(now, HANDOVER_DAYS)))
