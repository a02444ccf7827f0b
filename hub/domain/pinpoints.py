"""Find what by itself shows where somebody is, or rings a telephone: it leaves only where the place may be known (R62).

Addresses, postcodes, map values and telephone numbers are found by their form. `hub.domain.hints` looks for the rest.
"""

from __future__ import annotations

import re
import unicodedata

#: Postcode areas in use (Royal Mail), by first letter: a vitamin or a page has none of the others.
_AREAS = (
    "A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?"
    "|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE"
)
OUTWARD = rf"(?:{_AREAS})[0-9][A-Z0-9]?"
_INWARD = "[0-9][ABD-HJLNP-UW-Z]{2}"
_GAP = r"[\s().-]*"

_POSTCODE = re.compile(
    rf"\b{OUTWARD}[\s.-]{{0,3}}{_INWARD}\b"
    # In small letters "b12 2nd" is a vitamin and a day.
    rf"|(?i:\b{OUTWARD}[\s.-]{{0,3}}(?![0-9](?:st|nd|rd|th)\b){_INWARD}\b|\bGIR ?0AA\b)"
)
_LIKE_INWARD = re.compile("[0-9][A-Za-z]{2}(?![A-Za-z0-9])")
_TELEPHONE = re.compile(
    # +44 and 0044; 0, then nine or ten more; any other country's.
    rf"(?:\+|\b00)44{_GAP}(?:\(0\){_GAP})?[1-9](?:{_GAP}[0-9]){{8,9}}(?![0-9])"
    rf"|(?<![0-9.,£$€/-])\(?0{_GAP}[1-9](?:{_GAP}[0-9]){{8,9}}(?![0-9])"
    rf"|\+[1-9](?:{_GAP}[0-9]){{8,13}}(?![0-9])"
)
_MAP_VALUE = re.compile(
    "|".join((
        # Degrees, written with a point or with minutes.
        r"-?[0-9]{1,2}\.[0-9]{3,}°?\s?[NSns]?\s?[,;/ ]\s?-?[0-9]{1,3}\.[0-9]{3,}",
        r"[0-9]{1,3}\s?°\s?[0-9]{1,2}(?:\.[0-9]+)?\s?['\u2032]",
        r"\b[0-9]{1,2}\.[0-9]{2,}\s?°?\s?[NS]\b",
        # A grid reference; a National Insurance number looks alike, and ends in a letter.
        r"\b[HNOST][A-HJ-Z]\s?(?:[0-9]{3}\s?[0-9]{3}|[0-9]{4}\s?[0-9]{4}|[0-9]{5}\s?[0-9]{5})\b(?!\s?[A-D]\b)",
        r"(?i:\bu[ps]rn\b\W{0,3}[0-9]{6,12}\b)",
    ))
)  # fmt: skip
#: A house's number and its road, with capital letters; a road in small letters is only a hint.
_ADDRESS = re.compile(
    r"(?<![0-9.,£$€/])[0-9]{1,4}[A-Za-z]?,? (?:[A-Z][A-Za-z'-]+ ){1,3}"
    r"(?:Road|Rd|Street|St|Avenue|Ave|Lane|Ln|Close|Drive|Way|Court|Crescent|Cres|Terrace|Gardens|Gdns|Square|Grove|Mews"
    r"|Row|Walk|Place|Hill|Park|Green|road|rd|street|avenue|lane|crescent|terrace|mews)\b"
)
_DIGITS = re.compile("[0-9]+")
_BEFORE, _AFTER = 12, 6
#: Three words joined by full stops name a square of three metres; a web address is written the same, and is not one.
_THREE_WORDS = re.compile(
    r"(?<![\w@./-])(?!www\.)[a-z]{3,}\.[a-z]{3,}\.[a-z]{3,}(?![\w@./-])(?<!\.com)(?<!\.org)(?<!\.net)(?<!\.gov)"
)
_AFTER_SLASHES = re.compile(r"/{3}\s?[A-Za-z]{3,}\.[A-Za-z]{3,}\.[A-Za-z]{3,}")
_MAP_LINKS = ("w3w.co/", "maps.app.", "maps.apple.", "goo.gl/maps", "maps.google.", "/maps", "openstreetmap.org")
_TWO_STOPS = re.compile(r"\.[a-z]{3,}\.")
_DATES = re.compile(r"\b(?:[0-9]{1,2}([-./])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])")
#: What a reader does not see, and dashes that are not typed.
_NO_WIDTH = dict.fromkeys(
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060"
    "\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff",
    "",
)
_UNLIKE = _NO_WIDTH | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-") | {"\u2019": "'"}
_PLAIN = str.maketrans(_UNLIKE)
_ASCII = frozenset(map(chr, range(128)))


def pinpoints(text: str) -> bool:
    """Tell whether `text` holds an address, postcode, coordinates, grid reference, map words or telephone number."""
    read = plainly(text)
    near = _near_digits(read)
    return (near != "" and (_TELEPHONE.search(near) is not None or _by_number(near, read))) or _by_words(read)


def maps(text: str) -> bool:
    """Tell the same, telephone numbers left out: for a field that is meant to hold one (R65)."""
    read = plainly(text)
    near = _near_digits(read)
    return (near != "" and _by_number(near, read)) or _by_words(read)


def _near_digits(text: str) -> str:
    """Return what stands near a digit, dates left out: their days and months are no telephone's."""
    # Without a loop, and quicker than a pattern: most texts hold none.
    t = text
    if not (
        "0" in t or "1" in t or "2" in t or "3" in t or "4" in t
        or "5" in t or "6" in t or "7" in t or "8" in t or "9" in t
    ):  # fmt: skip
        return ""
    return _DATES.sub("/", _around_digits(text))


def _by_number(near: str, text: str) -> bool:
    if _MAP_VALUE.search(near) is not None or _ADDRESS.search(text) is not None:
        return True
    return _LIKE_INWARD.search(near) is not None and _POSTCODE.search(near) is not None


def _around_digits(text: str) -> str:
    """Return the parts of `text` that a digit stands in, each with a little on both sides."""
    parts: list[str] = []
    begin = end = 0
    for found in _DIGITS.finditer(text):
        if found.start() - _BEFORE > end:
            parts.append(text[begin:end])
            begin = found.start() - _BEFORE
        end = found.end() + _AFTER
    parts.append(text[begin:end])
    return "|".join(parts)


def _by_words(text: str) -> bool:
    if "." not in text:
        return False
    if _TWO_STOPS.search(text) is not None and _THREE_WORDS.search(text) is not None:
        return True
    if "/" not in text:
        return False
    small = text.lower()
    return any(link in small for link in _MAP_LINKS) or _AFTER_SLASHES.search(text) is not None


def plainly(text: str) -> str:
    """Return a copy to be screened: full-width digits, long dashes, curled quotes and unseen characters made plain."""
    if text.isascii():
        return text
    odd = set(text) - _ASCII
    if odd.isdisjoint(_UNLIKE) and unicodedata.is_normalized("NFKC", "".join(odd)):
        return text
    return unicodedata.normalize("NFKC", text.translate(_PLAIN))
