"""Rotation, on each database: every data key is wrapped anew, in batches, and what does not open stops nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from sqlalchemy import update

from hub.security.envelope import Envelope, header_of
from hub.security.keys import KeyRing, add_key_encryption_key
from hub.services.receive import Message
from hub.services.rotate import Rewrap, rewrap
from hub.store import tables
from hub.store.read_forgetting import wrapped_by_header
from tests.scenery import HOUSING, NOW, Scene, Store


def test_r59_every_table_with_a_data_key_is_known() -> None:
    assert {table.name for table in tables.WITH_DATA_KEY} >= {"shares", "inbox"}
    assert all("id" in table.c for table in tables.WITH_DATA_KEY)


def test_r59_every_data_key_is_wrapped_anew_and_opens_as_before(store: Store, tmp_path: Path) -> None:
    # given shares and messages under an old key, one that is forgotten, and one that does not open
    scene = Scene(tmp_path / "own")
    folder = scene.folder / "keys"
    old, length = KeyRing.load(folder).active_kid, len(header_of(KeyRing.load(folder).active_kid))
    for number in range(7):
        store.accept(scene.acceptance(f"key-{number}", services=[HOUSING]))
        store.one(scene.receive, Message("housing", f"{number}" * 64, b"a message", (), NOW))
    forgotten, damaged, *sound = [row["id"] for row in store.all("shares")]
    with store.engine.begin() as connection:
        of = tables.shares
        connection.execute(update(of).where(of.c.id == forgotten).values(data_key=None))
        connection.execute(update(of).where(of.c.id == damaged).values(data_key=header_of("gone0000") + b"x" * 60))
    assert wrapped_by_header(store.engine, length) == {header_of(old): 12, header_of("gone0000"): 1}
    # when all are wrapped anew, three at a time
    kid = add_key_encryption_key(folder)
    vault = Envelope(KeyRing.load(folder))
    verb, counts = partial(rewrap, vault=vault), []
    for table in tables.WITH_DATA_KEY:
        after: str | None = ""
        while after is not None:
            done = store.one(verb, Rewrap(table.name, after, 3))
            counts.append((done.count, done.damaged))
            after = done.last
    # then the new key wraps them, also for who knows the new key alone; what is gone stays gone
    assert wrapped_by_header(store.engine, length) == {header_of(kid): 12, header_of("gone0000"): 1}
    assert sum(count for count, _ in counts) == 12
    assert sum(damaged for _, damaged in counts) == 1
    assert all(count + damaged <= 3 for count, damaged in counts)
    for share_id in sound:
        (delivery,) = store.all("deliveries", share_id=share_id)
        data_key = vault.unwrap(store.only("shares", id=share_id)["data_key"])
        assert data_key.open(delivery["parcel"], f"deliveries|parcel|{delivery['id']}").startswith(b"{")
    assert store.only("shares", id=forgotten)["data_key"] is None
