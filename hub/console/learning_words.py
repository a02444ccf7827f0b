"""Words of the screens about learning: each code that is counted and each figure, in plain words (R61)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.domain.barrier import BarrierState, Cause
from hub.domain.calendar import london_date
from hub.domain.disclosure import Span
from hub.domain.learning import Measure
from hub.domain.win import Help, Topic

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
#: What a chart of each measure is called, and what it shows, in a sentence.
TITLES: Final[dict[Measure, tuple[str, str]]] = {
    Measure.ANSWERS: ("How long until a service decided", "Answers that came due, by how long they took."),
    Measure.TELLINGS: (
        "How often people had to tell",
        "Stories told once, by how many services each reached.",
    ),
    Measure.TOLD: ("Whether people heard back", "Shares that were closed, by whether the person was told."),
    Measure.DOORS: ("Doors that stayed shut", "What shut a door five times or more, and how often."),
    Measure.BARRIERS: ("What we did about barriers", "Steps that barriers took this month."),
    Measure.WINS: ("What helped", "How often people said that a team helped, and how."),
    Measure.TRAINING: ("What people want to learn", "Topics that people who follow up asked for."),
    Measure.THREE_OF_FIVE: ("Three of five", "What was said of three of the five. Which of them is never asked."),
    Measure.GAPS: ("What nobody here can do", "Needs that were said five times or more."),
}
_TOOK: Final = {"day": "within a day", "3_days": "within 3 days", "longer": "after more than 3 days"}
_MADE: Final = {
    "removed": "Removed",
    "acknowledged": "Said to be staying",
    "acting": "Acted on",
    "understood": "Understood",
    "identified": "Found",
}
HOW: Final[dict[str, str]] = {
    Help.HELPED: "It helped",
    Help.ANSWERED_FAST: "Answered fast",
    Help.MADE_IT_EASY: "Made it easy",
    Help.KEPT_IN_TOUCH: "Kept in touch",
    Help.FOUND_A_WAY: "Found a way",
    Help.WORKED_TOGETHER: "Worked together",
}
TOPICS: Final[dict[str, str]] = {
    Topic.CONSENT: "What people agree to",
    Topic.WRITING_WHAT_PEOPLE_SAY: "Writing what people say",
    Topic.WHO_CAN_HELP: "Who can help",
    Topic.HOUSING_RIGHTS: "Housing rights",
    Topic.MENTAL_HEALTH: "Mental health",
    Topic.SUBSTANCE_USE: "Drugs and alcohol",
    Topic.DOMESTIC_ABUSE: "Domestic abuse",
    Topic.SAFEGUARDING: "Keeping people safe",
    Topic.TRAUMA: "Trauma",
    Topic.USING_THE_SYSTEM: "Using the system",
}
STATES: Final[dict[str, str]] = {
    BarrierState.IDENTIFIED: "Found",
    BarrierState.UNDERSTOOD: "Understood",
    BarrierState.ACTING: "Being worked on",
    BarrierState.REMOVED: "Removed",
    BarrierState.ACKNOWLEDGED: "It stays",
}
_SAID: Final = {
    "declined": "They said no",
    "could_not_reach": "They could not reach the person",
    "waiting_list": "A wait without a date",
    "signposted": "They only said where else to go",
    "undelivered": "It never arrived",
    "unanswered": "Nobody answered",
}
_TOLD: Final = {"yes": "Told", "could_not": "Could not be told"}
_FIVE: Final = {"yes": "Yes", "no": "No", "not_said": "Not said"}


def said(span: Span) -> str:
    """Return a figure as it is said."""
    if span.figure is not None:
        return f"about {span.figure}"
    return f"{span.low} to {span.high}" if span.low else f"fewer than {span.high + 1}"


def month_in_words(month: str) -> str:
    """Return a month, 2026-11, as people say it."""
    return f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"


def named(measure: Measure, name: str) -> str:
    """Return the name of what is counted in plain words; a code of the partnership's own as it reads."""
    first, _, rest = name.partition("/")
    match measure:
        case Measure.ANSWERS if name != "none":
            when = "In time" if first == "in_time" else "Late"
            return f"{when}, {_TOOK[rest]}"
        case Measure.ANSWERS:
            return "Nobody decided"
        case Measure.TELLINGS:
            services = "1 service" if rest == "1" else f"{rest}{' or more' if rest == '4' else ''} services"
            return f"{'Urgent' if first == 'urgent' else 'Planned'}: one telling, {services}"
        case Measure.DOORS:
            return door(first, rest)
        case _:
            return {
                Measure.TOLD: _TOLD, Measure.BARRIERS: _MADE, Measure.WINS: HOW, Measure.TRAINING: TOPICS,
                Measure.THREE_OF_FIVE: _FIVE,
            }.get(measure, {}).get(name) or _plain(name)  # fmt: skip


def door(cause: str, name: str) -> str:
    """Return in plain words what shuts a door."""
    if cause == Cause.GATE:
        return f"It asks first: {_plain(name.removeprefix('gate-'))}"
    if name == "another":
        return "Another reason"
    state, _, code = name.partition("/")
    words = _SAID.get(state) or _plain(state)
    return words if code in ("", "no-code") else f"{words}: {_plain(code)}"


def day_in_words(moment: datetime | str) -> str:
    """Return the day of an instant in London, or of a date written 2026-12-15, as people write it."""
    day = moment if isinstance(moment, str) else london_date(moment).isoformat()
    return f"{int(day[8:10])} {MONTHS[int(day[5:7]) - 1]} {day[:4]}"


def _plain(code: str) -> str:
    return code.replace("-", " ").replace("_", " ")
