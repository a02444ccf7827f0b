"""Days off: whoever follows up says when they are away, and what is raised then goes to the next at once (R50)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from hub.domain.calendar import london_date
from hub.domain.errors import HubError, Malformed, NotFound, Refusal
from hub.domain.ladder import Scope
from hub.services.ports import Transaction, audited

WRONG_DAYS: Final = Refusal(
    "days-off-wrong",
    "Those days do not work.",
    "Choose a first day and a last day. The last may be the same day, and must not be past.",
)
NOT_YOURS: Final = Refusal(
    "person-not-found",
    "We cannot find this person.",
    "You can change your own days, and those of people in your organisation.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (WRONG_DAYS, NOT_YOURS)

_LONGEST_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class KeepDaysOff:
    """One person is away from `first` to `last`, both included; `by` says so, for themselves or for a colleague."""

    person: str
    first: date
    last: date
    by: Scope
    colleagues: frozenset[str]
    business: datetime


@dataclass(frozen=True, slots=True)
class DropDaysOff:
    """The stretch that begins on `first` is not taken after all."""

    person: str
    first: date
    by: Scope
    colleagues: frozenset[str]
    business: datetime


def keep_days_off(tx: Transaction, items: Sequence[KeepDaysOff]) -> list[HubError | None]:
    """Keep each stretch; one that begins on the same day takes the place of the earlier."""
    results: list[HubError | None] = []
    for item in items:
        if not _may(item):
            results.append(NotFound(NOT_YOURS))
            continue
        if item.last < max(item.first, london_date(item.business)) or (item.last - item.first).days > _LONGEST_DAYS:
            results.append(Malformed(WRONG_DAYS))
            continue
        tx.drop_days_off(item.person, item.first.isoformat())
        row = {"person": item.person, "first": item.first.isoformat(), "last": item.last.isoformat()}
        tx.insert("days_off", [row | {"kept_at": item.business}])
        tx.insert("audit_events", [audited(item.business, "days_off.kept", f"person:{item.by.person}", detail=row)])
        results.append(None)
    return results


def drop_days_off(tx: Transaction, items: Sequence[DropDaysOff]) -> list[HubError | None]:
    """Forget each stretch; one that is not there is forgotten already."""
    results: list[HubError | None] = []
    for item in items:
        if not _may(item):
            results.append(NotFound(NOT_YOURS))
            continue
        tx.drop_days_off(item.person, item.first.isoformat())
        row = {"person": item.person, "first": item.first.isoformat()}
        tx.insert("audit_events", [audited(item.business, "days_off.dropped", f"person:{item.by.person}", detail=row)])
        results.append(None)
    return results


def _may(item: KeepDaysOff | DropDaysOff) -> bool:
    return item.person == item.by.person or item.person in item.colleagues
