"""Many rows at once: what a sweep raises goes in by one COPY, or one prepared statement, with no work for each row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import JSON, Column, Connection, Table

from hub.store.columns import EPOCH, Instant
from hub.store.fetch import Row

#: Fewer than these are not worth it.
WORTH_IT: Final = 100
_SECOND: Final = 1_000_000


def insert_many(connection: Connection, table: Table, new: Sequence[Row]) -> None:
    """Insert rows that all have the same columns; what a column's default gives must be there already."""
    names = list(new[0])
    values = list(zip(*(_written(table.c[name], [row[name] for row in new]) for name in names), strict=True))
    quoted = ", ".join(f'"{name}"' for name in names)
    if connection.dialect.name == "postgresql":
        cursor: Any = connection.connection.cursor()
        statement = f'COPY "{table.name}" ({quoted}) FROM STDIN'  # the names are the tables' own
        with cursor, cursor.copy(statement) as copy:
            for each in values:
                copy.write_row(each)
        return
    marks = ", ".join("?" for _ in names)
    statement = f'INSERT INTO "{table.name}" ({quoted}) VALUES ({marks})'  # noqa: S608 - as above
    connection.exec_driver_sql(statement, values)


def _written(column: Column[Any], values: list[Any]) -> list[Any]:
    """Return one column's values as its type would write them."""
    if isinstance(column.type, Instant):
        written = {value: _instant(value) for value in set(values)}  # a sweep's are nearly all the same instant
        return [written[value] for value in values]
    if isinstance(column.type, JSON):
        return [json.dumps(value) for value in values]
    return [value.value if isinstance(value, Enum) else value for value in values]


def _instant(value: datetime | None) -> int | None:
    if value is None:
        return None
    since = value - EPOCH
    return (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds
