"""Cut a share down to what one service may see, word for word, and say by pointer what was held back (R13, R17)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from hub.domain.share import Category, Consent, Section, Share


class Why(StrEnum):
    """Why a part of the story stays behind; the plain words for each are in `hub.domain.wording`."""

    UNLABELLED = "unlabelled"  #: no category says what it is about (R17)
    NOT_AGREED = "not_agreed"  #: the person did not agree that this service sees this category (R13)
    NOT_FOR_SERVICE = "not_for_service"  #: the service's agreement does not let it receive this category
    LOCATION_PRIVATE = "location_private"  #: where they are goes only where `location_ok` says so (R62)
    TICK_BY_ITSELF = "tick_by_itself"  #: someone else's story, or offending, is ticked by itself or stays (R67, R72)


@dataclass(frozen=True, slots=True)
class Withheld:
    """One part held back: an RFC 6901 pointer into the share, and why; never the part itself."""

    pointer: str
    why: Why


@dataclass(frozen=True, slots=True)
class View:
    """What one service sees, in the order it was told, and what it does not."""

    sections: tuple[Section, ...]
    withheld: tuple[Withheld, ...]


_TICKED_BY_ITSELF = frozenset({Category.ABOUT_SOMEONE_ELSE, Category.OFFENDING})

#: Wherever these letters stand in a field's name (breaks left out), its value may say where someone lives or stays.
_PLACE_LETTERS = re.compile(
    "address|postcode|postal|zipcode|uprn|usrn|street|latitude|longitude|geoloc|what3word|gridref"
    r"|(house|flat|building)(number|name|no\b)|line\d"
)
#: The same for whole words of a field's name, numbers left out.
_PLACE_WORDS = frozenset({
    "addr", "building", "city", "coordinate", "coordinates", "county", "easting", "flat", "geo", "gps", "hamlet",
    "hostel", "lat", "lng", "locality", "location", "lon", "mapref", "northing", "parish", "plot", "refuge", "road",
    "staying", "town", "village", "w3w", "where", "whereabouts", "workplace", "zip",
})  # fmt: skip
#: An address that is not a place.
_NOT_PLACES = frozenset({"email_address", "e_mail_address"})


def says_where(field_name: str) -> bool:
    """Tell whether a field of this name may hold a place (R62); errs towards yes."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field_name).lower()
    words = re.findall(r"[a-z0-9]+", name)
    if "_".join(words) in _NOT_PLACES:
        return False
    bare = {word if word in _PLACE_WORDS else word.rstrip("0123456789") for word in words}
    return _PLACE_LETTERS.search("".join(words)) is not None or not bare.isdisjoint(_PLACE_WORDS)


def minimise(share: Share, consent: Consent, accepts: Collection[Category]) -> View:
    """Return what the consent's service may see of `share`: labelled, agreed, and what it `accepts`; nothing else.

    Words and values go code point for code point, in their order (R18). A section that holds neither field nor text is
    dropped without a word: there is nothing to withhold.
    """
    sections: list[Section] = []
    withheld: list[Withheld] = []
    for index, section in enumerate(share.sections):
        pointer = f"/sections/{index}"
        if not section.fields and not section.text:
            continue
        if (why := _reason(section.category, consent, accepts)) is not None:
            withheld.append(Withheld(pointer, why))
            continue
        private = () if consent.location_ok else tuple(name for name in section.fields if says_where(name))
        withheld.extend(Withheld(f"{pointer}/fields/{_escape(name)}", Why.LOCATION_PRIVATE) for name in private)
        kept = _without(section, private)
        if kept.fields or kept.text:
            sections.append(kept)
    return View(tuple(sections), tuple(withheld))


def _reason(category: Category | None, consent: Consent, accepts: Collection[Category]) -> Why | None:
    if category is None:
        return Why.UNLABELLED
    if category not in consent.categories:
        return Why.TICK_BY_ITSELF if category in _TICKED_BY_ITSELF else Why.NOT_AGREED
    if category not in accepts:
        return Why.NOT_FOR_SERVICE
    if category is Category.LOCATION and not consent.location_ok:
        return Why.LOCATION_PRIVATE
    return None


def _without(section: Section, names: Iterable[str]) -> Section:
    gone = frozenset(names)
    if not gone:
        return section
    return replace(section, fields={name: value for name, value in section.fields.items() if name not in gone})


def _escape(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
