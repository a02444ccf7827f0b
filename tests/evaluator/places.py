"""What in words or a value tells where somebody is or how to ring them, looked for one kind at a time (R18, R62)."""

from __future__ import annotations

import re
import unicodedata

#: Words that say that a name stands for a place, a way to it, or the worker's own place (R62).
PLACE_WORDS = frozenset(
    word
    for line in (
        "address addresses postcode postal zip street road flat building plot town city village hamlet parish county",
        "location locality place where whereabouts staying district latitude longitude lat lng lon easting northing",
        "grid gridref map coordinates coords gps uprn usrn what3words w3w",
        "base school nursery college workplace office hostel refuge",
    )
    for word in line.split()
)

#: Words that say that a name stands for a way to reach somebody (R65).
PHONE_WORDS = {"phone", "telephone", "tel", "mobile", "landline", "cell", "sms", "whatsapp"}
OTHER_POINTS = {"email", "mail", "facebook", "instagram", "snapchat", "messenger", "skype", "fax"}

STREETS = (
    "street|st|road|rd|lane|ln|avenue|ave|close|drive|way|court|crescent|terrace|place|gardens|grove|square|mews|"
    "walk|hill|row|green|park"
)


def plain(words: str) -> str:
    """Return words as a reader sees them: one form of each letter and digit, nothing invisible, one kind of dash."""
    seen = "".join(each for each in unicodedata.normalize("NFKC", words) if unicodedata.category(each) != "Cf")
    return re.sub(r"[\u2010-\u2015\u2212]", "-", seen)


def name_words(name: str) -> set[str]:
    """Return the words that a field's name is made of, in lower case."""
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain(name)).lower()
    words = set(re.split(r"[^a-z0-9]+", apart)) - {""}
    return words | {"postcode"} if {"post", "code"} <= words else words


def names_a_place(name: str) -> bool:
    """Whether a field's name says that it holds a place."""
    return bool(name_words(name) & PLACE_WORDS) and not names_another_point(name)


def names_a_phone(name: str) -> bool:
    """Whether a field's name says that it holds a number to ring or text."""
    return bool(name_words(name) & PHONE_WORDS)


def names_another_point(name: str) -> bool:
    """Whether a field's name says that it holds a way to write to somebody that no statement of R65 is about."""
    return bool(name_words(name) & OTHER_POINTS)


def names_mail(name: str) -> bool:
    """Whether a field's name says that it holds an e-mail address."""
    return bool(name_words(name) & {"email", "mail"})


def names_texts_only(name: str) -> bool:
    """Whether a field's name says that it holds a number for texts alone."""
    words = name_words(name)
    return bool(words & {"sms", "whatsapp"}) and not words & (PHONE_WORDS - {"sms", "whatsapp"})


def has_postcode(words: str) -> bool:
    """Whether a UK postcode stands in the words."""
    return bool(re.search(r"(?i)(?<![a-z0-9])([a-z]{1,2}[0-9][0-9a-z]?|gir) *[0-9][a-z]{2}(?![a-z0-9])", words))


def has_phone(words: str) -> bool:
    """Whether a UK telephone number stands in the words: 0 and 9 or 10 digits, or +44 or 0044 in place of the 0."""
    for run in re.findall(r"\+?\(?[0-9][0-9 ().\-]{7,}[0-9]", words):
        digits = re.sub(r"[^0-9]", "", run)
        digits = re.sub(r"^(0044|44)0?", "0", digits)
        if digits.startswith("0") and len(digits) in {10, 11}:
            return True
    return False


def has_map_value(words: str) -> bool:
    """Whether a grid reference, a latitude and longitude, three words for a square, or a link to a map is there."""
    kinds = (
        r"(?<![A-Za-z0-9])[HJNOST][A-HJ-Z] ?([0-9]{3} ?[0-9]{3}|[0-9]{4} ?[0-9]{4}|[0-9]{5} ?[0-9]{5})(?![A-Za-z0-9])",
        r"(?<![0-9.])-?[0-9]{1,2}\.[0-9]{3,} *[,; ] *-?[0-9]{1,3}\.[0-9]{3,}(?![0-9.])",
        r"///[a-z]+\.[a-z]+\.[a-z]+",
        r"(?i)(google\.[a-z.]+/maps|maps\.google|goo\.gl/maps|maps\.app\.goo\.gl|openstreetmap\.org|maps\.apple|what3words\.com|w3w\.co|bing\.com/maps)",
    )
    return any(re.search(kind, words) for kind in kinds)


def has_address(words: str) -> bool:
    """Whether a house number and a street stand in the words."""
    return bool(
        re.search(rf"(?<![0-9])[0-9]{{1,4}}[a-zA-Z]?,? ([A-Z][A-Za-z']+ ){{1,3}}(?i:{STREETS})(?![a-z])", words)
    )


def pinpoints(words: str) -> bool:
    """Whether an address, postcode, phone number or map value stands in the words: what R62 lets nobody see."""
    return has_place(words) or has_phone(plain(words))


def has_place(words: str) -> bool:
    """Whether an address, postcode or map value stands in the words, telephone numbers apart."""
    seen = plain(words)
    return has_postcode(seen) or has_map_value(seen) or has_address(seen)


def looks_placed(words: str) -> bool:
    """Whether words look as if they hold a place, a phone number or a school: the author looks again (R18)."""
    seen = plain(words)
    school = re.search(r"(?i)(?<![a-z])(school|academy|nursery|college)(?![a-z])", seen)
    street = re.search(rf"[A-Z][A-Za-z']+ ({STREETS.title()})(?![a-z])", seen)
    return pinpoints(words) or bool(school) or bool(street)
