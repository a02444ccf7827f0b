"""Learning: what a month teaches, one's own services first and then the partnership, and no service beside another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from hub.bootstrap import Hub
from hub.console.frame import page
from hub.console.learning_words import TITLES, day_in_words, month_in_words, named, said
from hub.console.session import hub_of
from hub.console.signed_in import SignedIn, audited_read, signed_in
from hub.domain.calendar import london_date
from hub.domain.disclosure import Span
from hub.domain.errors import NotFound
from hub.domain.ladder import scope
from hub.domain.learning import WITHIN, Figure, Level, Measure, bounds, is_month, median, month_of
from hub.services.open_figures import open_figures
from hub.services.publish_month import NO_MONTH, Published, PublishMonth
from hub.services.withdraw import NOT_FOUND
from hub.web.chart import Bar, chart
from hub.web.frame import HEADERS
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PATH: Final = "/console/learning"
#: How many months back one can choose.
_MONTHS: Final = 12
_IN_ORDER: Final = (*(f"{when}/{each}" for when in ("in_time", "late") for _, each in WITHIN), "none")
_MIDDLE: Final = {"day": "within a day", "3_days": "within 3 days", "longer": "after more than 3 days"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One chart with the table beside it; without bars there is nothing that can be told."""

    title: str
    lead: str
    bars: Sequence[Bar]
    svg: Markup
    note: str = ""


@router.get(PATH)
async def learning(request: Request) -> Response:
    """Show a month (`?month=2026-11`), the last that is over where none is named."""
    hub, person = hub_of(request), await signed_in(request)
    months = over(london_date(hub.now.business()))
    month = request.query_params.get("month") or months[0]
    if not is_month(month):
        raise NotFound(NO_MONTH)
    published = await published_month(hub, person, month)
    await audited_read(hub, person, "month.read", {"month": month})
    is_open = london_date(hub.now.business()).isoformat() >= published.opens_on
    return page(
        request, person, "learning.html", title=f"What we learned in {month_in_words(month)}",
        month=month, months=[(each, month_in_words(each)) for each in dict.fromkeys((*months, month))],
        own=list(_own(hub, person, published)), opens_on=day_in_words(published.opens_on),
        whole=charts("all", published.figures, Level.PARTNERSHIP, "", tuple(Measure)) if is_open else None,
        files=[f"{each}.csv" for each in Measure] if is_open else [], version=published.version,
    )  # fmt: skip


@router.get(PATH + "/{month}/{name}")
async def download(request: Request, month: str, name: str) -> Response:
    """Return one file of a month's open data, once it is everyone's."""
    hub, person = hub_of(request), await signed_in(request)
    if not is_month(month):
        raise NotFound(NO_MONTH)
    published = await published_month(hub, person, month)
    files = open_figures(published, hub.directory.partnership)
    if name not in files or london_date(hub.now.business()).isoformat() < published.opens_on:
        raise NotFound(NOT_FOUND)
    await audited_read(hub, person, "month.exported", {"month": month})
    kind = "text/csv" if name.endswith(".csv") else "application/json"
    headers = HEADERS | {"content-disposition": f'attachment; filename="learning-{month}-{name}"'}
    return Response(files[name].encode(), media_type=f"{kind}; charset=utf-8", headers=headers)


def over(today: date) -> list[str]:
    """Return the months that are over, the last one first."""
    found, day = [], today.replace(day=1)
    for _ in range(_MONTHS):
        day = (day - timedelta(days=1)).replace(day=1)
        found.append(month_of(day))
    return found


async def published_month(hub: Hub, person: SignedIn, month: str) -> Published:
    """Return a month as it was published; raises `NotFound` for one that is not over."""
    if bounds(month)[1] > hub.now.business():
        raise NotFound(NO_MONTH)
    item = PublishMonth(month, f"person:{person.person}", hub.now.business())
    return await hub.writer.run(hub.ladder.publish_month, item)


def _own(hub: Hub, person: SignedIn, published: Published) -> Iterable[tuple[str, list[Shown]]]:
    """What is of one's own organisation: of each of its services, and of what it sent itself."""
    services = [
        each for each in hub.directory.services.values() if each.id in scope(hub.directory, person.person).hears
    ]
    for at, service in enumerate(services):
        shown = (Measure.ANSWERS, Measure.DOORS, Measure.WINS)
        yield service.name, charts(f"s{at}", published.figures, Level.SERVICE, service.id, shown)
    for at, partner in enumerate(hub.directory.partners.values()):
        if person.person in {each.id for each in (partner.champion, partner.deputy) if each is not None}:
            sent = (Measure.TELLINGS, Measure.TOLD)
            yield f"Sent by {partner.name}", charts(f"p{at}", published.figures, Level.PARTNER, partner.id, sent)


def charts(
    prefix: str, figures: Iterable[Figure], level: Level, place: str, measures: Sequence[Measure]
) -> list[Shown]:
    """Return one chart for each measure of one place: names in their own order, never in an order of merit."""
    found: dict[Measure, dict[str, Span]] = {measure: {} for measure in measures}
    for each in figures:
        if (each.level, each.place) == (level, place) and each.measure in found:
            found[each.measure][each.name] = each.span
    return [_shown(f"{prefix}-{at}", measure, spans) for at, (measure, spans) in enumerate(found.items())]


def _shown(name: str, measure: Measure, spans: dict[str, Span]) -> Shown:
    title, lead = TITLES[measure]
    if measure is Measure.ANSWERS:
        spans = {each: spans[each] for each in _IN_ORDER if each in spans}
    told = any(span.low for span in spans.values())
    bars = [Bar(named(measure, each), span.low, span.high, said(span)) for each, span in spans.items()] if told else []
    about = "; ".join(f"{bar.name}: {bar.words}" for bar in bars)
    return Shown(title, lead, bars, chart(name, title, about, bars), _note(measure, spans) if told else "")


def _note(measure: Measure, spans: dict[str, Span]) -> str:
    """What can be worked out from what is published, and from nothing else."""
    if measure is not Measure.ANSWERS:
        return ""
    middle = median({band: _sum(spans, f"/{band}") for _, band in WITHIN})
    low, high = percent(_sum(spans, "in_time/"), _sum(spans, "late/", "none"))
    words = [f"Answered in time: {low} to {high} of every 100."]
    if middle is not None:
        words.append(f"The middle answer came {_MIDDLE[middle]}.")
    return " ".join(words)


def _sum(spans: dict[str, Span], *parts: str) -> Span:
    chosen = [span for name, span in spans.items() if any(part in name for part in parts)]
    return Span(sum(each.low for each in chosen), sum(each.high for each in chosen))


def percent(part: Span, rest: Span) -> tuple[int, int]:
    """Return the least and most out of 100 that a part can be of itself and the rest."""
    least = 100 * part.low // (part.low + rest.high or 1)
    most = -(-100 * part.high // (part.high + rest.low or 1))
    return least, min(most, 100)
