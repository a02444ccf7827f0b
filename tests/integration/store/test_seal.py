"""Sealing: every event gets one place, whoever seals and in whatever order commits are seen; no audit, no send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text, update

from hub.domain.audit import LATE
from hub.domain.audit_check import check
from hub.domain.errors import Unavailable
from hub.security.checkpoints import CheckpointSigner, checkpoint_keys, is_signed_by
from hub.security.keys import KeyRing
from hub.services.claim import claim
from hub.services.export_log import export_log
from hub.services.record_read import Read, record_read
from hub.services.seal import Seal, Unsealed, seal, tell_unsealed
from hub.store import read_audit, tables
from hub.store.engine import open_engine
from hub.store.writer import Writer
from tests.scenery import NOW, Scene, Store, claim_of


@pytest.fixture(scope="module")
def ring(scene: Scene) -> KeyRing:
    """The keys of the scene."""
    return KeyRing.load(scene.folder / "keys")


def sealing(ring: KeyRing) -> object:
    """The verb, bound as bootstrap binds it."""
    return partial(seal, sign=CheckpointSigner(ring))


def item(limit: int = 1000) -> Seal:
    """One round."""
    return Seal(datetime.now(UTC), uuid4().hex, limit)


def verdict(engine: Engine, ring: KeyRing) -> object:
    """Check the whole log of a database."""
    newest = read_audit.newest_checkpoint(engine)
    assert newest is not None
    keys = checkpoint_keys(ring.jwks())
    most = newest["position"]
    lines = export_log(newest["chain"], keys, read_audit.events(engine, most), read_audit.checkpoints(engine, most))
    return check(next(lines), lines, is_signed_by(keys))


def reads(store: Store, number: int) -> None:
    """Keep so many events."""
    store.run(record_read, *[Read("share.read", "client:x", NOW, detail={"n": each}) for each in range(number)])


def test_what_was_kept_is_sealed_in_order_and_once(ring: KeyRing, store: Store) -> None:
    # given a few rounds, one of which finds nothing
    counts = []
    for number in (3, 0, 2):
        reads(store, number)
        counts.append(store.one(sealing(ring), item()).count)
    # then each event has one place, and the log is whole
    assert counts == [3, 0, 2]
    assert [row["position"] for row in store.all("audit_events")] == [1, 2, 3, 4, 5]
    assert [row["position"] for row in store.all("checkpoints")] == [0, 3, 5]
    assert len({row["chain"] for row in store.all("checkpoints")}) == 1
    assert verdict(store.engine, ring).verified


def test_a_round_takes_no_more_than_it_is_given(ring: KeyRing, store: Store) -> None:
    reads(store, 5)
    assert [store.one(sealing(ring), item(2)).count for _ in range(4)] == [2, 2, 1, 0]
    assert verdict(store.engine, ring).position == 5


def test_a_changed_row_is_found_in_the_database(ring: KeyRing, store: Store) -> None:
    # given a sealed log, and someone with a database's password
    reads(store, 6)
    store.one(sealing(ring), item())
    with store.engine.begin() as connection:
        events = tables.audit_events
        connection.execute(update(events).where(events.c.position == 4).values(actor="client:y"))
    # then that one is named
    assert [(each.code, each.position) for each in verdict(store.engine, ring).findings] == [("changed", 4)]
    # and one that is gone too
    with store.engine.begin() as connection:
        connection.execute(events.delete().where(events.c.position == 2))
    assert ("out-of-order", 3) in [(each.code, each.position) for each in verdict(store.engine, ring).findings]


def test_processes_that_seal_at_once_make_one_chain(ring: KeyRing, store: Store, url: str) -> None:
    # given two writers that write and seal as fast as they can (SQLite: one after the other)
    engines = [open_engine(url) for _ in range(2)]
    writers = [Writer(engine) for engine in engines]
    verb = sealing(ring)

    def work(writer: Writer) -> None:
        for number in range(60):
            writer.submit(record_read, Read("share.read", "client:x", NOW, detail={"n": number}))
            writer.submit(verb, item(7)).result(30)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in writers]
    for writer in writers:
        writer.start()
    # when they are done, and what is left is sealed
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for writer in writers:
        writer.close()
    for engine in engines:
        engine.dispose()
    while store.one(verb, item()).count:
        pass
    # then there is one chain without a gap, of every event
    found = verdict(store.engine, ring)
    assert (found.findings, found.position) == ([], 120)
    assert sorted(row["position"] for row in store.all("audit_events")) == list(range(1, 121))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_who_finds_another_sealing_leaves_it_to_them_and_sees_what_is_late(
    ring: KeyRing, store: Store, url: str
) -> None:
    # given a process that seals and has not committed
    reads(store, 1)
    store.one(sealing(ring), item())
    reads(store, 1)
    other = open_engine(url)
    with other.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock('checkpoints'::regclass::oid::bigint)"))
        # when a round is due, then it waits for nobody, and knows whether anything has waited too long
        found = store.one(sealing(ring), item())
        assert (found.count, found.checkpoint.position, found.late) == (0, 1, False)
        later = replace(item(), wall=datetime.now(UTC) + LATE)
        assert store.one(sealing(ring), later).late
    other.dispose()
    # and the next round goes on
    assert store.one(sealing(ring), item()).count == 1


def test_nothing_is_claimed_while_an_event_waits_too_long_for_its_seal(
    ring: KeyRing, scene: Scene, store: Store
) -> None:
    # given a share, and an event of its own that nobody has sealed for more than a minute
    store.accept(scene.acceptance())
    wall = datetime.now(UTC) + LATE + timedelta(seconds=1)
    due = replace(claim_of(wall=wall), unsealed_for=LATE)
    # then nothing goes
    assert store.one(claim, due) == []
    # and once it is sealed, all goes on
    store.one(sealing(ring), item())
    assert len(store.one(claim, due)) == 1


def test_the_operator_is_told_once_a_day(store: Store) -> None:
    for hours in (0, 1, 23, 25):
        store.one(tell_unsealed, Unsealed(NOW + timedelta(hours=hours)))
    told = store.all("notices")
    assert [(row["topic"], row["recipient"]) for row in told] == [("audit.unsealed", "operator")] * 2


@contextmanager
def no_audit(engine: Engine) -> Iterator[None]:
    """Let every insert of an audit event fail, as a full or broken disk might."""
    sqlite = engine.dialect.name == "sqlite"
    fails = (
        ["CREATE TRIGGER no_audit BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no'); END"]
        if sqlite
        else [
            "CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
            "CREATE TRIGGER no_audit BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION no_audit()",
        ]
    )
    mends = ["DROP TRIGGER no_audit"] if sqlite else ["DROP FUNCTION no_audit() CASCADE"]
    with engine.begin() as connection:
        for statement in fails:
            connection.execute(text(statement))
    try:
        yield
    finally:
        with engine.begin() as connection:
            for statement in mends:
                connection.execute(text(statement))


def test_no_audit_no_claim(scene: Scene, store: Store) -> None:
    # given a share that is due, and a writer that lives through it all
    share = store.accept(scene.acceptance())
    (delivery,) = [row["id"] for row in share.rows["deliveries"] if row["service_id"] == "city-housing-options"]
    engine = open_engine(store.engine.url.render_as_string(hide_password=False))
    writer = Writer(engine)
    writer.start()
    with no_audit(store.engine):
        # when its claim cannot be written down, then it is not claimed
        with pytest.raises(Unavailable, match="audit-unavailable"):
            writer.submit(claim, claim_of()).result(10)
        assert store.state(delivery) == "queued"
        assert store.only("deliveries", id=delivery)["attempt"] == 0
    # and the same writer goes on by itself
    assert len(writer.submit(claim, claim_of()).result(10)) == 1
    writer.close()
    engine.dispose()
