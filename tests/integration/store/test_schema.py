"""The schema: what the migrations make is what the tables say, and states that nobody knows are refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Engine, LargeBinary, inspect, update
from sqlalchemy.exc import IntegrityError

from hub.store import tables
from hub.store.columns import Instant
from hub.store.engine import is_safe, open_engine, sqlite_url
from hub.store.migrate import upgrade
from tests.databases import postgres_database
from tests.scenery import Scene, Store


def test_the_migrations_make_what_the_tables_say(store: Store) -> None:
    # given / when
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": _differs, "compare_server_default": True}
        )
        found = compare_metadata(context, tables.metadata)
    # then
    assert found == []


def _differs(_context: Any, _inspected: Any, column: Any, database_type: Any, of_table: Any) -> bool | None:
    """An instant is a whole number in the database."""
    return not isinstance(database_type, type(of_table.impl_instance)) if isinstance(of_table, Instant) else None


def test_every_check_of_the_tables_is_in_the_database(store: Store) -> None:
    # given: compare_metadata does not look at checks
    wanted = {
        (table.name, constraint.name)
        for table in tables.metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    # when
    inspector = inspect(store.engine)
    found = {(name, each["name"]) for name in tables.metadata.tables for each in inspector.get_check_constraints(name)}
    # then
    assert wanted <= found
    assert len(wanted) >= 10


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("deliveries", "state"),
        ("deliveries", "answer_state"),
        ("deliveries", "kind"),
        ("consents", "state"),
        ("clocks", "state"),
    ],
)
def test_a_state_that_nobody_knows_is_refused(scene: Scene, store: Store, table: str, column: str) -> None:
    # given
    store.accept(scene.acceptance())
    before = store.all(table)
    # when
    with pytest.raises(IntegrityError), store.engine.begin() as connection:
        connection.execute(update(tables.metadata.tables[table]).values({column: "lost"}))
    # then
    assert store.all(table) == before


def test_a_delivery_without_its_share_is_refused(scene: Scene, store: Store) -> None:
    # given
    rows = scene.acceptance().rows["deliveries"]
    # when / then
    with pytest.raises(IntegrityError), store.engine.begin() as connection:
        connection.execute(tables.deliveries.insert(), rows)


def test_upgrading_twice_changes_nothing(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance())
    before = store.all("deliveries")
    # when
    upgrade(store.engine)
    # then
    assert store.all("deliveries") == before


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Engine]]:
    """Three engines on one database that has nothing in it yet."""
    if request.param == "sqlite":
        engines = [open_engine(sqlite_url(tmp_path / "bare.db")) for _ in range(3)]
        yield engines
        for engine in engines:
            engine.dispose()
        return
    with postgres_database(migrated=False) as url:
        engines = [open_engine(url) for _ in range(3)]
        yield engines
        for engine in engines:
            engine.dispose()


def test_processes_that_start_together_migrate_once(bare: list[Engine]) -> None:
    # given: Alembic keeps its context in one place a process, so that here they take turns to ask
    first, *others = bare
    # when
    upgrade(first)
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(upgrade, others))
    # then
    assert set(inspect(first).get_table_names()) == {*tables.metadata.tables, "alembic_version"}


def test_what_is_sealed_is_bytes_and_nothing_else_is() -> None:
    """A column that holds a person's words must be one that cannot hold text."""
    sealed = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert sealed >= {
        "shares.sender", "deliveries.parcel", "deliveries.sealed_receipt", "answers.said", "inbox.message",
        "replies.reply", "shares.data_key", "inbox.data_key",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("version", "safe"),
    [((3, 51, 3), True), ((3, 52, 0), True), ((3, 51, 2), False), ((3, 50, 7), True), ((3, 50, 6), False),
     ((3, 44, 6), True), ((3, 45, 0), False), ((3, 40, 1), False)],
)  # fmt: skip
def test_a_sqlite_that_may_lose_commits_is_known(version: tuple[int, ...], safe: bool) -> None:
    assert is_safe(version) is safe


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_sqlite_is_opened_so_that_nothing_is_lost(store: Store) -> None:
    with store.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
    }


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_reader_cannot_write(scene: Scene, store: Store, url: str) -> None:
    # given
    store.accept(scene.acceptance())
    reader = open_engine(url, reader=True)
    # when / then
    with pytest.raises(Exception, match="readonly"), reader.begin() as connection:
        connection.execute(update(tables.shares).values(urgent=True))
    reader.dispose()
