"""What a withdrawal sends to whoever may have a share: please stop using it, once, last, with none of it (R15)."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import update

from hub.domain.delivery import ENDED, DeliveryState
from hub.domain.outcome import Delivered, InDoubt, Rejected, RetryLater
from hub.services.settle import Died
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import Withdrawn
from hub.store import tables
from tests.following import STOP, Verbs, bind, carrying, document, sent, telling
from tests.scenery import HOUSING, NOW, TREATMENT, Scene, Store, settlement, story


@pytest.mark.parametrize(
    "outcome", [None, Delivered("r"), InDoubt("no-reply"), RetryLater("busy"), Rejected("no")], ids=str
)
def test_r15_whoever_may_have_it_is_asked_to_stop(scene: Scene, store: Store, verbs: Verbs, outcome: Any) -> None:
    # given a share that may have reached housing
    accepted, claimed = sent(scene, store, outcome)
    original = store.only("deliveries")
    # when
    done = store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then one request to stop goes the same way, in the same case, and tells nothing of the story
    assert done.asked == (HOUSING,)
    stop = store.only("deliveries", kind=STOP)
    for name in ("share_id", "consent_id", "service_id", "connection_id", "case", "address", "mapping"):
        assert stop[name] == original[name], name
    assert (stop["after"], stop["linked_to"], stop["state"]) == (claimed.delivery_id, claimed.delivery_id, "queued")
    made = document(scene, store, stop)
    assert (made["key"], made["kind"], made["follows"]) == (stop["key"], STOP, original["key"])
    assert made["reference"] == accepted.plan.ids.reference
    assert [told for told in story() if told in json.dumps(made)] == []
    # and its own clocks run, to an answer
    assert [row["level"] for row in store.all("clocks", delivery_id=stop["id"])] == [0, 1, 2, 3]
    assert store.only("audit_events", delivery_id=stop["id"])["detail"]["follows"] == original["id"]
    assert store.nudges.deliveries == {"housing": [stop["id"]]}


def test_r15_what_never_left_asks_nobody(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given
    accepted = store.accept(scene.acceptance())
    # when
    done = store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then
    assert (set(done.stopped), done.asked) == ({HOUSING, TREATMENT}, ())
    assert store.all("deliveries", kind=STOP) == []


def test_r15_a_repeat_asks_nobody_twice_and_says_the_same(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given
    accepted, _ = sent(scene, store, Delivered("r"))
    item = scene.withdrawal(accepted.plan.ids.record)
    first = store.one(verbs.withdraw, item)
    before = len(store.all("audit_events"))
    # when
    again = store.run(verbs.withdraw, item, item)
    # then
    assert again == [first, first]
    assert len(store.all("deliveries", kind=STOP)) == 1
    assert len(store.all("audit_events")) == before


def test_r15_a_request_that_could_not_be_delivered_was_not_made(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a request to stop that was refused
    accepted, _ = sent(scene, store, Delivered("r"))
    item = scene.withdrawal(accepted.plan.ids.record)
    store.one(verbs.withdraw, item)
    (stop,) = store.claim()
    store.one(scene.settle, settlement(stop, Rejected("no")))
    # when it is withdrawn again
    again = store.one(verbs.withdraw, item)
    # then nobody is told that the hub has asked
    assert (again.served, again.asked) == ((HOUSING,), ())


@pytest.mark.parametrize("outcome", [None, InDoubt("no-reply")], ids=["sending", "in doubt"])
def test_r15_a_request_to_stop_never_overtakes_what_it_is_about(
    scene: Scene, store: Store, verbs: Verbs, outcome: Any
) -> None:
    # given a share on its way when it was withdrawn
    accepted, claimed = sent(scene, store, outcome)
    done = store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    assert done.unsure == (() if outcome is None else (HOUSING,))
    # when couriers look, then nothing new goes; and once it has ended, the request does, without living consent
    later = NOW + timedelta(hours=1)
    assert [each.kind for each in store.claim(wall=later, asks_only=True) if not each.in_doubt] == []
    store.one(_end, claimed.delivery_id)
    assert [each.kind for each in store.claim(wall=later)] == [STOP]


def test_r15_where_asking_would_send_a_request_to_stop_does_not_wait_for_a_doubt(
    scene: Scene, store: Store, verbs: Verbs
) -> None:
    # given a doubt that nobody may ask about any more, for its connector asks by sending the same bytes again
    accepted, _ = sent(scene, store, InDoubt("no-reply"))
    store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # when a courier looks, then the request to stop goes, and the parcel does not
    assert [each.kind for each in store.claim(wall=NOW + timedelta(hours=1))] == [STOP]


def _end(tx: Any, items: list[str]) -> list[None]:
    rows = tx.lock_deliveries(items)
    names = ("due_at", "deaths", "counted", "may_have_left", "receipt", "sealed_receipt")
    tx.update_deliveries(
        [
            {name: rows[each][name] for name in names}
            | {"id": each, "state": DeliveryState.DELIVERED, "reason": "answered", "delivered_at": NOW}
            for each in items
        ]
    )
    return [None for _ in items]


@pytest.mark.parametrize("why", ["mapping-needs-more", "no-such-mapping", "not-carried", "forgotten"])
def test_r15_nothing_stops_a_withdrawal(scene: Scene, store: Store, verbs: Verbs, why: str) -> None:
    # given a share that housing has, and a request to stop that cannot be made
    accepted, _ = sent(scene, store, Delivered("r"))
    unable = {
        "mapping-needs-more": carrying(scene, scene.mappings),
        "no-such-mapping": carrying(scene, {}),
        "not-carried": carrying(scene, verbs.follow_ups.mappings, kinds=("share",)),
        "forgotten": verbs.follow_ups,
    }[why]
    if why == "forgotten":
        with store.engine.begin() as connection:
            connection.execute(update(tables.shares).values(data_key=None))
    # when
    done = store.one(bind(scene, unable).withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then consent has ended, and a person must ask
    assert (done.served, done.asked) == ((HOUSING,), ())
    assert store.only("consents")["state"] == "withdrawn"
    assert store.all("deliveries", kind=STOP) == []


def test_r15_on_a_held_connection_the_request_waits_with_the_rest(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given
    accepted, _ = sent(scene, store, Delivered("r"))
    store.one(lambda tx, items: [tx.hold("housing", "unauthorised", NOW) for _ in items], None)
    # when
    store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then
    assert store.only("deliveries", kind=STOP)["state"] == "held"
    store.one(lambda tx, items: [tx.resume("housing") for _ in items], None)
    assert [each.kind for each in store.claim()] == [STOP]


def _is_unasked_doubt(row: dict[str, Any]) -> bool:
    """Asking would send it, and consent has ended: nobody asks, so it stays as it is."""
    return row["state"] == DeliveryState.IN_DOUBT and row["lease_until"] is None


def test_r15_whatever_happens_a_request_is_claimed_last_and_once(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a share, and couriers, a withdrawal, copies of what was heard and a sweep in any order
    for seed in range(12):
        draw = Random(seed)
        accepted = store.accept(scene.acceptance(f"walk-{seed}", services=[HOUSING]))
        (original,) = [parcel.delivery_id for parcel in accepted.plan.parcels]
        item, wall = scene.withdrawal(accepted.plan.ids.record), NOW
        asked, stops = False, 0
        # when
        for step in draw.choices(("claim", "claim", "sweep", "heard", "withdraw"), k=14):
            wall += timedelta(hours=1)
            if step == "withdraw":
                done = store.one(verbs.withdraw, item)
                asked = asked or bool(done.asked)
            elif step == "sweep":
                store.one(sweep, Sweep(wall, NOW))
            elif step == "heard":
                store.one(verbs.heard, telling(original, wall=wall))
            else:
                claimed = [each for each in store.claim(wall=wall) if each.share_id == accepted.plan.ids.share]
                for each in claimed:
                    if each.kind == STOP and not each.in_doubt and each.attempt == 1:
                        # then: nothing else of this share can still be on the wire, or go later
                        stops += 1
                        others = [row for row in store.all("deliveries", share_id=each.share_id) if row["kind"] != STOP]
                        over = [DeliveryState(row["state"]) in ENDED or _is_unasked_doubt(row) for row in others]
                        assert all(over)
                    outcomes = (Delivered("r"), Delivered("r"), RetryLater("busy", after=1), InDoubt("?"), Died(True))
                    store.one(scene.settle, settlement(each, draw.choice(outcomes), wall=wall))
        assert len(store.all("deliveries", share_id=accepted.plan.ids.share, kind=STOP)) == int(asked)
        assert stops <= 1


def test_what_is_made_is_the_same_on_a_re_run(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a withdrawal that was rolled back after it had asked
    accepted, _ = sent(scene, store, Delivered("r"))
    item = scene.withdrawal(accepted.plan.ids.record)
    consent_id = store.only("consents")["id"]
    seen: list[dict[str, Any]] = []

    def undone(tx: Any, items: list[Any]) -> list[Withdrawn]:
        verbs.withdraw(tx, items)
        seen.extend(dict(row) for row in tx.deliveries_of([consent_id]))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.one(undone, item)
    # when it runs again
    store.one(verbs.withdraw, item)
    # then ids and keys are those of the first run
    assert {row["id"] for row in seen} == {row["id"] for row in store.all("deliveries")}
