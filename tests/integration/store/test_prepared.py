"""A prepared statement writes just what the statement itself would, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, select, update

from hub.store import prepared, tables
from hub.store.columns import Instant
from tests.scenery import Store

AT = datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=UTC)
_E = tables.audit_events
EVENTS = [
    {
        "at": AT + timedelta(seconds=number),
        "action": f"of.{number}",
        "actor": "hub:test",
        "share_id": None if number else "a" * 32,
        "detail": {"words": "é ☂", "number": number, "none": None},
        "kept_at": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    }
    for number in range(3)
]
_MOVE = (
    update(_E)
    .where(_E.c.action == bindparam("b_action"), _E.c.actor == "hub:test")
    .values(at=bindparam("b_at", type_=Instant()), position=bindparam("b_position"), hash="h")
)


@pytest.mark.parametrize("count", [1, 3])
def test_an_insert_is_read_back_as_it_was_given(store: Store, count: int) -> None:
    """One row and several: instants to the microsecond, documents, and what is not there."""
    given = EVENTS[:count]

    with store.engine.begin() as connection:
        prepared.insert(connection, _E, given)
        kept = connection.execute(select(_E).order_by(_E.c.id)).mappings().all()

    assert [{name: row[name] for name in given[0]} for row in kept] == given


@pytest.mark.parametrize("count", [1, 3])
def test_an_update_changes_what_its_own_statement_would(store: Store, count: int) -> None:
    """Values that the statement itself names, and values that come with each row."""
    moves = [{"b_action": f"of.{each}", "b_at": AT, "b_position": each + 1} for each in range(count)]
    with store.engine.begin() as connection:
        prepared.insert(connection, _E, EVENTS)
        prepared.change(connection, _MOVE, moves)
        kept = connection.execute(select(_E).order_by(_E.c.id)).mappings().all()

    assert [row["position"] for row in kept] == [1, 2, 3][:count] + [None] * (3 - count)
    assert [row["hash"] for row in kept] == ["h"] * count + [None] * (3 - count)
    assert [row["at"] for row in kept][:count] == [AT] * count


def test_nothing_given_is_nothing_done(store: Store) -> None:
    """No rows are no statement."""
    with store.engine.begin() as connection:
        prepared.insert(connection, _E, [])
        prepared.change(connection, _MOVE, [])

    assert store.all("audit_events") == []


def test_a_value_that_is_missing_is_never_written_as_nothing(store: Store) -> None:
    """A row that lacks a value fails, as it would with the statement itself."""
    with store.engine.begin() as connection, pytest.raises(KeyError):
        prepared.change(connection, _MOVE, [{"b_action": "of.1", "b_at": AT}])
    with store.engine.begin() as connection, pytest.raises(KeyError):
        prepared.insert(connection, _E, [EVENTS[0], {"at": AT}])
