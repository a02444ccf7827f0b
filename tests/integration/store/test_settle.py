"""Settling: every outcome from every state an attempt can end in, and nothing from a stale attempt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hub.domain.answer import Answer, AnswerState, Level
from hub.domain.delivery import DeliveryState
from hub.domain.errors import Undecipherable
from hub.domain.outcome import Delivered, Halt, InDoubt, Invite, Rejected, RetryLater
from hub.services.claim import Claimed
from hub.services.settle import RETRIES, Died
from hub.services.sweep import Sweep, sweep
from hub.store import tables
from tests.scenery import HOUSING, NOW, Scene, Store, settlement

S = DeliveryState

#: (the state an attempt was claimed in, what came of it) -> the state after it.
TABLE: list[tuple[DeliveryState, Any, DeliveryState]] = [
    (S.SENDING, Delivered("r"), S.DELIVERED),
    (S.SENDING, RetryLater("busy"), S.RETRYING),
    (S.SENDING, RetryLater("busy", counts=False), S.RETRYING),
    (S.SENDING, Rejected("no"), S.DEAD_LETTERED),
    (S.SENDING, Invite("x@example.org"), S.DEAD_LETTERED),
    (S.SENDING, Halt("unauthorised"), S.QUEUED),
    (S.SENDING, InDoubt("no-reply"), S.IN_DOUBT),
    (S.SENDING, Died(started=False), S.QUEUED),
    (S.SENDING, Died(started=True), S.IN_DOUBT),
    (S.IN_DOUBT, Delivered("r"), S.DELIVERED),
    (S.IN_DOUBT, RetryLater("not-there"), S.RETRYING),
    (S.IN_DOUBT, RetryLater("not-there", counts=False), S.RETRYING),
    (S.IN_DOUBT, Rejected("no"), S.IN_DOUBT),
    (S.IN_DOUBT, Invite("x@example.org"), S.IN_DOUBT),
    (S.IN_DOUBT, Halt("unauthorised"), S.IN_DOUBT),
    (S.IN_DOUBT, InDoubt("no-reply"), S.IN_DOUBT),
    (S.IN_DOUBT, Died(started=False), S.IN_DOUBT),
    (S.IN_DOUBT, Died(started=True), S.IN_DOUBT),
]

Sent = Callable[..., Claimed]


@pytest.fixture
def sent(scene: Scene, store: Store) -> Sent:
    """Return a function that accepts a share for housing and claims it, in doubt if asked."""

    def sent(key: str = "key", *, in_doubt: bool = False) -> Claimed:
        store.accept(scene.acceptance(key, services=[HOUSING]))
        (claimed,) = store.claim()
        if in_doubt:
            store.one(scene.settle, settlement(claimed, InDoubt("no-reply")))
            (claimed,) = store.claim(wall=NOW + timedelta(minutes=1))
        return claimed

    return sent


@pytest.mark.parametrize(("before", "outcome", "after"), TABLE, ids=str)
def test_each_outcome_leads_where_the_table_says(
    scene: Scene, store: Store, sent: Sent, before: DeliveryState, outcome: Any, after: DeliveryState
) -> None:
    # given
    claimed = sent(in_doubt=before is S.IN_DOUBT)
    assert store.state(claimed.delivery_id) == before
    # when
    applied = store.one(scene.settle, settlement(claimed, outcome))
    # then: the state is the table's, the lease is over, and the attempt and its audit event are kept
    row = store.only("deliveries")
    assert applied
    assert (row["state"], row["lease_until"]) == (after, None)
    attempt = store.all("attempts")[-1]
    assert (attempt["number"], attempt["outcome"]) == (claimed.attempt, type(outcome).__name__.lower())
    event = store.all("audit_events", action="delivery.settled")[-1]
    assert (event["detail"]["state"], event["delivery_id"]) == (after, claimed.delivery_id)


def test_the_table_above_misses_no_outcome() -> None:
    kinds = {Delivered, RetryLater, Rejected, Invite, Halt, InDoubt, Died}
    assert {(before, type(outcome)) for before, outcome, _ in TABLE} == {
        (before, kind) for before in (S.SENDING, S.IN_DOUBT) for kind in kinds
    }


def test_a_delivery_stops_the_clocks_up_to_the_rung_it_proves(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    claimed = sent()
    # when
    store.one(scene.settle, settlement(claimed, Delivered("their-ref", Level.L2)))
    # then
    assert {row["level"]: row["state"] for row in store.all("clocks")} == {
        0: "stopped", 1: "stopped", 2: "stopped", 3: "running", 4: "running",
    }  # fmt: skip
    assert store.only("acknowledgements")["level"] == Level.L2


def test_the_partner_s_own_reference_is_kept_hashed_and_sealed(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    claimed = sent()
    # when
    store.one(scene.settle, settlement(claimed, Delivered("their-ref-123")))
    # then
    row = store.only("deliveries")
    assert row["receipt"] == scene.vault.digest("receipt", "their-ref-123")
    assert b"their-ref" not in row["sealed_receipt"]
    assert "their-ref" not in repr(store.all("audit_events"))


def test_an_answer_that_comes_at_once_is_kept(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    claimed = sent()
    yes = Delivered("r", Level.L1, (Answer(AnswerState.ACCEPTED, owner="Duty desk"),))
    # when
    store.one(scene.settle, settlement(claimed, yes))
    # then
    assert store.only("deliveries")["answer_state"] == "accepted"
    assert [row["level"] for row in store.all("acknowledgements")] == [1, 3]
    assert store.only("notices")["topic"] == "delivery.answered"


@pytest.mark.parametrize("stale", ["answered twice", "lease ran out", "claimed again"])
def test_a_stale_attempt_changes_nothing(scene: Scene, store: Store, sent: Sent, stale: str) -> None:
    # given
    claimed = sent()
    if stale == "answered twice":
        store.one(scene.settle, settlement(claimed, Delivered("first")))
    else:
        after = NOW + timedelta(minutes=5)
        assert store.one(sweep, Sweep(after, after)).doubted == 1
        if stale == "claimed again":
            assert store.claim(wall=after)
    before = store.all("deliveries"), store.all("attempts"), store.all("audit_events"), store.all("notices")
    # when
    applied = store.one(scene.settle, settlement(claimed, Rejected("late")))
    # then
    assert applied is False
    assert (store.all("deliveries"), store.all("attempts"), store.all("audit_events"), store.all("notices")) == before


def test_one_attempt_reported_twice_in_a_batch_is_settled_once(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    claimed = sent()
    # when
    applied = store.run(scene.settle, settlement(claimed, Delivered("r")), settlement(claimed, Rejected("no")))
    # then
    assert applied == [True, False]
    assert store.state(claimed.delivery_id) == "delivered"
    assert len(store.all("attempts")) == 1


def test_what_nobody_accepted_settles_nothing(scene: Scene, store: Store, sent: Sent) -> None:
    claimed = sent()
    unknown = settlement(claimed, Delivered())
    object.__setattr__(unknown, "delivery_id", "0" * 32)
    assert store.one(scene.settle, unknown) is False


def test_retries_end_as_a_dead_letter_that_two_are_told_of(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    claimed, wall = sent(), NOW
    # when: it is never taken, and each try waits as long as it may
    for tries in range(1, RETRIES.attempts + 1):  # noqa: B007 - counted
        store.one(scene.settle, settlement(claimed, RetryLater("busy"), wall=wall, rand=1.0))
        if store.state(claimed.delivery_id) != "retrying":
            break
        assert store.all("notices") == []
        wall = store.only("deliveries")["due_at"]
        (claimed,) = store.claim(wall=wall)
    # then: about three days, and the operator and the sender both hear
    assert store.state(claimed.delivery_id) == "dead_lettered"
    assert tries > 10
    assert timedelta(days=2.5) < wall - NOW < timedelta(days=4)
    assert {(row["recipient"], row["topic"]) for row in store.all("notices")} == {
        ("operator", "dead_lettered"),
        ("day-centre-system", "delivery.could_not_be_delivered"),
    }


def test_a_snooze_costs_no_try(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    claimed, wall = sent(), NOW
    # when
    for _ in range(RETRIES.attempts + 2):
        store.one(scene.settle, settlement(claimed, RetryLater("busy", after=60, counts=False), wall=wall))
        wall += timedelta(seconds=60)
        (claimed,) = store.claim(wall=wall)
    # then
    assert store.only("deliveries")["counted"] == 0
    assert store.state(claimed.delivery_id) == "sending"


def test_a_partner_that_only_says_later_is_asked_less_and_less_often(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    claimed, wall, waits = sent(), NOW, []
    # when it says "too early" again and again, and never when
    for _ in range(8):
        store.one(scene.settle, settlement(claimed, RetryLater("too-early", counts=False), wall=wall, rand=1.0))
        due_at = store.only("deliveries")["due_at"]
        waits.append((due_at - wall).total_seconds())
        wall = due_at
        (claimed,) = store.claim(wall=wall)
    # then each wait is twice the last, and no try was used up
    assert waits == [2.0**number for number in range(1, 9)]
    assert store.only("deliveries")["counted"] == 0


def test_a_partner_that_names_a_time_is_not_tried_before_it(scene: Scene, store: Store, sent: Sent) -> None:
    claimed = sent()
    store.one(scene.settle, settlement(claimed, RetryLater("busy", after=600), rand=0.0))
    assert store.only("deliveries")["due_at"] == NOW + timedelta(seconds=600)


def test_a_halt_holds_its_connection_once(scene: Scene, store: Store) -> None:
    # given
    for number in range(3):
        store.accept(scene.acceptance(f"key-{number}", services=[HOUSING]))
    claimed = store.claim()
    # when: two in one batch and a third later
    store.run(scene.settle, *(settlement(each, Halt("unauthorised")) for each in claimed[:2]))
    store.one(scene.settle, settlement(claimed[2], Halt("unauthorised")))
    # then: all wait, one alert, nothing is claimed
    assert [row["state"] for row in store.all("deliveries")] == ["queued"] * 3
    assert [(row["topic"], row["recipient"]) for row in store.all("notices")] == [("connection_held", "operator")]
    assert store.only("connections")["held_reason"] == "unauthorised"
    assert store.claim() == []


def test_deaths_are_counted_and_say_whether_anything_left(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    claimed = sent()
    # when: the host dies before the start, then after it, then while asking
    store.one(scene.settle, settlement(claimed, Died(started=False)))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Died(started=True)))
    (asked,) = store.claim(wall=NOW + timedelta(hours=1))
    store.one(scene.settle, settlement(asked, Died(started=False), wall=NOW + timedelta(hours=1)))
    # then
    assert (asked.deaths, asked.in_doubt) == (2, True)
    row = store.only("deliveries")
    assert (row["deaths"], row["state"]) == (3, "in_doubt")


def test_what_had_not_arrived_goes_again_at_once_with_the_same_key(scene: Scene, store: Store, sent: Sent) -> None:
    # given
    asked = sent(in_doubt=True)
    wall = NOW + timedelta(minutes=1)
    # when
    store.one(scene.settle, settlement(asked, RetryLater("not-there"), wall=wall))
    (again,) = store.claim(wall=wall)
    # then
    assert (again.key, again.in_doubt, again.parcel) == (asked.key, False, asked.parcel)


def test_one_poisoned_item_takes_its_transaction_with_it(scene: Scene, store: Store) -> None:
    # given: two claimed, one of whose share keys cannot be opened
    for number in range(2):
        store.accept(scene.acceptance(f"key-{number}", services=[HOUSING]))
    claimed = store.claim()
    with store.engine.begin() as connection:
        broken = tables.shares.c.id == claimed[0].share_id
        connection.execute(update(tables.shares).where(broken).values(data_key=b"\x01broken"))
    before = store.all("deliveries"), store.all("attempts")
    # when
    with pytest.raises(Undecipherable):
        store.run(scene.settle, *(settlement(each, Delivered("r")) for each in claimed))
    # then
    assert (store.all("deliveries"), store.all("attempts")) == before
