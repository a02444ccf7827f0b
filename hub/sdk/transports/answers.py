"""What a partner says in a file: CSV, JSON or XML read as rows, and a row as an answer about one delivery."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID
from xml.parsers import expat

from hub.domain.answer import Answer
from hub.sdk.transports.table import read_table
from hub.sdk.vocabulary import Vocabulary

#: Rows of one file, levels of one XML document, and characters of a line and of a note.
_MOST_ROWS, _MOST_LEVELS, _LINE, _NOTE = 10_000, 20, 200, 4_000
_YES = frozenset({"yes", "y", "true", "1"})

Row = Mapping[str, str]


def read_rows(body: bytes) -> list[Row]:
    """Return what a file says, one row an answer, names in lower case; raises `ValueError` on anything else.

    JSON is an object or a list of objects, XML one element an answer (or the root itself), without a DTD; CSV has its
    names in the first line. Only texts, numbers and yes or no are read.
    """
    begins = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if begins in (b"{", b"["):
        rows = _from_json(body)
    elif begins == b"<":
        rows = _from_xml(body)
    else:
        rows = [*read_table(body)]
    if not 0 < len(rows) <= _MOST_ROWS:
        raise ValueError("no answers, or too many")
    return rows


def answer_of(row: Row, vocabulary: Vocabulary) -> tuple[str, Answer]:
    """Return which delivery a row is about, and what it says; raises `ValueError` when it names no key of ours.

    Read are `hub_key`, `status`, and as far as given `reason`, `owner`, `note`, `next_step`, `next_date`,
    `check_with_person` and `do_not_tell_yet`. A word that nobody has translated is kept as received (R35).
    """
    key = str(UUID(row.get("hub_key", "").lstrip("'")))
    answer = vocabulary.answer(row.get("status", "").upper(), row.get("reason", "").upper())
    return key, replace(
        answer,
        owner=row.get("owner", "")[:_LINE],
        text=row.get("note", "")[:_NOTE] or answer.text,
        next_step=row.get("next_step", "")[:_NOTE] or answer.next_step,
        next_date=_day(row.get("next_date", "")),
        check_with_person=row.get("check_with_person", "").lower() in _YES,
        do_not_tell_yet=row.get("do_not_tell_yet", "").lower() in _YES,
    )


def _day(text: str) -> date | None:
    """Return a date; an answer is not refused for one that cannot be read (R35)."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _from_json(body: bytes) -> list[Row]:
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in found):
        raise ValueError("not an object")
    return [{name.lower(): _plain(each) for name, each in row.items()} for row in found]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


class _Elements:
    """Gathers the texts of a document's leaves, by the element that holds them; nothing is fetched or expanded."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, str]] = {}
        self._path: list[tuple[int, str]] = []
        self._count = 0
        self._text: list[str] = []

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        self._count += 1
        self._path.append((self._count, name.rpartition(":")[2].lower()))
        self._text = []
        if len(self._path) > _MOST_LEVELS:
            raise ValueError("nested too deep")

    def end(self, _name: str) -> None:
        _, name = self._path.pop()
        if self._path and (text := "".join(self._text).strip()):
            self.rows.setdefault(self._path[-1][0], {})[name] = text
        self._text = []

    def characters(self, text: str) -> None:
        self._text.append(text)


def _refuse(*_: object) -> None:
    raise ValueError("a document type is not read")


def _from_xml(body: bytes) -> list[Row]:
    gathered, parser = _Elements(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = gathered.start
    parser.EndElementHandler = gathered.end
    parser.CharacterDataHandler = gathered.characters
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        raise ValueError("not XML") from None
    return [*_kept(gathered.rows)]


def _kept(rows: Mapping[int, Row]) -> Iterator[Row]:
    """An element with a key of ours is an answer; what stands beside them, such as a date of the file, is none."""
    named = [row for row in rows.values() if "hub_key" in row]
    yield from named or rows.values()
