"""A table as CSV that a spreadsheet opens without obeying it, and read from one without believing it (TH18)."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: What begins a formula in one spreadsheet or another; the wide forms become the narrow ones when they are opened.
_FORMULA = ("=", "+", "-", "@", "|", "%")
#: Columns, and characters of one field, that are read of a partner's file.
_MOST_COLUMNS, _MOST_FIELD = 100, 20_000


def harmless(value: Any) -> str:
    """Return a value as one line that is only ever read as text; a number, a date or a code is left as it is."""
    text = "" if value is None else " ".join(str(value).split())
    if text.lstrip("+-").replace(".", "", 1).isdecimal() and text.isascii():
        return text if not text.startswith(("+", "-")) else f"'{text}"
    begins = unicodedata.normalize("NFKC", text.lstrip("\ufeff\u200b\u200e\u200f'\" "))[:1]
    return f"'{text}" if begins in _FORMULA and begins else text


def write_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, headed: bool = True) -> str:
    """Return rows as CSV (RFC 4180), in the order of the columns; a name that a row lacks is an empty field."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    if headed:
        writer.writerow(columns)
    writer.writerows([harmless(row.get(name)) for name in columns] for row in rows)
    return made.getvalue()


def read_table(body: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file in UTF-8, named by its first line in lower case; raises `ValueError` on another."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise ValueError("not a CSV file in UTF-8") from None
    rows = [line for line in lines if any(field.strip() for field in line)]
    if not rows or len(rows[0]) > _MOST_COLUMNS:
        raise ValueError("not a table")
    names = [name.strip().lower() for name in rows[0]]
    if any(len(field) > _MOST_FIELD for row in rows for field in row):
        raise ValueError("a field is too long")
    return [dict(zip(names, (field.strip() for field in row), strict=False)) for row in rows[1:]]
