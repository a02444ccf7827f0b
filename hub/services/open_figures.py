"""Open figures: a published month as CSV files with a data dictionary, for everyone to read and to reuse (R54, R57)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable
from typing import Any, Final

from hub.domain.learning import Figure, Level, Measure
from hub.services.publish_month import Published

#: What each file holds: how it is counted, and what R57 asks that can be worked out from it.
DEFINITIONS: Final[dict[Measure, str]] = {
    Measure.TELLINGS: "How often a person had to tell: shares by the day they were sent, by whether they were planned "
    "or urgent, and by to how many services each one went (4 stands for 4 and more). Recipients per telling is the "
    "mean of these numbers. By the partner that sent.",
    Measure.ANSWERS: "How long a service took to decide, yes or no, from when the share was sent: answers by the day "
    "their time ran out, in time or late, within a day, 3 days or longer; none where nobody decided before the month "
    "was published. Answered in time is in_time out of all. By the service asked, and the partner it belongs to.",
    Measure.TOLD: "Whether the person was told what came of it: shares by the day that was recorded; could_not where "
    "they could not be told. By the partner that sent.",
    Measure.DOORS: "Doors that stayed shut, by the day they were met: door/ for what a service said and its reason, "
    "gate/ for a precondition that let nothing through, silence/ for an alert that nobody above could move. Only what "
    "was met 5 times or more has a row. By the service, and the partner it belongs to.",
    Measure.BARRIERS: "Moves of barriers, by the day and the state they came to: a barrier may move more than once in "
    "a month. By the service whose door it is, and the partner it belongs to.",
    Measure.WINS: "How often somebody said that what a service did helped, by the day and in what way. By the service "
    "that helped, and the partner it belongs to.",
    Measure.TRAINING: "How often somebody who followed up said what people would need to learn, by the day and topic. "
    "For the whole partnership alone.",
    Measure.THREE_OF_FIVE: "What was said of three of five, by the day it was sent, of shares to services that ask. "
    "Which of the five is never asked. By the service asked, and the partner it belongs to.",
    Measure.GAPS: "Needs that no service here could act on, by the day somebody said so. Only what was said 5 times "
    "or more has a row. For the whole partnership alone.",
}
_RULE: Final = (
    "A count under 5, none included, is fewer than 5. Any other is rounded to the nearest 5. A total is told only as "
    "far as it leaves each count below it as open as it was. A month that was published is not counted again. A "
    "version that puts one right is a whole one, in which a count moved only where it was 5 or more away."
)
_FIELDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("month", "yearmonth", "The month in London."),
    ("measure", "string", "What is counted; the file's own description says how."),
    ("name", "string", "Under which name: a code."),
    ("level", "string", "partnership, partner or service."),
    ("place", "string", "The id of the partner or service; empty for the partnership."),
    ("figure", "integer", "The count to the nearest 5; empty where it may be under 5 or is told less closely."),
    ("at_least", "integer", "The least that the count can be."),
    ("at_most", "integer", "The most that the count can be."),
)
DICTIONARY: Final = "datapackage.json"


def open_figures(published: Published, partnership: str) -> dict[str, str]:
    """Return the files of a month by name: one CSV for each measure, and what every column means."""
    files = {
        f"{measure}.csv": _csv(published.month, (each for each in published.figures if each.measure is measure))
        for measure in Measure
    }
    return files | {DICTIONARY: json.dumps(_dictionary(published, partnership), indent=2, ensure_ascii=False) + "\n"}


def own(published: Published, services: Collection[str], partners: Collection[str]) -> Published:
    """Return what of a month is about these services and partners alone: they see it before everyone does (R54)."""
    mine = tuple(
        each
        for each in published.figures
        if (each.level is Level.SERVICE and each.place in services)
        or (each.level is Level.PARTNER and each.place in partners)
    )
    return Published(published.month, published.version, published.at, published.opens_on, mine)


def _csv(month: str, figures: Iterable[Figure]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow([name for name, _, _ in _FIELDS])
    for each in figures:
        shown = "" if each.span.figure is None else each.span.figure
        writer.writerow([month, each.measure, each.name, each.level, each.place, shown, each.span.low, each.span.high])
    return out.getvalue()


def _dictionary(published: Published, partnership: str) -> dict[str, Any]:
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"learning-{published.month}",
        "title": f"{partnership}: what was learned in {published.month}",
        "description": _RULE,
        "version": f"{published.month}.{published.version}",
        "created": published.at.isoformat(),
        "resources": [_resource(measure) for measure in Measure],
    }


def _resource(measure: Measure) -> dict[str, Any]:
    return {
        "name": str(measure),
        "path": f"{measure}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "description": DEFINITIONS[measure],
        "schema": {
            "fields": [{"name": name, "type": kind, "description": what} for name, kind, what in _FIELDS],
            "primaryKey": ["month", "measure", "name", "level", "place"],
            "missingValues": [""],
        },
    }
