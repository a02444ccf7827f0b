"""The named functions that a mapping may call: total (nothing in gives null out), bounded, and without side effects.

jmespath's own functions are not offered: several raise on null, echo values in their errors, or take expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from hub.mapping.codes import CodeList
from hub.mapping.narrative import narrative

_LONDON = ZoneInfo("Europe/London")
#: Not strftime: its names follow the machine's locale.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_KNOWN_BY = {
    "heard_directly": "Told to the worker by {by}, heard directly",
    "passed_on": "Told to the worker by {by}, passed on from someone else",
    "observed": "Noted by {by} from what they saw",
}
#: Neither vouched for nor called into doubt: only who said it is missing.
_NOT_SAID = "The worker who sent this did not say who told them, or when"


@dataclass(frozen=True, slots=True)
class Function:
    """A function and how many arguments it takes; `literals` are positions that must be written out as text."""

    call: Callable[..., Any]
    least: int
    most: int
    literals: tuple[int, ...] = ()


def is_nothing(value: object) -> bool:
    """Tell whether a value counts as not given: null, or an empty text, list or object; false and 0 are values."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and value else None


def join(separator: str, values: object) -> str | None:
    """Join the texts of a list, leaving out what is empty."""
    found = [text for value in values if (text := _text(value))] if isinstance(values, list) else []
    return separator.join(found) or None


def concat(*parts: object) -> str | None:
    """Put texts one after another; null when any of them is missing, so that no half of a sentence is sent."""
    texts = [_text(part) for part in parts]
    return None if None in texts else "".join(text for text in texts if text)


def coalesce(*values: object) -> object:
    """Return the first value that is given."""
    return next((value for value in values if not is_nothing(value)), None)


def first(values: object) -> object:
    """Return the first given element of a list."""
    return coalesce(*values) if isinstance(values, list) else None


def upper(value: object) -> str | None:
    """Return the text in capitals."""
    return value.upper() if isinstance(value, str) else None


def lower(value: object) -> str | None:
    """Return the text in small letters."""
    return value.lower() if isinstance(value, str) else None


def length(value: object) -> int:
    """Count the characters of a text, or the elements of a list; 0 when there is none."""
    return len(value) if isinstance(value, (str, list)) else 0


def contains(value: object, part: object) -> bool:
    """Tell whether a text holds a text, or a list holds an element."""
    if isinstance(value, str):
        return isinstance(part, str) and part in value
    return isinstance(value, list) and any(type(each) is type(part) and each == part for each in value)


def starts_with(value: object, part: object) -> bool:
    """Tell whether a text starts with another."""
    return isinstance(value, str) and isinstance(part, str) and value.startswith(part)


def to_list(value: object) -> list[Any] | None:
    """Return a list as it is, and anything else that is given as a list of one."""
    return value if isinstance(value, list) else None if is_nothing(value) else [value]


def to_text(value: object) -> str | None:
    """Return a text, whole number or true/false as text."""
    return _text(value)


def text_of(sections: object) -> str | None:
    """Join the words of a list of sections, with an empty line between them."""
    if not isinstance(sections, list):
        return None
    return join("\n\n", [each.get("text") for each in sections if isinstance(each, dict)])


def uuid_5(namespace: object, name: object) -> str | None:
    """Make a UUID that is always the same for the same two texts; a namespace that is a UUID is used as one."""
    if not (isinstance(namespace, str) and isinstance(name, str) and namespace and name):
        return None
    try:
        space = UUID(namespace)
    except ValueError:
        space = uuid5(NAMESPACE_URL, namespace)
    return str(uuid5(space, name))


def _moment(value: object) -> datetime | None:
    """Read an ISO 8601 date or instant; what has no zone is UK time."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=_LONDON)


def _day(value: object) -> date | None:
    try:
        moment = _moment(value)
        return moment.astimezone(_LONDON).date() if moment else None
    except OverflowError:
        return None


def date_uk(value: object) -> str | None:
    """Write a date or instant as people say it in the UK: 18 November 2026."""
    day = _day(value)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}" if day else None


def date_of(value: object) -> str | None:
    """Return the day in the UK on which an instant falls, as 2026-11-18."""
    day = _day(value)
    return day.isoformat() if day else None


def add_zone(value: object) -> str | None:
    """Return an instant with its offset from UTC, as FHIR asks; a bare date is the start of that day in the UK."""
    moment = _moment(value)
    return moment.isoformat() if moment else None


def utc(value: object) -> str | None:
    """Return an instant in UTC with whole seconds and Z, as 2026-11-20T15:00:00Z."""
    try:
        moment = _moment(value)
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
    except OverflowError:
        return None


def end_of_day(value: object) -> str | None:
    """Return the last second of a day in the UK, with its offset: what a date called `until` means (R13)."""
    day = _day(value)
    return datetime.combine(day, time(23, 59, 59), _LONDON).isoformat() if day else None


def nhs_number(value: object) -> str | None:
    """Return ten digits when they pass the NHS number's Modulus 11 check, else null (partner-contracts 7)."""
    digits = "".join(value.split()).replace("-", "") if isinstance(value, str) else ""
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        return None
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
    return digits if (11 - total % 11) % 11 == int(digits[9]) else None


def said_line(section: object) -> str | list[Any] | None:
    """Say who said a section, how it is known and when, or that nobody said so of words (R39); a list gives a list."""
    if isinstance(section, list):
        return [line for each in section if (line := said_line(each))]
    if not isinstance(section, dict):
        return None
    said = section.get("said")
    if not isinstance(said, dict):
        said = {}
    known, by, on = _KNOWN_BY.get(str(said.get("how"))), _text(said.get("by")), date_uk(said.get("on"))
    if known and by and on:
        return f"{known.format(by=by)}, on {on}"
    return _NOT_SAID if section.get("text") else None


def _lookup(codes: Mapping[str, CodeList]) -> Callable[..., str | None]:
    def lookup(name: str, value: object, column: str = "word") -> str | None:
        """Return a code list's word for a value; null when the list does not know it."""
        code = _text(value)
        return codes[name].word(code, column) if code else None

    return lookup


MANY = 64

_FUNCTIONS: dict[str, Function] = {
    "add_zone": Function(add_zone, 1, 1),
    "coalesce": Function(coalesce, 1, MANY),
    "concat": Function(concat, 1, MANY),
    "contains": Function(contains, 2, 2),
    "date_of": Function(date_of, 1, 1),
    "date_uk": Function(date_uk, 1, 1),
    "end_of_day": Function(end_of_day, 1, 1),
    "first": Function(first, 1, 1),
    "join": Function(join, 2, 2, literals=(0,)),
    "length": Function(length, 1, 1),
    "lower": Function(lower, 1, 1),
    "narrative": Function(narrative, 1, 1),
    "nhs_number": Function(nhs_number, 1, 1),
    "not_null": Function(coalesce, 1, MANY),
    "said_line": Function(said_line, 1, 1),
    "starts_with": Function(starts_with, 2, 2),
    "text_of": Function(text_of, 1, 1),
    "to_list": Function(to_list, 1, 1),
    "to_text": Function(to_text, 1, 1),
    "upper": Function(upper, 1, 1),
    "utc": Function(utc, 1, 1),
    "uuid5": Function(uuid_5, 2, 2),
}


def functions(codes: Mapping[str, CodeList]) -> dict[str, Function]:
    """Return every function by name, with `lookup` over one mapping's code lists."""
    return _FUNCTIONS | {"lookup": Function(_lookup(codes), 2, 3, literals=(0, 2))}
