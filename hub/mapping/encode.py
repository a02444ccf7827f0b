"""A made document as the exact bytes that its content type asks for: JSON, a CSV line, XML or a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from hub.mapping.document import Items, Table, Tree
from hub.sdk.transports.table import write_table

Encode = Callable[[Any], bytes]

_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
#: What XML 1.0 has no way to hold.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def encoder(content_type: str, document: str, template: Tree) -> Encode | None:
    """Return what makes bytes of a mapping's document, None for JSON; `document` names the root element of XML.

    Raises `MappingError` where its template cannot be so written.
    """
    match content_type.partition(";")[0].strip():
        case "text/csv":
            columns = columns_of(template)
            return lambda made: write_table(columns, [_row(made)]).encode()
        case "application/xml":
            return lambda made: write_xml(document, made)
        case "application/x-www-form-urlencoded":
            return lambda made: urlencode(list(_pairs("", made))).encode("ascii")
        case _:
            return None


def columns_of(template: Tree) -> tuple[str, ...]:
    """Return the columns of a CSV document: the names of its one object, those of every choice, in order."""
    if not isinstance(template, Table):
        raise template.place.wrong("a CSV document is one object: its names are the columns")
    if "$if" in template.entries:
        both = [template.entries[name] for name in ("then", "else") if name in template.entries]
        return tuple(dict.fromkeys(name for each in both for name in columns_of(each)))
    for name, each in template.entries.items():
        if name.startswith("$"):
            raise template.keys[name].wrong("a CSV document is one object: its names are the columns")
        if isinstance(each, Items) or (
            isinstance(each, Table) and not any(key.startswith("$") for key in each.entries)
        ):
            raise each.place.wrong("a column of CSV holds one value: join a list, and take an object apart")
    return tuple(template.entries)


def write_xml(root: str, value: Any) -> bytes:
    """Return a document as XML 1.0 in UTF-8, without a DTD; what XML cannot hold becomes U+FFFD.

    A list is its element repeated, null is left out, and a name that is no XML name stands as `<entry name="...">`.
    """
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_elements(root, value)) + "\n").encode()


def _elements(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _elements(name, each)
        return
    if value is None:
        return
    named = bool(_NAME.fullmatch(name)) and not name.lower().startswith("xml")
    yield f"<{name}>" if named else f'<entry name="{_escaped(name)}">'
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _elements(key, each)
    else:
        yield _escaped(_text(value))
    yield f"</{name}>" if named else "</entry>"


def _escaped(text: str) -> str:
    # A carriage return that is not written as one is read as a line's end: words keep their code points.
    return escape(_NOT_IN_XML.sub("\ufffd", text), {'"': "&quot;", "\r": "&#13;"})


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A form's fields; what lies within another stands in brackets: `0[surname]`."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _pairs(f"{name}[{key}]" if name else str(key), each)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _pairs(f"{name}[{number}]" if name else str(number), each)
    elif value is not None:
        yield name, _text(value)


def _row(made: dict[str, Any]) -> dict[str, str]:
    return {name: _joined(value) for name, value in made.items()}


def _joined(value: Any) -> str:
    """What an expression gave for one column: a list, and an object, as one text."""
    if isinstance(value, list):
        return "; ".join(filter(None, map(_joined, value)))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {said}" for name, each in value.items() if (said := _joined(each)))
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
