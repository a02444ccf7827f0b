"""Statements that run over and over: compiled once for a database and its columns, then given bare values to run with.

What a transaction keeps of a share is some thirty rows in ten tables: the work around each statement would cost more
than the database's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import Insert, Update

from hub.store.fetch import Row

Write = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Value:
    """One place in a statement: the name it is given by, how its type writes it, and what the statement itself says."""

    name: str
    write: Write | None
    is_given: bool
    constant: Any

    def of(self, rows: Sequence[Row]) -> list[Any]:
        """Return what stands in this place, row after row."""
        name, write = self.name, self.write
        given = [row[name] for row in rows] if self.is_given else [self.constant] * len(rows)
        return given if write is None else [write(value) for value in given]


@dataclass(frozen=True, slots=True)
class _Prepared:
    sql: str
    values: tuple[_Value, ...]
    positional: bool

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        columns = [value.of(rows) for value in self.values]
        parameters: list[Any] = list(zip(*columns, strict=True))
        if not self.positional:
            names = [value.name for value in self.values]
            parameters = [dict(zip(names, each, strict=True)) for each in parameters]
        connection.exec_driver_sql(self.sql, parameters if len(parameters) > 1 else parameters[0])


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns; what a column's default gives must be there already."""
    if rows:
        _prepared(_inserts(table), connection.dialect, tuple(rows[0])).run(connection, rows)


def change(connection: Connection, statement: Update, rows: Sequence[Row]) -> None:
    """Run an update once for each row of values, which all have the same names."""
    if rows:
        _prepared(statement, connection.dialect, None).run(connection, rows)


@lru_cache(maxsize=256)
def _inserts(table: Table) -> Insert:
    return table.insert()


@lru_cache(maxsize=1024)
def _prepared(statement: Insert | Update, dialect: Dialect, columns: tuple[str, ...] | None) -> _Prepared:
    compiled: Any = statement.compile(dialect=dialect, column_keys=None if columns is None else list(columns))
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    order = compiled.positiontup if compiled.positional else list(binds)
    values = [
        _Value(name, bind.type.dialect_impl(dialect).bind_processor(dialect), bind.required, bind.value)
        for name, bind in ((name, binds[name]) for name in order)
    ]
    return _Prepared(compiled.string, tuple(values), bool(compiled.positional))
