"""Holding a connection: whoever comes first tells the operator, and nobody else does."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from hub.services.hold import Hold, Resume, hold, resume
from hub.store.transaction import StoreTransaction
from tests.scenery import NOW, Store


def test_a_connection_is_held_once(store: Store) -> None:
    item = Hold("housing", "unauthorised", "operator:cli", NOW)
    assert store.run(hold, item, item) == [True, False]
    assert store.one(resume, Resume("housing", "operator:cli", NOW)) == 0
    assert store.one(hold, item) is True


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_of_two_processes_that_hold_it_at_once_one_is_first(store: Store) -> None:
    # given a connection that was held and resumed before, and a process that is about to commit its hold
    item = Hold("housing", "unauthorised", "operator:cli", NOW)
    store.one(hold, item)
    store.one(resume, Resume("housing", "operator:cli", NOW))
    results: list[Any] = []
    other = threading.Thread(target=lambda: results.append(store.one(hold, item)))
    with store.engine.begin() as connection:
        first = hold(StoreTransaction(connection), [item])
        # when another does so before that commit
        other.start()
        other.join(timeout=0.5)
        waited = other.is_alive()
    other.join(timeout=30)
    # then it waits, and finds it held
    assert (first, waited, results) == ([True], True, [False])
