"""Accepting shares: every promise once, nothing half kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from hub.domain.errors import Conflict, Unauthenticated
from hub.services.pack import pack, place
from hub.services.remember import OneTime, remember
from hub.services.submit import Acceptance, Kept, ReferenceTaken, accept
from tests.scenery import HOUSING, NOW, TREATMENT, Scene, Store, story

EVERYTHING = ("shares", "consents", "consent_events", "deliveries", "clocks", "replies", "audit_events", "seen")


def counts(store: Store) -> dict[str, int]:
    return {name: len(store.all(name)) for name in EVERYTHING}


def test_a_share_is_kept_whole(scene: Scene, store: Store) -> None:
    # given / when
    store.accept(scene.acceptance())
    # then: one share, and a consent, a delivery and five clocks for each of its two services
    found = counts(store)
    assert (found["shares"], found["consents"], found["deliveries"], found["clocks"]) == (1, 2, 2, 10)
    assert {row["state"] for row in store.all("deliveries")} == {"queued"}
    assert {row["action"] for row in store.all("audit_events")} == {"share.accepted", "delivery.accepted"}
    assert {name: len(ids) for name, ids in store.nudges.deliveries.items()} == {"housing": 1, "treatment": 1}


def test_the_parcel_that_is_kept_is_the_parcel_that_was_planned(scene: Scene, store: Store) -> None:
    # given
    accepted = store.accept(scene.acceptance())
    # when
    planned = {parcel.delivery_id: parcel.body for parcel in accepted.plan.parcels}
    key = scene.vault.unwrap(store.only("shares")["data_key"])
    # then
    kept = {
        row["id"]: key.open(row["parcel"], place("deliveries", "parcel", row["id"])) for row in store.all("deliveries")
    }
    assert kept == planned


def test_the_same_key_and_body_get_the_first_reply(scene: Scene, store: Store) -> None:
    # given
    first = store.accept(scene.acceptance(token="t1"))
    before = counts(store)
    # when
    again = store.one(accept, scene.acceptance(token="t2"))
    # then: nothing but the author's assertion is new
    assert isinstance(again, Kept)
    opened = scene.vault.unwrap(again.data_key).open(again.reply, place("replies", "reply", again.share_id))
    assert opened == pack(first.receipt)
    assert counts(store) == before | {"seen": 2}


def test_the_same_key_with_another_body_is_refused(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(body="one"))
    before = counts(store)
    # when
    again = store.one(accept, scene.acceptance(body="two"))
    # then
    assert isinstance(again, Conflict)
    assert again.refusal.type == "idempotency-key-reused"
    assert counts(store) == before | {"seen": 2}


def test_twins_in_one_batch_are_one_share(scene: Scene, store: Store) -> None:
    # given
    same = [scene.acceptance(token="t1"), scene.acceptance(token="t2"), scene.acceptance(token="t3", body="other")]
    # when
    first, twin, other = store.run(accept, *same)
    # then
    assert first is twin is same[0]
    assert isinstance(other, Conflict)
    assert counts(store)["shares"] == 1


def test_a_replayed_assertion_keeps_nothing(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance("key-1", token="t"))
    before = counts(store)
    # when
    replayed = store.one(accept, scene.acceptance("key-2", token="t"))
    # then
    assert isinstance(replayed, Unauthenticated)
    assert counts(store) == before


def test_a_replay_within_one_batch_is_a_replay(scene: Scene, store: Store) -> None:
    # given / when
    first, second = store.run(accept, scene.acceptance("key-1", token="t"), scene.acceptance("key-2", token="t"))
    # then
    assert isinstance(first, Acceptance)
    assert isinstance(second, Unauthenticated)


def test_a_taken_reference_is_drawn_again_with_the_same_assertion(scene: Scene, store: Store) -> None:
    # given: a share whose speakable reference another one will draw
    taken = scene.acceptance("key-1")
    store.accept(taken)
    wanted = scene.acceptance("key-2", token="t")
    wanted.rows["shares"][0]["reference"] = taken.plan.ids.reference
    object.__setattr__(wanted.plan.ids, "reference", taken.plan.ids.reference)
    # when
    refused = store.one(accept, wanted)
    # then: the request comes again under the next salt, and its author need not sign again
    assert isinstance(refused, ReferenceTaken)
    store.accept(scene.acceptance("key-2", token="t", salt=1))
    assert counts(store)["shares"] == 2


def test_two_shares_in_one_batch_never_share_a_reference(scene: Scene, store: Store) -> None:
    # given
    one, two = scene.acceptance("key-1"), scene.acceptance("key-2")
    object.__setattr__(two.plan.ids, "reference", one.plan.ids.reference)
    # when
    first, second = store.run(accept, one, two)
    # then
    assert first is one
    assert isinstance(second, ReferenceTaken)


def test_what_is_accepted_for_a_held_connection_waits(scene: Scene, store: Store) -> None:
    # given
    store.one(lambda tx, items: [tx.hold("housing", "unauthorised", NOW) for _ in items], None)
    # when
    store.accept(scene.acceptance())
    # then
    assert store.only("deliveries", service_id=HOUSING)["state"] == "held"
    assert store.only("deliveries", service_id=TREATMENT)["state"] == "queued"


def test_a_command_that_fails_keeps_nothing(scene: Scene, store: Store) -> None:
    # given: a delivery whose key another share has already
    accepted = store.accept(scene.acceptance("key-1"))
    before = counts(store)
    broken = scene.acceptance("key-2")
    broken.rows["deliveries"][0]["key"] = accepted.plan.parcels[0].key
    # when
    with pytest.raises(IntegrityError):
        store.one(accept, broken)
    # then
    assert counts(store) == before


def test_an_error_of_the_database_names_no_value(scene: Scene, store: Store) -> None:
    # given
    broken = scene.acceptance()
    broken.rows["shares"][0]["client_id"] = None
    # when
    with pytest.raises(IntegrityError) as failed:
        store.one(accept, broken)
    # then: the statement may be printed, what was bound to it may not (TH22)
    assert "SQL parameters hidden" in str(failed.value)
    assert [told for told in story() if told in str(failed.value)] == []


def test_one_time_tokens_work_once(store: Store) -> None:
    # given
    token = OneTime("author", "x", NOW)
    # when / then
    assert store.run(remember, token, token) == [True, False]
    assert store.run(remember, token) == [False]


def test_no_column_holds_the_story_in_clear(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance())
    # when: every value of every row, as the database would print it
    kept = "\n".join(repr(value) for name in EVERYTHING for row in store.all(name) for value in row.values())
    # then
    assert [told for told in story() if told in kept] == []
    assert "Sam" not in kept


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_database_file_holds_nothing_of_the_story(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance())
    # when: the file and its write-ahead log, byte for byte
    path = store.engine.url.database
    assert path
    kept = b"".join(Path(path + end).read_bytes() for end in ("", "-wal"))
    # then: an id that must be there is, so the right bytes were read
    assert store.only("shares")["id"].encode() in kept
    assert [told for told in story() if told.encode() in kept] == []
