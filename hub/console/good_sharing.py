"""Good sharing: what helped, what people want to learn, and what came of it; as published, and of nobody (R53, R55)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.console.frame import page
from hub.console.learning import charts, over, published_month
from hub.console.learning_words import day_in_words, month_in_words
from hub.console.session import hub_of
from hub.console.signed_in import audited_read, signed_in
from hub.domain.calendar import london_date
from hub.domain.errors import NotFound
from hub.domain.ladder import scope
from hub.domain.learning import Level, Measure, is_month
from hub.services.publish_month import NO_MONTH
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PATH: Final = "/console/good-sharing"
#: Wins beside barriers, so that what was good is never read without what is hard, nor the other way round (R53).
_WHOLE: Final = (Measure.BARRIERS, Measure.WINS, Measure.TRAINING)


@router.get(PATH)
async def good_sharing(request: Request) -> Response:
    """Show what helped in a month (`?month=2026-11`), the last that is over where none is named."""
    hub, person = hub_of(request), await signed_in(request)
    today = london_date(hub.now.business())
    months = over(today)
    month = request.query_params.get("month") or months[0]
    if not is_month(month):
        raise NotFound(NO_MONTH)
    published = await published_month(hub, person, month)
    await audited_read(hub, person, "month.read", {"month": month})
    mine = scope(hub.directory, person.person).hears
    own = [
        (each.name, charts(f"s{at}", published.figures, Level.SERVICE, each.id, (Measure.WINS,)))
        for at, each in enumerate(hub.directory.services.values())
        if each.id in mine
    ]
    is_open = today.isoformat() >= published.opens_on
    return page(
        request, person, "good_sharing.html", title=f"Good sharing in {month_in_words(month)}", month=month,
        months=[(each, month_in_words(each)) for each in dict.fromkeys((*months, month))], own=own,
        whole=charts("all", published.figures, Level.PARTNERSHIP, "", _WHOLE) if is_open else None,
        opens_on=day_in_words(published.opens_on),
    )  # fmt: skip
