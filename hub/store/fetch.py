"""Fetch rows as plain mappings by column name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import Connection, Executable

Row = Mapping[str, Any]


def rows(connection: Connection, statement: Executable, values: Mapping[str, Any] | None = None) -> list[Row]:
    """Run a query and return every row."""
    return cast("list[Row]", connection.execute(statement, dict(values or {})).mappings().all())


def row(connection: Connection, statement: Executable, values: Mapping[str, Any] | None = None) -> Row | None:
    """Run a query and return its first row, if any."""
    return cast("Row | None", connection.execute(statement, dict(values or {})).mappings().first())
