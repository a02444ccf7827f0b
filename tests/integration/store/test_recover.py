"""Recovering: what a killed process held under leases is looked at again at once, and never sent blindly."""

from __future__ import annotations

from datetime import timedelta

from hub.domain.outcome import Delivered
from hub.services.read_inbox import ReadInbox, pack_message, read_inbox
from hub.services.receive import Message
from hub.services.recover import Recover, Recovered, recover
from hub.services.settle_notices import ClaimNotices, claim_notices
from hub.services.sweep import Sweep, sweep
from hub.services.tell import notice_row
from tests.scenery import HOUSING, NOW, Scene, Store, settlement

LATER = NOW + timedelta(milliseconds=300)


def put_notice(tx, items):
    tx.insert("notices", [notice_row("email", "connection_held", "operator", NOW)])
    return list(items)


def test_what_was_being_sent_is_in_doubt_at_once_and_its_late_report_is_stale(scene: Scene, store: Store) -> None:
    # given a parcel that a process had claimed when it was killed
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    assert store.one(sweep, Sweep(LATER, LATER)).doubted == 0
    # when the next process recovers and sweeps
    found = store.one(recover, Recover(LATER))
    swept = store.one(sweep, Sweep(LATER, LATER))
    # then it is in doubt, to be asked about, and what the dead process might still report changes nothing
    assert (found, swept.doubted) == (Recovered(1, 0, 0), 1)
    assert store.state(claimed.delivery_id) == "in_doubt"
    assert store.one(scene.settle, settlement(claimed, Delivered("r-1"))) is False
    (doubt,) = store.claim(wall=LATER)
    assert doubt.in_doubt
    assert doubt.key == claimed.key
    assert store.only("audit_events", action="hub.recovered")["detail"] == {
        "deliveries": 1,
        "notices": 0,
        "messages": 0,
    }


def test_notices_and_messages_are_taken_up_again_at_once(scene: Scene, store: Store) -> None:
    # given a notice that was being sent and a message that was being read
    store.one(put_notice, None)
    store.one(scene.receive, Message("housing", "m" * 64, pack_message({}, b"{}"), (), NOW))
    taking = ClaimNotices("email", 10, NOW, NOW + timedelta(seconds=60))
    reading = ReadInbox("housing", 10, NOW, timedelta(seconds=30))
    assert [len(store.one(claim_notices, taking)), len(store.one(read_inbox, reading))] == [1, 1]
    taking_later = ClaimNotices("email", 10, LATER, LATER + timedelta(seconds=60))
    reading_later = ReadInbox("housing", 10, LATER, timedelta(seconds=30))
    assert store.one(claim_notices, taking_later) == store.one(read_inbox, reading_later) == []
    # when
    found = store.one(recover, Recover(LATER))
    # then
    assert found == Recovered(0, 1, 1)
    assert [len(store.one(claim_notices, taking_later)), len(store.one(read_inbox, reading_later))] == [1, 1]


def test_a_store_left_in_good_order_is_left_alone(scene: Scene, store: Store) -> None:
    # given one share that waits and one that was delivered
    store.accept(scene.acceptance("delivered", services=[HOUSING]))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Delivered("r-1")))
    store.accept(scene.acceptance("waiting", services=[HOUSING]))
    before = store.all("deliveries")
    # when
    found = store.one(recover, Recover(LATER))
    # then
    assert not found
    assert store.all("deliveries") == before
    assert store.all("audit_events", action="hub.recovered") == []
