"""Code lists: a partner's words for ours, as csv with its source, version and date in the first lines."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hub.mapping.document import Place, read_bytes

MAX_CELL = 1_000
_HEADER = ("source", "version", "date")


@dataclass(frozen=True, slots=True)
class CodeList:
    """Rows by code; `columns` are the names after `code`, of which the first is `word`."""

    name: str
    source: str
    version: str
    date: date
    columns: tuple[str, ...]
    rows: dict[str, dict[str, str]]
    digest: str

    def word(self, code: str, column: str = "word") -> str | None:
        """Return what `column` says for `code`; None where the list has no such code or leaves the cell empty."""
        return self.rows.get(code, {}).get(column) or None


FindCodes = Callable[[str], CodeList]


def read_codes(file: Path) -> CodeList:
    """Read a code list of at most 256 KB; raise `MappingError` naming the line and the rule it breaks."""
    content = read_bytes(file)
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Place(file).wrong("is not UTF-8") from None
    comments = [line for line in lines if line.startswith("#")]
    about = _about(file, comments)
    if any(line.startswith("#") for line in lines[len(comments) :]):
        raise Place(file).wrong("lines that start with # stand before the columns")
    rows = _rows(file, lines, len(comments))
    columns = next(rows)[1]
    if columns[:2] != ["code", "word"] or len(set(columns)) != len(columns):
        raise Place(file, len(comments) + 1, 1).wrong("the columns are code, word, then any others, each once")
    found: dict[str, dict[str, str]] = {}
    for line, cells in rows:
        if len(cells) != len(columns) or any(len(cell) > MAX_CELL for cell in cells):
            raise Place(file, line, 1).wrong(
                f"has other columns than the first row, or a cell over {MAX_CELL} characters"
            )
        if not cells[0] or cells[0] in found:
            raise Place(file, line, 1).wrong("the code is empty or stands in the list already")
        found[cells[0]] = dict(zip(columns[1:], cells[1:], strict=True))
    return CodeList(
        name=file.stem,
        source=about["source"],
        version=about["version"],
        date=date.fromisoformat(about["date"]),
        columns=tuple(columns[1:]),
        rows=found,
        digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    )


def codes_in(folder: Path) -> FindCodes:
    """Return a look-up of the code lists in one folder; it raises `MappingError` for one that is not there."""

    def find(name: str) -> CodeList:
        return read_codes(folder / f"{name}.csv")

    return find


def _about(file: Path, comments: list[str]) -> dict[str, str]:
    pairs = (line.lstrip("# ").partition(":") for line in comments)
    about = {key.strip().lower(): value.strip() for key, _, value in pairs}
    for name in _HEADER:
        if not about.get(name):
            raise Place(file, 1, 1).wrong(f"the first lines must say '# {name}: …'")
    try:
        date.fromisoformat(about["date"])
    except ValueError:
        raise Place(file, 1, 1).wrong("the date is written as 2026-11-20") from None
    return about


def _rows(file: Path, lines: list[str], skip: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines[skip:], strict=True)
    empty = True
    try:
        for cells in reader:
            if cells:
                empty = False
                yield skip + reader.line_num, cells
    except csv.Error:
        raise Place(file, skip + reader.line_num, 1).wrong("is not csv: look for a quote that is not closed") from None
    if empty:
        raise Place(file).wrong("has no columns")
