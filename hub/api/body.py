"""Strict reading of a request's raw body: size, JSON, doubled names, depth and types, before anything is believed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from hub.domain.errors import Fault, Malformed, Refusal

T = TypeVar("T")

MOST_BYTES: Final = 1_000_000
MOST_LEVELS: Final = 12
_MOST_FAULTS: Final = 50

TOO_LARGE = Refusal(
    "body-too-large", "This is too large.", "Send at most 1 MB. A share is words and fields: leave files out."
)
NOT_JSON = Refusal("body-not-json", "This is not JSON.", "Send UTF-8 JSON, with each name once and no NaN.")
NOT_JSON_TYPE = Refusal("body-type", "This is not sent as JSON.", "Send Content-Type: application/json.")
TOO_DEEP = Refusal(
    "body-too-deep", "This is nested too deeply.", "Use the shape in /openapi.json: nothing in it is so deep."
)
MALFORMED = Refusal("body-malformed", "Some of this cannot be read.", "Mend each part named below and send it again.")

_UNKNOWN_NAME: Final = "holds a name that is not in the schema at /openapi.json"
#: What the parser finds where a name is not the schema's: the last of its place is that name, which may be somebody's.
_NAMES_WHAT_IT_FOUND: Final = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
#: A field or fact may hold several types, and what is none of them fails each.
_ONE_OF_SEVERAL: Final = "must be text, a whole number, true or false, or a list of text"
_SEVERAL: Final = frozenset({"string_type", "bool_type", "int_type"})

#: Our own words for the parser's findings; its own could quote what was sent.
_WORDS: Final = {
    "missing": "is missing",
    "extra_forbidden": _UNKNOWN_NAME,
    "unexpected_keyword_argument": _UNKNOWN_NAME,
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "dataclass_type": "must be an object",
    "dataclass_exact_type": "must be an object",
    "dict_type": "must be an object",
    "date_type": "must be a date such as 2026-11-18",
    "date_parsing": "must be a date such as 2026-11-18",
    "date_from_datetime_parsing": "must be a date such as 2026-11-18",
    "enum": "is not one of the allowed words",
    "literal_error": "is not one of the allowed words",
}


class _DoubledNameError(ValueError):
    """The same name twice in one object: two readers could believe different things."""


async def read_raw(request: Request, most: int = MOST_BYTES) -> bytes:
    """Return the body's bytes; raises `Malformed` as soon as it is larger than `most`."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > most:
        raise Malformed(TOO_LARGE)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise Malformed(TOO_LARGE)
        chunks.append(chunk)
    return b"".join(chunks)


def require_json(request: Request) -> None:
    """Refuse a body that is not declared as JSON."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise Malformed(NOT_JSON_TYPE)


def parse(raw: bytes, shape: TypeAdapter[T]) -> T:
    """Return the document as its type; raises `Malformed` with every fault by JSON pointer."""
    document = load(raw)
    try:
        return shape.validate_json(raw, strict=True)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise Malformed(MALFORMED, tuple(_faults(found, document, _names(shape)))) from None


def load(raw: bytes, most_levels: int = MOST_LEVELS) -> Any:
    """Return the parsed JSON; raises `Malformed` on bad JSON, doubled names, NaN, or too many levels."""
    try:
        document = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise Malformed(TOO_DEEP) from None
    except _DoubledNameError:
        raise Malformed(NOT_JSON, (Fault("", "the same name stands twice in one object"),)) from None
    except ValueError:
        raise Malformed(NOT_JSON) from None
    if _too_deep(document, most_levels):
        raise Malformed(TOO_DEEP)
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _DoubledNameError
    return document


def _no_constant(_: str) -> None:
    raise ValueError


def _too_deep(document: Any, most: int) -> bool:
    level = [document]
    for _ in range(most):
        level = [inner for outer in level if isinstance(outer, (dict, list)) for inner in _values(outer)]
        if not level:
            return False
    return True


def _values(outer: Any) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer


def _faults(found: Sequence[Any], document: Any, known: frozenset[str]) -> Iterable[Fault]:
    kinds: dict[str, list[str]] = {}
    for each in found[:_MOST_FAULTS]:
        kind = str(each["type"])
        if kind == "json_invalid":
            # The strict parser found what the first reading let through, such as half a surrogate pair.
            raise Malformed(NOT_JSON, (Fault("", "holds characters that are not whole"),))
        loc = each["loc"][:-1] if kind in _NAMES_WHAT_IT_FOUND else each["loc"]
        kinds.setdefault(_pointer(loc, document, known, missing=kind == "missing"), []).append(kind)
    return [Fault(pointer, _words(those)) for pointer, those in kinds.items()]


def _words(kinds: Sequence[str]) -> str:
    """One fault for one place, however many rules it breaks."""
    return _ONE_OF_SEVERAL if _SEVERAL.issubset(kinds) else _WORDS.get(kinds[0], "has the wrong type")


def _pointer(loc: Sequence[Any], document: Any, known: frozenset[str], *, missing: bool) -> str:
    """The place in what was sent, as far as it exists there and its names are the schema's, not somebody's."""
    tokens: list[str] = []
    here = document
    for position, part in enumerate(loc):
        if (isinstance(here, dict) and part in here and part in known) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        ):
            here = here[part]
        elif missing and position == len(loc) - 1:
            tokens.append(str(part))
            break
        else:
            break
        tokens.append(str(part))
    return "".join(f"/{token}" for token in tokens)


@cache
def _names(shape: TypeAdapter[Any]) -> frozenset[str]:
    """Return every name that a shape has for its parts."""
    schema = shape.json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", {}))
