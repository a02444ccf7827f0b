"""Publish a month: its figures are counted once, kept as they were published, and never counted again (R54)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hub.domain.barrier import Cause
from hub.domain.calendar import WorkingCalendar
from hub.domain.disclosure import Span
from hub.domain.errors import Conflict, HubError, Malformed, Refusal
from hub.domain.gate import PREFIX
from hub.domain.learning import (
    MOST_RECIPIENTS,
    Counted,
    Figure,
    Level,
    Measure,
    band,
    bounds,
    check,
    figures,
    is_month,
    known,
    opens_on,
    settled,
)
from hub.domain.route import Directory
from hub.domain.win import TRAINING, WIN
from hub.services.ports import Row, Transaction, audited
from hub.services.tallies import COHORT

NO_MONTH: Final = Refusal("month-unknown", "This is not a month.", "Write it as a year and a month, such as 2026-11.")
NOT_OVER: Final = Refusal(
    "month-not-over",
    "This month is not over yet, so its figures would still change.",
    "Ask for a month that is over.",
)
NOT_PUBLISHED: Final = Refusal(
    "month-not-published",
    "This month was never published, so there is nothing to put right.",
    "Export it first.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (NO_MONTH, NOT_OVER, NOT_PUBLISHED)

#: Why a published month is published again, as a whole.
WHY: Final = frozenset({"answers-came-late", "counted-twice", "wrong-service"})

_OF_TALLIES: Final = {
    **{str(cause): Measure.DOORS for cause in Cause},
    WIN: Measure.WINS,
    TRAINING: Measure.TRAINING,
    COHORT: Measure.THREE_OF_FIVE,
}


@dataclass(frozen=True, slots=True)
class PublishMonth:
    """Somebody wants the figures of a month (2026-11); with `why` it is put right, as a whole and by the same rule."""

    month: str
    actor: str
    business: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """A month as it was published; from `opens_on` (2026-12-14) on it is everyone's."""

    month: str
    version: int
    at: datetime
    opens_on: str
    figures: tuple[Figure, ...]


def publish_month(
    tx: Transaction, items: Sequence[PublishMonth], *, directory: Directory, calendar: WorkingCalendar
) -> list[Published | HubError]:
    """Return each month as it was published; the first who asks, once it is over, publishes it."""
    return [_one(tx, item, directory, calendar) for item in items]


def _one(tx: Transaction, item: PublishMonth, directory: Directory, calendar: WorkingCalendar) -> Published | HubError:
    if not is_month(item.month):
        return Malformed(NO_MONTH)
    begins, ends = bounds(item.month)
    if item.business < ends:
        return Conflict(NOT_OVER)
    before = tx.learned(item.month)
    if before is not None and not item.why:
        return read(before)
    if before is None and item.why:
        return Conflict(NOT_PUBLISHED)
    codes = codes_of(directory)
    counts = list(_counts(tx.month_counts(item.month, begins, ends), codes))
    if before is not None:
        counts = settled([_counted(each) for each in before["counted"]], counts)
    listed = {each.id: each.partner for each in directory.services.values() if not each.confidential}
    found = figures(counts, listed, directory.partners)
    check(found, codes, {*directory.partners, *listed})
    kept = {
        "month": item.month,
        "version": 1 if before is None else before["version"] + 1,
        "at": item.business,
        "why": item.why,
        "opens_on": opens_on(item.month, calendar).isoformat(),
        "figures": [[each.measure, each.name, each.level, each.place, *astuple(each.span)] for each in found],
        "counted": [list(astuple(each)) for each in counts],
    }
    tx.insert("learned", [kept])
    detail = {"month": item.month, "version": kept["version"], "why": item.why}
    tx.insert("audit_events", [audited(item.business, "month.published", item.actor, detail=detail)])
    return read(kept)


def read(row: Row) -> Published:
    """Return a month from its row."""
    found = tuple(
        Figure(Measure(measure), name, Level(level), place, Span(low, high))
        for measure, name, level, place, low, high in row["figures"]
    )
    return Published(row["month"], row["version"], row["at"], row["opens_on"], found)


def codes_of(directory: Directory) -> dict[str, None]:
    """Return the names that are this partnership's own: its gates, and the needs that its services act on."""
    gates = {
        f"{Cause.GATE}/{PREFIX}{each.id}": None
        for service in directory.services.values()
        for gate in (*service.gates, *_of_connection(directory, service.connection))
        for each in gate.preconditions
    }
    return gates | {need: None for service in directory.services.values() for need in service.purposes}


def _of_connection(directory: Directory, connection_id: str) -> Sequence[Any]:
    connection = directory.connections.get(connection_id)
    return connection.gates if connection else ()


def _counts(found: Sequence[Row], codes: dict[str, None]) -> Iterator[Counted]:
    """One count for each name and place, by the rules of what is counted under which name."""
    sums: dict[tuple[Measure, str, str], int] = {}
    for row in found:
        measure, name = _named(row)
        key = measure, known(measure, name, codes), row.get("place") or ""
        sums[key] = sums.get(key, 0) + row.get("number", 1)
    return (Counted(*key, number) for key, number in sorted(sums.items()))


def _named(row: Row) -> tuple[Measure, str]:
    match row["of"]:
        case "tellings":
            return Measure.TELLINGS, f"{row['name']}/{min(row['recipients'], MOST_RECIPIENTS)}"
        case "answers":
            return Measure.ANSWERS, _took(row)
        case "tallies":
            measure = _OF_TALLIES[row["what"]]
            return measure, f"{row['what']}/{row['name']}" if measure is Measure.DOORS else row["name"]
        case of:
            return Measure(of), row["name"]


def _took(row: Row) -> str:
    if row["decided_at"] is None:
        return "none"
    when = "in_time" if row["decided_at"] <= row["due_at"] else "late"
    return f"{when}/{band((row['decided_at'] - row['sent_at']) / timedelta(hours=1))}"


def _counted(kept: Sequence[Any]) -> Counted:
    measure, name, place, number = kept
    return Counted(Measure(measure), name, place, number)
