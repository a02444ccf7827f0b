"""Claiming: never more than was asked for, in order, and only what may go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hub.domain.outcome import InDoubt, RetryLater
from hub.services.claim import claim
from hub.services.sweep import Sweep, sweep
from hub.store import tables
from hub.store.read_due import _IS_DUE, due_deliveries
from tests.scenery import CONNECTION, HOUSING, NOW, TREATMENT, Scene, Store, claim_of, settlement

_D = tables.deliveries


def change(store: Store, delivery_id: str, **values: Any) -> None:
    with store.engine.begin() as connection:
        connection.execute(update(_D).where(_D.c.id == delivery_id).values(**values))


def hold(tx: Any, connections: list[str]) -> list[bool]:
    return [tx.hold(each, "unauthorised", NOW) for each in connections]


def test_a_claim_never_exceeds_its_limit_and_never_claims_twice(scene: Scene, store: Store) -> None:
    # given
    for number in range(5):
        store.accept(scene.acceptance(f"key-{number}", services=[HOUSING]))
    # when
    rounds = [store.claim(limit=2) for _ in range(4)]
    # then
    assert [len(each) for each in rounds] == [2, 2, 1, 0]
    claimed = [each.delivery_id for found in rounds for each in found]
    assert len(set(claimed)) == 5
    assert {row["state"] for row in store.all("deliveries")} == {"sending"}


def test_what_a_claim_returns_is_what_the_row_says_after_it(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    # when
    (claimed,) = store.claim()
    # then
    row = store.only("deliveries")
    assert (row["attempt"], row["claimed_at"], row["first_claimed_at"]) == (claimed.attempt, NOW, NOW)
    assert row["lease_until"] == NOW + timedelta(seconds=60)
    assert store.only("audit_events", action="delivery.claimed")["detail"] == {"attempt": 1, "connection": "housing"}


def test_the_first_claim_stays_the_first(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, RetryLater("busy", after=60)))
    # when
    (again,) = store.claim(wall=NOW + timedelta(hours=1))
    # then
    assert (again.attempt, store.only("deliveries")["first_claimed_at"]) == (2, NOW)


def test_a_connection_claims_its_own_only(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance())
    # when
    claimed = store.claim(TREATMENT)
    # then
    assert [store.only("deliveries", id=each.delivery_id)["service_id"] for each in claimed] == [TREATMENT]


def test_the_longest_due_goes_first_and_what_is_not_due_waits(scene: Scene, store: Store) -> None:
    # given
    ids = [store.accept(scene.acceptance(f"key-{n}", services=[HOUSING])).plan.parcels[0].delivery_id for n in range(3)]
    for delivery_id, minutes in zip(ids, (-5, 5, -10), strict=True):
        change(store, delivery_id, due_at=NOW + timedelta(minutes=minutes))
    # when / then
    assert [each.delivery_id for each in store.claim()] == [ids[2], ids[0]]


def test_a_held_connection_is_passed_over_and_no_nudge_is_wasted_on_it(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance())
    store.run(hold, "housing")
    # when / then
    assert store.claim(HOUSING) == []
    assert due_deliveries(store.engine, NOW, CONNECTION.values()) == ["treatment"]
    assert len(store.claim(TREATMENT)) == 1


def test_a_resumed_connection_goes_on(scene: Scene, store: Store) -> None:
    # given: one delivery from before the hold and one from during it
    store.accept(scene.acceptance("key-1", services=[HOUSING]))
    store.run(hold, "housing")
    store.accept(scene.acceptance("key-2", services=[HOUSING]))
    # when
    (resumed,) = store.run(lambda tx, items: [tx.resume(each) for each in items], "housing")
    # then
    assert len(resumed) == len(store.claim()) == 2


def test_what_was_held_by_a_race_with_the_resume_is_found(scene: Scene, store: Store) -> None:
    # given: held, although its connection is not
    delivery_id = store.accept(scene.acceptance(services=[HOUSING])).plan.parcels[0].delivery_id
    change(store, delivery_id, state="held")
    # when
    swept = store.one(sweep, Sweep(NOW, NOW))
    # then
    assert swept.resumed == 1
    assert store.nudges.deliveries == {"housing": [delivery_id]}
    assert len(store.claim()) == 1


@pytest.mark.parametrize("ended", ["delivered", "dead_lettered", "cancelled"])
def test_a_follower_waits_until_its_predecessor_is_over(scene: Scene, store: Store, ended: str) -> None:
    # given
    first, second = (
        store.accept(scene.acceptance(f"key-{n}", services=[HOUSING])).plan.parcels[0].delivery_id for n in range(2)
    )
    change(store, second, after=first)
    # when / then
    assert [each.delivery_id for each in store.claim()] == [first]
    for waiting in ("sending", "retrying", "in_doubt", "held"):
        change(store, first, state=waiting, due_at=NOW + timedelta(hours=1))
        assert store.claim() == []
    change(store, first, state=ended)
    assert [each.delivery_id for each in store.claim()] == [second]


def test_expired_consent_is_not_claimed(scene: Scene, store: Store) -> None:
    # given: good through the whole of 18 February 2027 in London
    store.accept(scene.acceptance("key-1", services=[HOUSING]))
    ends_at = store.only("consents")["ends_at"]
    # when / then
    assert store.claim(business=ends_at) == []
    assert len(store.claim(business=ends_at - timedelta(microseconds=1))) == 1


def test_a_shredded_share_is_not_claimed(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance())
    with store.engine.begin() as connection:
        connection.execute(update(tables.shares).values(data_key=None))
    # when / then
    assert store.claim() == []


def test_a_doubt_is_leased_to_be_asked_about_and_stays_in_doubt(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, InDoubt("no-reply")))
    # when
    later = NOW + timedelta(minutes=1)
    (asked,) = store.claim(wall=later)
    # then
    assert asked.in_doubt
    assert asked.attempt == 2
    assert store.state(asked.delivery_id) == "in_doubt"
    assert store.claim(wall=later) == []


def test_one_slot_is_a_doubts_and_the_others_are_for_what_waits(scene: Scene, store: Store) -> None:
    # given: three in doubt, and a backlog
    for number in range(3):
        store.accept(scene.acceptance(f"doubt-{number}", services=[HOUSING]))
    for claimed in store.claim():
        store.one(scene.settle, settlement(claimed, InDoubt("no-reply")))
    for number in range(4):
        store.accept(scene.acceptance(f"key-{number}", services=[HOUSING]))
    later = NOW + timedelta(minutes=1)
    # when slots come free one or two at a time, then one doubt is asked about beside what is sent
    assert [each.in_doubt for each in store.claim(wall=later, limit=2)] == [False, True]
    (sending,) = store.claim(wall=later, limit=1)
    assert not sending.in_doubt
    # and where slots are left, more of them are
    assert [each.in_doubt for each in store.claim(wall=later, limit=5)] == [False, False, True, True]


def test_a_backlog_on_one_connection_hides_nobody_else_s(scene: Scene, store: Store) -> None:
    # given more than a thousand that fell due on one connection long before one on another
    store.accept(scene.acceptance("key-0", services=[HOUSING]))
    row = store.only("deliveries")
    with store.engine.begin() as connection:
        connection.execute(
            _D.insert(), [row | {"id": f"{number:032}", "key": f"{number:036}"} for number in range(2100)]
        )
        connection.execute(update(_D).values(due_at=NOW - timedelta(days=1)))
    store.accept(scene.acceptance("key-1", services=[TREATMENT]))
    # when / then
    assert due_deliveries(store.engine, NOW, ["housing", "treatment"]) == ["housing", "treatment"]
    assert due_deliveries(store.engine, NOW, ["treatment"]) == ["treatment"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_looking_for_what_is_due_costs_the_same_whatever_waits(store: Store) -> None:
    # given / when
    statement = _IS_DUE.compile(store.engine)
    with store.engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}",
            tuple("housing" if "conn" in name else 0 for name in statement.positiontup or ()),
        ).all()
    # then each half steps to its place in an index
    steps = [step[3] for step in plan if "deliveries" in step[3]]
    assert len(steps) == 2
    assert all(step.startswith("SEARCH") and "due_at<?" in step for step in steps), steps


def test_two_claims_in_one_transaction_do_not_overlap(scene: Scene, store: Store) -> None:
    # given
    for number in range(3):
        store.accept(scene.acceptance(f"key-{number}", services=[HOUSING]))
    # when
    first, second = store.run(claim, claim_of(limit=2), claim_of(limit=2))
    # then
    assert len({each.delivery_id for each in (*first, *second)}) == 3
