"""Words for people as FHIR R4 carries them: an XHTML narrative, with nothing in it that runs or loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

#: Characters that XML 1.0 cannot carry, however they are written.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def narrative(lines: object) -> str | None:
    """Return lines as one `div`; null when none of them says anything.

    A line is a text, or an object whose names are words for people and whose values are texts, lists of texts, or
    true and false; lists within the list are lines as well.
    """
    shown = "".join(_line(each) for each in _all(lines))
    return f'<div xmlns="http://www.w3.org/1999/xhtml" style="white-space: pre-wrap">{shown}</div>' if shown else None


def _all(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for each in value:
            yield from _all(each)
    else:
        yield value


def _line(value: object) -> str:
    if isinstance(value, dict):
        pairs = [(str(name), said) for name, each in value.items() if (said := _words(each))]
        shown = "".join(f"<dt>{_safe(name)}</dt><dd>{_safe(said)}</dd>" for name, said in pairs)
        return f"<dl>{shown}</dl>" if shown else ""
    said = _words(value)
    return f"<p>{_safe(said)}</p>" if said else ""


def _words(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | str():
            return str(value)
        case list():
            return ", ".join(filter(None, map(_words, value)))
        case _:
            return ""


def _safe(text: str) -> str:
    """Write a text so that it is read out of XHTML as it was said, code point for code point."""
    return escape(_NOT_XML.sub("\ufffd", text), quote=False).replace("\r", "&#13;")
