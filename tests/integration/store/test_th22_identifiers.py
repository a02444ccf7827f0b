"""TH22: people and what was agreed are found by keyed hashes alone; no table holds what they were called."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from hub.domain.answer import Answer, AnswerState
from hub.domain.calendar import england_and_wales
from hub.domain.outcome import Delivered
from hub.domain.share import Person
from hub.services.decide import Sender
from hub.services.plan import derive_ids, plan
from hub.services.receipt import receipt
from hub.services.receive import Message
from hub.services.record_heard import Heard
from hub.services.remember import OneTime
from hub.services.submit import prepare
from hub.store import tables
from tests.scenery import HOUSING, NOW, SENDER, Scene, Store, settlement

#: What each identifier is called outside, and where its keyed hash stands: table, column, purpose, what is hashed.
MARKS = {name: f"mark-of-the-{name}" for name in ("person", "trusted-person", "author", "agreement", "receipt", "key")}
HASHED = {
    "person": ("shares", "person", "person", f"{SENDER}|{MARKS['person']}"),
    "trusted-person": ("shares", "trusted_person", "trusted-person", f"{SENDER}|{MARKS['trusted-person']}"),
    "author": ("consent_events", "author", "author", f"{SENDER}|{MARKS['author']}"),
    "agreement": ("consents", "agreement", "agreement", f"{SENDER}|{MARKS['person']}|{MARKS['agreement']}|{HOUSING}"),
    "receipt": ("deliveries", "receipt", "receipt", MARKS["receipt"]),
    "key": ("replies", "key", "idempotency", f"{SENDER}|{MARKS['key']}"),
}


@pytest.fixture
def told(scene: Scene, store: Store) -> Store:
    """A store with one share that every mark went into: sent, taken, answered by message and by telephone."""
    share = replace(scene.share, services=[HOUSING], person=Person(MARKS["person"]))
    share = replace(
        share,
        trusted_person=replace(share.trusted_person, reference=MARKS["trusted-person"]),
        consents=[replace(each, reference=MARKS["agreement"]) for each in share.consents if each.service == HOUSING],
    )
    sender = Sender(scene.directory.partners[SENDER], "day-centre-system", MARKS["author"])
    ids = derive_ids(scene.vault, SENDER, MARKS["key"])
    planned = plan(share, sender, ids, scene.directory, scene.mappings, NOW, england_and_wales())
    once = OneTime("author", "f" * 64, NOW + timedelta(hours=1))
    store.accept(prepare(planned, scene.vault, scene.directory, NOW, MARKS["key"], "b" * 64, receipt(planned), once))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Delivered(MARKS["receipt"])))
    answer = Answer(AnswerState.ACCEPTED, owner=MARKS["author"])
    item = Heard(
        claimed.delivery_id, SENDER, "day-centre-system", answer, "phone", "Jo", "Ana", date(2026, 11, 20), NOW, NOW
    )
    assert store.one(scene.record_heard, item) is None
    store.one(scene.receive, Message("housing", "m" * 64, MARKS["receipt"].encode(), (), NOW))
    return store


def test_th22_no_table_holds_an_identifier_in_clear(told: Store) -> None:
    for name in tables.metadata.tables:
        kept = repr([list(row.values()) for row in told.all(name)])
        assert [mark for mark in MARKS.values() if mark in kept] == [], name


@pytest.mark.parametrize("name", HASHED)
def test_th22_an_identifier_is_found_by_its_keyed_hash(scene: Scene, told: Store, name: str) -> None:
    table, column, purpose, value = HASHED[name]
    assert [row[column] for row in told.all(table)] == [scene.vault.digest(purpose, value)]


def test_th22_an_error_of_the_database_shows_none_of_the_values_it_was_given(store: Store) -> None:
    # given a row that the database refuses
    fact = {"name": "canary-name", "value": "canary-value"}
    with store.engine.begin() as connection:
        connection.execute(tables.facts.insert(), fact)
    # when / then: its error names no value that SQLAlchemy bound
    with pytest.raises(IntegrityError) as raised, store.engine.begin() as connection:
        connection.execute(tables.facts.insert(), fact)
    assert "canary-value" not in str(raised.value)
