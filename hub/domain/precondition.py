"""Each kind of precondition, and what is lacking where the sender's assertion does not meet it (R26, R27, R30, R63).

The hub never looks anybody up: it reads what the sender says of the person, with the consent for one service. A fact
that is absent never meets a precondition, and no text that comes out of here holds a value that was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from hub.domain.share import Value

#: The five of multiple disadvantage, by the names they go by: no gate may ask for any of them (R30).
FIVE: Final = frozenset(
    {
        *("homelessness", "homeless", "mental_health", "substance_misuse", "substance_use"),
        *("domestic_abuse", "offending"),
    }
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_OLDEST = 130


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a sender asserts for one service: the consent's facts and the share's one answer about the five (R30).

    `today` is the submission date in London.
    """

    facts: Mapping[str, Value]
    three_of_five: Literal["yes", "no", "not_said"]
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What every precondition says to whoever does not meet it; `id` is stable."""

    id: str
    title: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals(_Told):
    """A fact is just this value."""

    fact: str
    value: bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern(_Told):
    """A fact is text that matches all of a pattern."""

    fact: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(_Told):
    """A fact is one of these words."""

    fact: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Age(_Told):
    """A fact is a birth date, or an age in years, within these bounds on the day it is sent."""

    fact: str
    at_least: int | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(_Told):
    """A fact is the day on which something was done, and that day has come."""

    fact: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an order: the fact that is its date, and its name in plain words."""

    fact: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(_Told):
    """Steps that were all taken, none before the one ahead of it (R27)."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort(_Told):
    """Three of the five: `tag` only counts the answer, `require` refuses any but yes (R30)."""

    rule: Literal["tag", "require"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Referrer(_Told):
    """Who may send: partners by id or kind, authors by the role that their partner attests; empty is anyone (R28)."""

    partners: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverDirect(_Told):
    """Nobody sends to this service directly: the next step says where to go."""


#: Those that look at the sender alone, and are checked before anything about the person is read.
Closing = Referrer | NeverDirect
Precondition = Equals | Pattern | OneOf | Age | Dated | Steps | Cohort | Closing


def lacks(precondition: Precondition, asserted: Asserted) -> str | None:
    """Return None where a precondition holds; otherwise what more to say than its next step, which may be nothing."""
    if isinstance(precondition, Steps):
        return _disorder(precondition, asserted)
    return None if _holds(precondition, asserted) else ""


def _holds(precondition: Precondition, asserted: Asserted) -> bool:  # noqa: PLR0911 - one for each kind
    facts = asserted.facts
    match precondition:
        case Equals(fact=fact, value=wanted):
            value = facts.get(fact)
            return type(value) is type(wanted) and value == wanted
        case Pattern(fact=fact, pattern=pattern):
            value = facts.get(fact)
            return isinstance(value, str) and re.fullmatch(pattern, value) is not None
        case OneOf(fact=fact, values=values):
            return facts.get(fact) in values
        case Age():
            return _is_of_age(precondition, asserted)
        case Dated(fact=fact):
            return _day(facts.get(fact), asserted.today) is not None
        case Cohort(rule=rule):
            return rule == "tag" or asserted.three_of_five == "yes"
        case Steps():
            return _disorder(precondition, asserted) is None
        case Referrer() | NeverDirect():
            raise TypeError("who may send is not a matter of facts")


def age_on(born: date, on: date) -> int:
    """Return an age in whole years; who was born on 29 February has a birthday on 1 March in other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _is_of_age(precondition: Age, asserted: Asserted) -> bool:
    value = asserted.facts.get(precondition.fact)
    if isinstance(value, int) and not isinstance(value, bool):
        age = value
    elif (born := _day(value, asserted.today)) is not None:
        age = age_on(born, asserted.today)
    else:
        return False
    youngest, oldest = precondition.at_least or 0, precondition.at_most
    return max(youngest, 0) <= age <= (_OLDEST if oldest is None else oldest)


def _day(value: Value | None, today: date) -> date | None:
    """Return the day that a fact names, if it is one and has come."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if day <= today else None


def _disorder(precondition: Steps, asserted: Asserted) -> str | None:
    """Name what is missing, in order, and what is dated before a step ahead of it; None where all is in order."""
    days = [_day(asserted.facts.get(step.fact), asserted.today) for step in precondition.steps]
    missing = [step.name for step, day in zip(precondition.steps, days, strict=True) if day is None]
    early, latest = [], date.min
    for step, day in zip(precondition.steps, days, strict=True):
        if day is not None and day < latest:
            early.append(step.name)
        latest = max(latest, day or latest)
    said = []
    if missing:
        said.append(f"Still missing, in this order: {', then '.join(missing)}.")
    if early:
        said.append(f"Too early for its place: {', '.join(early)}.")
    return " ".join(said) or None
