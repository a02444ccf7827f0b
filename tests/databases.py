"""Databases for tests: a migrated SQLite file, copied for each test, and a PostgreSQL schema of the run's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from hub.store import tables
from hub.store.engine import open_engine, sqlite_url
from hub.store.migrate import upgrade

#: Where a PostgreSQL may be reached by a user who may make schemas.
_SERVER = os.environ.get("HUB_TEST_POSTGRES", "postgresql://postgres@127.0.0.1/test")


def migrated_file(folder: Path) -> Path:
    """Return a SQLite file at this version's schema, closed, ready to be copied."""
    path = folder / "migrated.db"
    engine = open_engine(sqlite_url(path))
    upgrade(engine)
    engine.dispose()
    return path


def copied(original: Path, folder: Path) -> Path:
    """Return a fresh copy of a closed SQLite file."""
    path = folder / f"{uuid4().hex}.db"
    shutil.copyfile(original, path)
    return path


@contextmanager
def postgres_database(*, migrated: bool = True) -> Iterator[str]:
    """Lend a schema of its own and drop it afterwards; without a server: skip at a desk, fail where CI is set."""
    name = f"hub_test_{uuid4().hex[:12]}"
    server = create_engine(_SERVER, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    except OperationalError:
        server.dispose()
        if os.environ.get("CI"):
            raise
        pytest.skip("no PostgreSQL here: set HUB_TEST_POSTGRES to one whose user may make schemas")
    # The schema is all that these connections see: to the hub it is a database.
    url = make_url(_SERVER).update_query_dict({"options": f"-csearch_path={name}"})
    try:
        whole = url.render_as_string(hide_password=False)
        if migrated:
            engine = open_engine(whole)
            upgrade(engine)
            engine.dispose()
        yield whole
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        server.dispose()


def empty(engine: Engine) -> None:
    """Delete every row of a PostgreSQL database."""
    names = ", ".join(f'"{table.name}"' for table in tables.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
