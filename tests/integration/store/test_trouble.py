"""A database in trouble: the hub says that it cannot promise anything now, and goes on when the trouble is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text

from hub.domain.errors import HubError, Unavailable
from hub.services.remember import OneTime, remember
from hub.store.engine import open_engine, sqlite_url
from hub.store.read_due import due_deliveries
from hub.store.trouble import read_or_unavailable
from hub.store.writer import Writer
from tests.databases import copied
from tests.scenery import NOW

_END = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name")


def with_query(url: str, **values: str) -> str:
    return make_url(url).update_query_dict(values).render_as_string(hide_password=False)


def token(name: str) -> OneTime:
    return OneTime("author", name, NOW)


def run(writer: Writer, name: str) -> Any:
    """Have a writer keep one token, and return what it said or raised."""
    try:
        return writer.submit(remember, token(name)).result(timeout=20)
    except HubError as error:
        return error


@pytest.fixture
def path(migrated: Path, tmp_path: Path) -> Path:
    """A SQLite file of this test's own."""
    return copied(migrated, tmp_path)


def test_a_file_that_may_only_be_read_keeps_nothing_and_says_so(path: Path) -> None:
    # given a writer on a connection that may not write
    writer = Writer(open_engine(sqlite_url(path), reader=True))
    writer.start()
    # when several commands wait together
    futures = [writer.submit(remember, token(f"t-{number}")) for number in range(5)]
    # then each is told that the store is unavailable, with what to do next
    errors = [future.exception(timeout=20) for future in futures]
    writer.close()
    assert {type(error) for error in errors} == {Unavailable}
    assert isinstance(errors[0], Unavailable)
    assert (errors[0].refusal.type, errors[0].refusal.origin) == ("store-unavailable", "hub")


def test_a_file_that_another_program_holds_passes_when_it_lets_go(path: Path) -> None:
    # given another program that holds the file, as a backup tool may
    other = open_engine(sqlite_url(path))
    engine = open_engine(sqlite_url(path), busy_ms=20)
    writer = Writer(engine)
    writer.start()
    with other.begin():
        # when something is to be kept, then it cannot be
        assert isinstance(run(writer, "held"), Unavailable)
    # and once it lets go, the same command is kept
    assert run(writer, "held") is True
    assert run(writer, "held") is False
    writer.close()
    engine.dispose()
    other.dispose()


def test_a_lost_connection_fails_one_command_and_is_made_again(postgres: str) -> None:
    # given a writer whose connection the server ends, as a restart or a failover does
    name = f"hub-test-{uuid4().hex[:12]}"
    engine = open_engine(with_query(postgres, application_name=name))
    writer = Writer(engine)
    writer.start()
    assert run(writer, "lost-1") is True
    other = open_engine(postgres)
    with other.begin() as connection:
        # The server is shared: only this writer's own connection is ended.
        ended = connection.execute(_END, {"name": name}).all()
    assert len(ended) == 1
    # when something is to be kept, then the caller is told to try again, and the next try is kept
    assert isinstance(run(writer, "lost-2"), Unavailable)
    assert run(writer, "lost-2") is True
    writer.close()
    engine.dispose()
    other.dispose()


def test_a_server_that_only_reads_keeps_nothing_and_says_so(postgres: str) -> None:
    # given a server that became a standby
    options = f"{make_url(postgres).query['options']} -cdefault_transaction_read_only=on"
    engine = open_engine(with_query(postgres, options=options))
    writer = Writer(engine)
    writer.start()
    # when something is to be kept, then it cannot be
    assert isinstance(run(writer, "read-only"), Unavailable)
    writer.close()
    engine.dispose()


def test_a_database_that_is_away_is_no_defect_of_a_read() -> None:
    engine = open_engine("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    with pytest.raises(Unavailable):
        read_or_unavailable(due_deliveries, engine, NOW, ["housing"])
