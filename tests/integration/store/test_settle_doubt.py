"""What nobody can find out: the operator hears of it once, and says what the service said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from hub.domain.errors import Conflict, Malformed, NotFound
from hub.domain.outcome import Delivered, InDoubt
from hub.domain.retry import NEVER
from hub.services.settle_doubt import DoubtSettled, settle_doubt
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import withdraw
from tests.scenery import CONNECTION, HOUSING, NOW, Scene, Store, settlement


def doubted(scene: Scene, store: Store) -> tuple[str, str]:
    """Keep a share for housing that nobody knows to have arrived; return its delivery and its consent record."""
    accepted = store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, InDoubt("no-reply")))
    return claimed.delivery_id, accepted.plan.ids.record


def by_hand(delivery_id: str, arrived: bool, **changed: Any) -> DoubtSettled:
    item = DoubtSettled(delivery_id, arrived, "sam", "asked-the-service", NOW, NOW + timedelta(hours=1))
    return replace(item, **changed)


def doubts_told(store: Store) -> list[str]:
    return [row["recipient"] for row in store.all("notices", topic="in_doubt")]


def test_the_operator_hears_once_that_the_hub_asks_no_more(scene: Scene, store: Store) -> None:
    # given a partner that never knows
    delivery_id, _ = doubted(scene, store)
    wall, asked = NOW, 0
    # when it is asked as often as it is due, each time with the longest wait
    while (due_at := store.only("deliveries")["due_at"]) != NEVER:
        wall = due_at
        (question,) = store.claim(wall=wall, business=NOW)
        item = settlement(question, InDoubt("not-known"), wall=wall, rand=1.0)
        assert store.one(scene.settle, item)
        asked += 1
    # then that ends after a good week, one notice says so, and nobody asks again
    assert asked > 100
    assert timedelta(days=7) < wall - NOW < timedelta(days=9)
    assert doubts_told(store) == ["operator"]
    assert store.state(delivery_id) == "in_doubt"
    assert store.claim(wall=wall + timedelta(days=400), business=NOW) == []


@pytest.mark.parametrize("end", ["withdrawn", "expired"])
def test_where_asking_would_send_the_operator_hears_when_consent_ends(scene: Scene, store: Store, end: str) -> None:
    # given a doubt, and consent that has ended
    delivery_id, record = doubted(scene, store)
    assert store.one(sweep, Sweep(NOW, NOW)) is not None
    assert doubts_told(store) == []
    business = NOW
    if end == "withdrawn":
        store.one(withdraw, scene.withdrawal(record))
    else:
        business = store.only("consents")["ends_at"]
    # when it is swept, on a connection that asks without sending, and on one that does not
    store.one(partial(sweep, asks=CONNECTION.values()), Sweep(NOW, business))
    assert doubts_told(store) == []
    store.one(sweep, Sweep(NOW, business))
    store.one(sweep, Sweep(NOW, business))
    # then
    assert doubts_told(store) == ["operator"]
    assert [row["delivery_id"] for row in store.all("audit_events", action="doubt.left")] == [delivery_id]
    assert store.state(delivery_id) == "in_doubt"


def test_what_arrived_is_delivered_and_its_clocks_go_on(scene: Scene, store: Store) -> None:
    # given
    delivery_id, _ = doubted(scene, store)
    # when
    assert store.one(settle_doubt, by_hand(delivery_id, True)) == "delivered"
    # then
    row = store.only("deliveries")
    assert (row["state"], row["delivered_at"]) == ("delivered", NOW)
    assert [each["level"] for each in store.all("clocks", state="running")] == [2, 3, 4]
    assert [(each["level"], each["source"]) for each in store.all("acknowledgements")] == [(1, "operator")]
    told = store.only("audit_events", action="doubt.settled")
    assert (told["actor"], told["delivery_id"]) == ("operator:sam", delivery_id)
    assert told["detail"] == {"state": "delivered", "arrived": True, "reason": "asked-the-service"}


def test_what_did_not_arrive_goes_again_under_the_same_key(scene: Scene, store: Store) -> None:
    # given a doubt that nobody asks about any more
    delivery_id, _ = doubted(scene, store)
    key = store.only("deliveries")["key"]
    # when
    assert store.one(settle_doubt, by_hand(delivery_id, False)) == "retrying"
    # then
    (again,) = store.claim(wall=NOW + timedelta(hours=1))
    assert (again.key, again.in_doubt) == (key, False)


def test_what_did_not_arrive_never_goes_under_consent_that_has_ended(scene: Scene, store: Store) -> None:
    # given
    delivery_id, record = doubted(scene, store)
    store.one(withdraw, scene.withdrawal(record))
    # when
    assert store.one(settle_doubt, by_hand(delivery_id, False)) == "retrying"
    # then
    assert store.claim(wall=NOW + timedelta(hours=1)) == []
    assert store.one(sweep, Sweep(NOW, NOW)).cancelled == 1
    assert store.state(delivery_id) == "cancelled"


def test_a_question_under_way_is_overruled(scene: Scene, store: Store) -> None:
    # given
    delivery_id, _ = doubted(scene, store)
    later = NOW + timedelta(minutes=1)
    (asked,) = store.claim(wall=later)
    # when
    assert store.one(settle_doubt, by_hand(delivery_id, False)) == "retrying"
    # then
    assert store.one(scene.settle, settlement(asked, Delivered("r"), wall=later)) is False
    assert store.state(delivery_id) == "retrying"


def test_nothing_else_can_be_settled_by_hand(scene: Scene, store: Store) -> None:
    # given one that waits, and one in doubt
    store.accept(scene.acceptance("other", services=[HOUSING]))
    waiting = store.only("deliveries")["id"]
    before = store.all("deliveries"), store.all("audit_events")
    # when / then
    assert isinstance(store.one(settle_doubt, by_hand(waiting, True)), Conflict)
    assert isinstance(store.one(settle_doubt, by_hand("0" * 32, True)), NotFound)
    assert isinstance(store.one(settle_doubt, by_hand(waiting, True, by="Sam Rivers")), Malformed)
    assert isinstance(store.one(settle_doubt, by_hand(waiting, True, reason="Sam said so")), Malformed)
    assert (store.all("deliveries"), store.all("audit_events")) == before
