"""A YAML file read as a tree that knows its lines, with everything refused that could surprise its reader."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.nodes import ScalarNode

MAX_BYTES = 256 * 1024
MAX_DEPTH = 40

Scalar = str | int | float | bool | None


class MappingError(Exception):
    """A mapping or code list is wrong and is not loaded; line and column start at 1, 0 where none is known."""

    def __init__(self, file: Path, line: int, column: int, why: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {why}")
        self.file = file
        self.line = line
        self.column = column
        self.why = why


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file, for the message that says what is wrong with it."""

    file: Path
    line: int = 0
    column: int = 0

    def wrong(self, why: str) -> MappingError:
        """Make the error that points here."""
        return MappingError(self.file, self.line, self.column, why)


@dataclass(frozen=True, slots=True)
class Word:
    """A single value."""

    place: Place
    value: Scalar


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """An object, in the order it is written in."""

    place: Place
    entries: dict[str, Tree]
    keys: dict[str, Place]


Tree = Word | Items | Table


def read_bytes(file: Path) -> bytes:
    """Read a file of at most 256 KB; raise `MappingError` when it is larger or cannot be read."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Place(file).wrong(f"cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise Place(file).wrong(f"is larger than {MAX_BYTES // 1024} KB")
    return content


def read_document(file: Path, content: bytes) -> Tree:
    """Read one YAML 1.2 document; raise `MappingError` for a fault, an alias, a tag, or a key given twice."""
    try:
        return _Composer(file, content.decode("utf-8")).document()
    except UnicodeDecodeError:
        raise Place(file).wrong("is not UTF-8") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        hint = " (inside braces, put quotes around an expression with [ ] { } or ,)"
        raise place.wrong(f"is not YAML: {error.problem or error.context}{hint}") from None
    except YAMLError:
        raise Place(file).wrong("is not YAML: it holds a character that YAML does not allow") from None


def is_sendable(value: object, depth: int = MAX_DEPTH) -> bool:
    """Tell whether JSON can carry a value as it is: no NaN, nothing over 64 bits, no lone surrogate, not too deep."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, list):
        return depth > 0 and all(is_sendable(each, depth - 1) for each in value)
    if isinstance(value, dict):
        return depth > 0 and all(is_sendable(each, depth - 1) for pair in value.items() for each in pair)
    return value is None


class _Composer:
    """Builds the tree from ruamel's events one at a time, so that a bomb is refused before it is unpacked."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._yaml = YAML(typ="safe", pure=True)
        self._events: Iterator[Event] = self._yaml.parse(text)

    def document(self) -> Tree:
        next(self._events)
        start = next(self._events)
        if isinstance(start, StreamEndEvent):
            raise Place(self._file).wrong("is empty")
        assert isinstance(start, DocumentStartEvent)
        if start.version or start.tags:
            raise self._place(start).wrong("a %YAML or %TAG line is not allowed")
        tree = self._node(next(self._events), 1)
        next(self._events)
        if not isinstance(after := next(self._events), StreamEndEvent):
            raise self._place(after).wrong("a file holds one document only")
        return tree

    def _node(self, event: Event, depth: int) -> Tree:
        place = self._place(event)
        if depth > MAX_DEPTH:
            raise place.wrong(f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise place.wrong("anchors (&) and aliases (*) are not allowed: write it out")
        if str(getattr(event, "tag", None) or "!") not in {"!", "None"}:
            raise place.wrong("tags (!) are not allowed")
        if isinstance(event, MappingStartEvent):
            return self._table(place, depth)
        if isinstance(event, SequenceStartEvent):
            return self._items(place, depth)
        assert isinstance(event, ScalarEvent)
        return Word(place, self._scalar(event))

    def _items(self, place: Place, depth: int) -> Items:
        found: list[Tree] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            found.append(self._node(event, depth + 1))
        return Items(place, tuple(found))

    def _table(self, place: Place, depth: int) -> Table:
        entries: dict[str, Tree] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Word) or not isinstance(key.value, str) or key.value == "<<":
                raise key.place.wrong("a key must be text")
            if key.value in entries:
                raise key.place.wrong("this key is given twice")
            keys[key.value] = key.place
            entries[key.value] = self._node(next(self._events), depth + 1)
        return Table(place, entries, keys)

    def _scalar(self, event: ScalarEvent) -> Scalar:
        value = self._resolved(event)
        if not is_sendable(value):
            raise self._place(event).wrong("is not a value that JSON can carry")
        if type(value) is int and str(value) != event.value:
            raise self._place(event).wrong("put quotes around it: as a number it would lose how it is written")
        return value

    def _resolved(self, event: ScalarEvent) -> Scalar:
        tag = str(self._yaml.resolver.resolve(ScalarNode, event.value, event.implicit))
        if event.style in {"'", '"', "|", ">"} or tag.endswith((":str", ":merge")):
            return str(event.value)
        if not tag.endswith((":int", ":float", ":bool", ":null")):
            raise self._place(event).wrong(
                "put quotes around it: YAML would read it as a date or another kind of value"
            )
        made: Any = self._yaml.constructor.construct_object(ScalarNode(tag, event.value, event.start_mark))
        return float(made) if isinstance(made, float) else cast("Scalar", made)

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1) if mark else Place(self._file)
