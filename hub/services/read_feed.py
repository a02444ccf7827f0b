"""Read a feed of Open Referral UK 3 as it really comes: with fields missing, misspelt or of another type."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.domain.listing import Listing

#: The standard's own words; anything else is `unknown`.
_STATUSES = frozenset({"active", "inactive", "defunct", "temporarily closed"})
#: What stands for a page's services: the standard's word, and what feeds write instead of it.
_CONTENTS = ("contents", "content", "services", "items", "data")
_TEXT, _AREAS = 300, 50


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page: its listings, how many services have no name or id, and whether it says that it is the last."""

    listings: tuple[Listing, ...]
    unreadable: int
    last: bool | None


class FeedError(ValueError):
    """What came is no page of services."""


def read_page(document: Any) -> FeedPage:
    """Return what one page lists; raises `FeedError` where it is no page, never because of what a service says."""
    found = _contents(document)
    listings = [listing for each in found if (listing := read_service(each)) is not None]
    return FeedPage(tuple(listings), len(found) - len(listings), _last(document))


def read_service(service: Any) -> Listing | None:
    """Return one service as a listing; None where it has neither name nor id."""
    if not isinstance(service, Mapping):
        return None
    name, identity = _text(service.get("name")), _text(service.get("id"))
    if not name or not identity:
        return None
    organisation = service.get("organization") or service.get("organisation")
    status = _text(service.get("status")).casefold()
    dates = [each for key in ("assured_date", "last_modified") if (each := _date(service.get(key))) is not None]
    return Listing(
        id=identity,
        name=name,
        organisation=_text(organisation.get("name")) if isinstance(organisation, Mapping) else _text(organisation),
        status=status if status in _STATUSES else "unknown",
        minimum_age=_age(service.get("minimum_age")),
        maximum_age=_age(service.get("maximum_age")),
        areas=tuple(dict.fromkeys(_areas(service.get("service_areas"))))[:_AREAS],
        eligibility=_text(service.get("eligibility_description")),
        url=url if (url := _text(service.get("url"))).startswith(("https://", "http://")) else "",
        checked_on=max(dates, default=None),
    )


def _contents(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    if isinstance(document, Mapping):
        found = next((document[key] for key in _CONTENTS if isinstance(document.get(key), list)), None)
        if found is not None:
            return list(found)
        if "name" in document and "id" in document:
            return [document]
    raise FeedError("no list of services")


def _last(document: Any) -> bool | None:
    if not isinstance(document, Mapping):
        return True
    if isinstance(last := document.get("last_page"), bool):
        return last
    number, pages = document.get("page_number"), document.get("total_pages")
    return number >= pages if isinstance(number, int) and isinstance(pages, int) else None


def _areas(areas: Any) -> Iterator[str]:
    for area in areas if isinstance(areas, list) else ():
        said = (area.get("name"), area.get("extent"), area.get("uri")) if isinstance(area, Mapping) else (area,)
        if text := next((text for each in said if (text := _text(each))), ""):
            yield text


def _age(value: Any) -> int | None:
    try:
        years = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return years if 0 <= years <= 150 else None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _text(value: Any) -> str:
    """Return a text on one line without anything that a terminal or a page would obey; other types are none."""
    if not isinstance(value, str):
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
    shown = "".join(" " if each.isspace() else each for each in value[: 4 * _TEXT])
    kept = "".join(each for each in shown if unicodedata.category(each)[0] != "C")
    return " ".join(kept.split())[:_TEXT]
