"""Which fields may hold a place, by their names alone (R62)."""

from __future__ import annotations

import re
from functools import lru_cache

#: Wherever these letters stand in a field's name (breaks left out), its value may say where someone lives or stays.
_LETTERS = re.compile(
    "address|postcode|postal|zipcode|uprn|usrn|street|latitude|longitude|geoloc|what3word|gridref"
    r"|(house|flat|building)(number|name|no\b)|line\d"
)
#: The same for whole words of a field's name, numbers left out.
_WORDS = frozenset({
    "addr", "base", "building", "city", "college", "coordinate", "coordinates", "county", "district", "easting", "flat",
    "geo", "gps", "hamlet", "hostel", "lat", "lng", "locality", "location", "lon", "map", "mapref", "northing",
    "nursery", "office", "parish", "place", "plot", "refuge", "road", "school", "staying", "town", "village", "w3w",
    "where", "whereabouts", "workplace", "zip",
})  # fmt: skip
#: An address that is not a place.
_NOT_PLACES = frozenset({"email_address", "e_mail_address"})


#: Names are a case system's own, and few: each is looked at once.
@lru_cache(1024)
def says_where(field_name: str) -> bool:
    """Tell whether a field of this name may hold a place; errs towards yes."""
    words = words_of(field_name)
    if "_".join(words) in _NOT_PLACES:
        return False
    bare = {word.rstrip("0123456789") for word in words}
    return _LETTERS.search("".join(words)) is not None or not bare.isdisjoint(_WORDS)


def words_of(field_name: str) -> list[str]:
    """Return the words of a field's name in small letters, however they are joined."""
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field_name).lower())
