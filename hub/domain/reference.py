"""The speakable reference of a share, such as K7M-4QX: the same for everyone, readable over a phone (R74)."""

from __future__ import annotations

import unicodedata

from hub.domain.errors import Malformed, Refusal

#: No vowels, so hardly a word; of each pair or group that looks alike (0 O, 1 I L, U V, 2 Z, 5 S, 6 G, 8 B) or sounds
#: alike on a telephone (M N, F S, T D P B, K J, C Z) only one is here. 19 symbols, 47 million references.
ALPHABET = "23456789CFHKMQRTWXY"
_LENGTH, _GROUP = 6, 3
_COUNT = len(ALPHABET) ** _LENGTH
#: So many that which reference comes out is even to one part in 10^11.
_BYTES_NEEDED = 8

#: What can be read into a reference without vowels; never handed out.
_RUDE = ("FCK", "FKC", "FHK", "KKK", "CKR", "TWT", "T4T", "WTF", "C4K", "666", "C3K")
#: Odd and not a factor of the count, so that stepping past a rude one wanders through every reference.
_STEP = 1_000_003

_SPOKEN = {
    "C": "Charlie", "F": "Foxtrot", "H": "Hotel", "K": "Kilo", "M": "Mike", "Q": "Quebec", "R": "Romeo", "T": "Tango",
    "W": "Whiskey", "X": "X-ray", "Y": "Yankee", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six",
    "7": "seven", "8": "eight", "9": "nine",
}  # fmt: skip

MALFORMED = Refusal(
    "reference-malformed",
    "That is not one of our references.",
    "Check it and type it again. It is six letters and numbers, such as K7M-4QX.",
)


def make(rand_bytes: bytes) -> str:
    """Return the reference that `rand_bytes` (8 or more, from a secure source) stand for.

    The caller handles collisions. Nothing about the person goes into it (R74).
    """
    if len(rand_bytes) < _BYTES_NEEDED:
        raise ValueError("a reference needs at least 8 random bytes")
    number = int.from_bytes(rand_bytes) % _COUNT
    symbols = _symbols(number)
    while any(rude in symbols for rude in _RUDE):
        number = (number + _STEP) % _COUNT
        symbols = _symbols(number)
    return f"{symbols[:_GROUP]}-{symbols[_GROUP:]}"


def parse(text: str) -> str:
    """Return the reference as `make` wrote it, however it was typed: case, spaces and dashes do not matter.

    Raises `Malformed` on anything else.
    """
    symbols = "".join(
        character.upper()
        for character in unicodedata.normalize("NFKC", text)
        if not character.isspace() and unicodedata.category(character) != "Pd" and character != "\u2212"
    )
    if len(symbols) != _LENGTH or not set(symbols) <= set(ALPHABET):
        raise Malformed(MALFORMED)
    return f"{symbols[:_GROUP]}-{symbols[_GROUP:]}"


def spoken(reference: str) -> str:
    """Return how to say a reference over a telephone: "Kilo seven Mike, four Quebec X-ray"."""
    first, second = parse(reference).split("-")
    return ", ".join(" ".join(_SPOKEN[symbol] for symbol in group) for group in (first, second))


def _symbols(number: int) -> str:
    symbols = []
    for _ in range(_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        symbols.append(ALPHABET[place])
    return "".join(symbols)
