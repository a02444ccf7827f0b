"""Column types shared by the tables: instants as whole microseconds, and states as checked text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """A UTC instant kept as microseconds since 1970, the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None:
            return None
        since = value - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else EPOCH + timedelta(microseconds=value)


def identifier(name: str = "id", **options: Any) -> Column[str]:
    """Return a primary key column that holds a UUID as 32 hex digits."""
    return Column(name, String(32), primary_key=True, **options)


def sealed(name: str, *, nullable: bool = False) -> Column[bytes]:
    """Return a column that holds only ciphertext."""
    return Column(name, LargeBinary, nullable=nullable)


def wrapped_key() -> Column[bytes]:
    """Return the column of a row's data key, wrapped under one of the hub's own; without it nothing sealed opens."""
    return Column("data_key", LargeBinary, nullable=True)


def states(column: str, members: type[StrEnum]) -> CheckConstraint:
    """Return the check that a state column holds a member of its table of moves, and nothing else."""
    in_order = ", ".join(f"'{member}'" for member in members)
    return CheckConstraint(f"{column} IN ({in_order})", name=f"{column}_listed")


def listed(members: Iterable[str]) -> str:
    """Return states as SQL lists them, always in the same order: a partial index serves only the very same text."""
    return ", ".join(f"'{member}'" for member in sorted(members))
