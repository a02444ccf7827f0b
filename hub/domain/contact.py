"""Safe contact: a way to reach the person goes only where it is safe, after what says so (R65)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from hub.domain.places import says_where, words_of
from hub.domain.share import Value

#: What is said about ways to make contact. It always travels: a service must know when not to ring.
STATEMENTS = ("safe_to_call", "leave_message", "text_ok", "email_ok", "post_ok")
#: What else a contact section says that is no way to reach anybody.
NOTES = ("not_safe_to_talk_to", "times", "code_phrase", "preferred_language", "interpreter")
_FIRST = (*STATEMENTS, *NOTES)

_TEXTED = frozenset({"text", "texts", "sms", "whatsapp"})
_CALLED = frozenset({"phone", "phones", "mobile", "telephone", "tel", "landline", "cell"})
_MAILED = frozenset({"email", "emails", "mail"})
#: Where else somebody is found; nothing says that it is safe.
_FOUND = frozenset({"facebook", "fax", "instagram", "messenger", "skype", "snapchat", "telegram"})


class Safety(StrEnum):
    """What the statements say of one way to make contact."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def is_statement(name: str) -> bool:
    """Tell whether a field of a contact section says how to make contact, and is no way itself."""
    return name in _FIRST


def statements_first(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Return the fields of a contact section with what is safe before any way to make contact (R65)."""
    said = {name: fields[name] for name in _FIRST if name in fields}
    return said | {name: value for name, value in fields.items() if name not in said}


@dataclass(frozen=True, slots=True)
class Way:
    """What must be said of one way to make contact before it goes: each of `said`, and a yes to one of `yes`."""

    yes: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


#: Whoever has a number can ring it, leave a message and text it: all three are said, or it stays (R65).
_OF_NUMBERS = ("safe_to_call", "leave_message", "text_ok")
_CALL, _TEXT = Way(("safe_to_call", "text_ok"), _OF_NUMBERS), Way(("text_ok",), _OF_NUMBERS)
_WRITE, _POST, _UNKNOWN = Way(("email_ok",)), Way(("post_ok",)), Way()


@lru_cache(1024)
def way(name: str, *, in_contact: bool) -> Way | None:
    """Return what must be said of a way to make contact, by its field's name; None where the field is none.

    In a contact section every field that says nothing about contact is a way to make it. One that we do not know, and
    any in another section, has no statement, and so goes nowhere.
    """
    if is_statement(name):
        return None
    words = frozenset(words_of(name))
    mailed = not words.isdisjoint(_MAILED)
    called, texted = not words.isdisjoint(_CALLED), not words.isdisjoint(_TEXTED)
    if not in_contact:
        texted = texted and "text" not in words
        return _UNKNOWN if mailed or called or texted or not words.isdisjoint(_FOUND) else None
    if mailed:
        return _WRITE
    if called:
        return _CALL
    if texted:
        return _TEXT
    return _POST if says_where(name) else _UNKNOWN


def safety(fields: Mapping[str, Value], asked: Way) -> Safety:
    """Return what the statements among `fields` say: a no without a yes is a no, and what is not said is not safe."""
    answers = {_said(fields.get(name)) for name in asked.yes}
    if Safety.UNKNOWN in {_said(fields.get(name)) for name in asked.said}:
        return Safety.UNKNOWN
    if Safety.YES in answers:
        return Safety.YES
    return Safety.NO if Safety.NO in answers else Safety.UNKNOWN


def _said(value: Value | None) -> Safety:
    """Only a plain yes is one, so that "yes, but" is not."""
    if value is True or value == "yes":
        return Safety.YES
    return Safety.NO if value is False or value == "no" else Safety.UNKNOWN
