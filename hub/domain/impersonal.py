"""Impersonal words: what is written about a barrier tells of doors and never of a person (R52)."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from hub.domain.hints import hints
from hub.domain.pinpoints import plainly

#: How long what is written of one move may be, in code points.
WORDS: Final = 200
_FIRST_NAMES: Final = frozenset(Path(__file__).with_name("first-names.txt").read_text(encoding="utf-8").split())
#: One person is spoken of, by whatever word.
_ONE_PERSON: Final = re.compile(
    r"\b(?:he|she|him|her|his|hers|himself|herself|mr|mrs|ms|miss|mx|dr)\b|\byears?[ -]old\b|\bborn\b|\baged?\b ?[0-9]"
    r"|\b(?:this|that|the|a|one|our) (?:man|woman|lady|gentleman|lad|girl|boy|mother|father|client|patient|tenant)\b",
    re.IGNORECASE,
)
#: A date, a number of a person or of a case, or a telephone's.
_NUMBERS: Final = re.compile(
    r"[0-9](?:[ .,/-]?[0-9]){4,}|\b[0-9]{1,2}[ ./-](?:[0-9]{1,2}|[A-Za-z]{3,9})[ ./-][0-9]{2,4}\b"
    r"|\b[0-9]{1,2}(?:st|nd|rd|th)?(?: of)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b[A-Z]{2}[0-9]{4,}"
    r"|\b[0-9A-Z]{3}-[0-9A-Z]{3}\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_][\w'-]*")
_BEGINS: Final = re.compile(r"(?:^|[.!?:;]\s+)[\"'(]*$")
#: Written large wherever they stand, and nobody's name.
_LARGE: Final = frozenset({
    "I", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January", "February",
    "March", "April", "May", "June", "July", "August", "September", "October", "November", "December", "English",
    "Welsh", "Christmas", "Easter", "Act",
})  # fmt: skip
#: What a name does: a first word that is followed by one of these may be a name, unless it is a plain word.
_DOES: Final = frozenset({
    "is", "was", "has", "had", "said", "says", "asked", "asks", "told", "tells", "needs", "needed", "wants",
    "wanted", "waited", "lives", "lived", "rang", "came", "left",
})  # fmt: skip
_PLAIN: Final = frozenset({
    "the", "they", "it", "we", "this", "that", "these", "those", "there", "nobody", "somebody", "everyone",
    "people", "staff", "who", "what", "which", "one", "each", "every", "all", "some", "many", "most", "none",
    "service", "services", "team", "teams", "rule", "rules", "work", "waiting", "training", "money", "law",
})  # fmt: skip


def personal(text: str, names: Collection[str] = ()) -> str:
    """Say which rule a text breaks that must tell of nobody; nothing where it breaks none.

    Errs towards refusing: what may be a name, a place, a date or a number is one. `names` are those of services and
    partners, which may stand in it.
    """
    read = " ".join(plainly(text).split())
    for name in sorted(names, key=len, reverse=True):
        read = re.sub(rf"\b{re.escape(name)}\b", "the service", read, flags=re.IGNORECASE)
    if _NUMBERS.search(read) is not None:
        return "must not hold a date, or a number of a person, a case or a telephone"
    if _ONE_PERSON.search(read) is not None:
        return "must not speak of one person: write what the door is, and for whom it is shut in general"
    if _names_somebody(read):
        return "must not hold a name: use capital letters only where a sentence begins, and begin with a plain word"
    if hints(read):
        return "must not hold a place, an address or a telephone number"
    return ""


def _names_somebody(read: str) -> bool:
    found = list(_WORD.finditer(read))
    for at, word in enumerate(found):
        written, small = word.group(), word.group().removesuffix("'s").lower()
        if small in _FIRST_NAMES:
            return True
        if not written[0].isupper() or written in _LARGE or (len(written) > 1 and written.isupper()):
            continue
        if _BEGINS.search(read[: word.start()]) is None:
            return True
        follows = found[at + 1].group().lower() if at + 1 < len(found) else ""
        if (follows in _DOES or written.endswith("'s")) and small not in _PLAIN:
            return True
    return False
