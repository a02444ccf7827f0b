"""Open a database the way that loses nothing: SQLite with its safe pragmas, PostgreSQL as it comes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
from sqlalchemy.pool import QueuePool

#: `Engine` is named here so that whoever hands one on need not import the library.
__all__ = ["Engine", "UnsafeDatabase", "explain", "is_safe", "open_engine", "sqlite_url", "without_password"]

#: SQLite versions whose write-ahead log could lose committed transactions (fixed in 3.51.3, 3.50.7, 3.44.6).
_WAL_RESET_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


#: The log is copied into the file each time it has grown by so many pages (16 MB): ids are random, so commits touch the
#: same pages of the indexes again, and a longer log copies them once. A commit is as durable with any length.
_CHECKPOINT_PAGES = 4000


class UnsafeDatabase(Exception):
    """This database library can lose what was committed: install the one the hub asks for."""


def open_engine(url: str, *, reader: bool = False, busy_ms: int = 5000, pool_size: int = 4) -> Engine:
    """Return an engine; SQL errors never print the values bound to them (TH22)."""
    options: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": pool_size,
        "max_overflow": 0,
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, **options)
    module = _sqlite()
    engine = create_engine(
        url, module=module, poolclass=QueuePool, connect_args={"check_same_thread": False, "timeout": 0}, **options
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: BEGIN IMMEDIATE below is the only way in.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _pragmas(reader, busy_ms):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if reader else "BEGIN IMMEDIATE")

    return engine


def _pragmas(reader: bool, busy_ms: int) -> tuple[str, ...]:
    return (
        f"busy_timeout={busy_ms}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "trusted_schema=OFF",
        f"wal_autocheckpoint={0 if reader else _CHECKPOINT_PAGES}",
        "cache_size=-16000",
        f"query_only={'ON' if reader else 'OFF'}",
    )


def _sqlite() -> Any:
    try:
        import pysqlite3 as module  # noqa: PLC0415 - where there is no wheel, the standard library's may be safe
    except ImportError:
        module = sqlite3
    version = tuple(int(part) for part in module.sqlite_version.split("."))
    if not is_safe(version):
        raise UnsafeDatabase(
            f"SQLite {module.sqlite_version} can lose committed shares; install pysqlite3 or SQLite 3.51.3 or later"
        )
    return module


def is_safe(version: tuple[int, ...]) -> bool:
    """Tell whether a SQLite version is free of the write-ahead log's reset defect."""
    newest = _WAL_RESET_FIXED[0]
    return version >= newest or any(version[:2] == fixed[:2] and version >= fixed for fixed in _WAL_RESET_FIXED)


def without_password(url: str) -> str:
    """Return a database's URL as it may be shown."""
    return make_url(url).render_as_string(hide_password=True)


def explain(error: Exception) -> str | None:
    """Return what a database's error means and what to do; None for one that is not a database's."""
    match error:
        case OperationalError():
            return (
                "the database does not answer, or has no tables yet: start the database, or check [store] in hub.toml; "
                "`hub serve` makes its tables"
            )
        case ProgrammingError():
            return "the database has no tables of this version: run `hub serve` once, it brings them up to date"
        case ArgumentError():
            return "hub.toml: store.url is not a database's URL"
    return None


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"
