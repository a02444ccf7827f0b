"""What a service is told of its own answer: what is missing from it, and what of it did not travel back."""

from __future__ import annotations

from collections.abc import Iterable

#: The topic of the e-mail that says so, where the service's connection cannot carry it.
ABOUT_ANSWER = "about_answer"

_ASKED = {
    "owner": "who has it (a person, a team or a duty desk)",
    "reason": "why",
    "next_date": "a date: when the next step is, or when you would close it",
}
_HELD_BACK = {
    "owner": "who has it",
    "text": "the words with it",
    "reason": "the reason",
    "stage": "the stage it is at",
    "next_step": "the next step",
    "next_date": "the date of the next step",
}


def asking(fields: Iterable[str]) -> str:
    """Return the sentence that asks for fields, by their names (R35, R38); nothing to ask for is an empty text."""
    wanted = _listed(_ASKED, fields)
    return f"Please answer again, and say: {wanted}." if wanted else ""


def telling(fields: Iterable[str]) -> str:
    """Return the sentences that say which fields were held back (R21); none is an empty text."""
    held = _listed(_HELD_BACK, fields)
    why = "It was not agreed that this comes back, or it could show where the person is."
    return f"We did not pass on: {held}. {why}" if held else ""


def about(asked: Iterable[str], held_back: Iterable[str]) -> str:
    """Return all that is to be said of an answer, in plain sentences."""
    return " ".join(words for words in ("Thank you for your answer.", asking(asked), telling(held_back)) if words)


def _listed(words: dict[str, str], fields: Iterable[str]) -> str:
    named = set(fields)
    return "; ".join(each for name, each in words.items() if name in named)
