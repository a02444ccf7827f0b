"""Withdrawing: one call stops what waits, and its reply is the plain truth about the rest (R15)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.errors import NotFound
from hub.domain.outcome import Delivered, Halt, InDoubt, Rejected, RetryLater
from hub.services.submit import Acceptance, accept
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import withdraw
from hub.store.transaction import StoreTransaction
from tests.following import Verbs
from tests.scenery import HOUSING, NOW, TREATMENT, Scene, Store, settlement


def accepted(scene: Scene, store: Store, **options: Any) -> Acceptance:
    return store.accept(scene.acceptance(**options))


def test_what_waits_is_stopped_and_nothing_more_is_owed(scene: Scene, store: Store) -> None:
    # given
    share = accepted(scene, store)
    # when
    done = store.one(withdraw, scene.withdrawal(share.plan.ids.record))
    # then
    assert (set(done.stopped), done.tried, done.served) == ({HOUSING, TREATMENT}, (), ())
    assert {row["state"] for row in store.all("deliveries")} == {"cancelled"}
    assert {row["state"] for row in store.all("clocks")} == {"stopped"}
    assert {row["state"] for row in store.all("consents")} == {"withdrawn"}
    assert store.only("shares")["withdrawn_at"] == NOW
    assert store.claim() == []


def test_one_service_may_be_withdrawn_by_itself(scene: Scene, store: Store) -> None:
    # given
    share = accepted(scene, store)
    # when
    done = store.one(withdraw, scene.withdrawal(share.plan.ids.record, HOUSING))
    # then
    assert done.stopped == (HOUSING,)
    assert store.only("shares")["withdrawn_at"] is None
    assert (len(store.claim(HOUSING)), len(store.claim(TREATMENT))) == (0, 1)


@pytest.mark.parametrize(
    ("outcome", "list_"),
    [
        (None, "served"),
        (Delivered("r"), "served"),
        (InDoubt("no-reply"), "served"),
        (RetryLater("busy"), "tried"),
        (Halt("unauthorised"), "tried"),
        (Rejected("no"), "tried"),
    ],
    ids=str,
)
def test_the_reply_says_what_may_have_reached_them(scene: Scene, store: Store, outcome: Any, list_: str) -> None:
    # given: an attempt that ended so, or is still under way
    share = accepted(scene, store)
    (claimed,) = store.claim(HOUSING)
    if outcome is not None:
        store.one(scene.settle, settlement(claimed, outcome))
    # when
    done = store.one(withdraw, scene.withdrawal(share.plan.ids.record))
    # then: never "stopped", for bytes may have left
    assert {"stopped": done.stopped, "tried": done.tried, "served": done.served} == {
        "stopped": (TREATMENT,), "tried": (), "served": (), list_: (HOUSING,),
    }  # fmt: skip


def test_a_repeat_says_the_same_and_records_nothing(scene: Scene, store: Store) -> None:
    # given: one was tried, one never
    share = accepted(scene, store)
    (claimed,) = store.claim(HOUSING)
    store.one(scene.settle, settlement(claimed, RetryLater("busy")))
    first = store.one(withdraw, scene.withdrawal(share.plan.ids.record))
    before = store.all("consent_events"), store.all("audit_events"), store.all("deliveries")
    # when
    again = store.run(withdraw, *[scene.withdrawal(share.plan.ids.record)] * 2)
    # then
    assert again == [first, first]
    assert (store.all("consent_events"), store.all("audit_events"), store.all("deliveries")) == before


@pytest.mark.parametrize("who", ["another partner", "nobody's record", "a service it does not name"])
def test_what_is_not_the_caller_s_is_not_there(scene: Scene, store: Store, who: str) -> None:
    # given
    share = accepted(scene, store)
    record = "0" * 32 if who == "nobody's record" else share.plan.ids.record
    services = ("elsewhere",) if who == "a service it does not name" else ()
    partner_id = "city" if who == "another partner" else "day-centre"
    # when
    result = store.one(withdraw, scene.withdrawal(record, *services, partner_id=partner_id))
    # then
    assert isinstance(result, NotFound)
    assert {row["state"] for row in store.all("consents")} == {"given"}


def test_what_was_being_sent_is_not_sent_again(scene: Scene, store: Store) -> None:
    # given: withdrawn while it was being sent, and then the service was busy
    share = accepted(scene, store, services=[HOUSING])
    (claimed,) = store.claim()
    store.one(withdraw, scene.withdrawal(share.plan.ids.record))
    store.one(scene.settle, settlement(claimed, RetryLater("busy", after=1)))
    later = NOW + timedelta(hours=1)
    # when / then: it may be due, but it is never claimed, and the sweep ends it
    assert store.claim(wall=later, asks_only=True) == []
    assert store.one(sweep, Sweep(later, NOW)).cancelled == 1
    assert store.state(claimed.delivery_id) == "cancelled"
    assert store.all("clocks", state="running") == []


def test_a_doubt_is_still_asked_about_after_a_withdrawal_and_never_sent_again(scene: Scene, store: Store) -> None:
    # given
    share = accepted(scene, store, services=[HOUSING])
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, InDoubt("no-reply")))
    store.one(withdraw, scene.withdrawal(share.plan.ids.record))
    later = NOW + timedelta(hours=1)
    # when: it is asked about where asking sends nothing, and had not arrived
    assert store.claim(wall=later, asks_only=False) == []
    (asked,) = store.claim(wall=later, asks_only=True)
    assert asked.in_doubt
    store.one(scene.settle, settlement(asked, RetryLater("not-there"), wall=later))
    # then
    assert store.claim(wall=later, asks_only=True) == []
    assert store.one(sweep, Sweep(later, NOW)).cancelled == 1


@pytest.mark.parametrize("swept", [True, False], ids=["recorded as expired", "not looked at yet"])
def test_r15_a_withdrawal_after_the_end_is_kept_too(scene: Scene, store: Store, swept: bool) -> None:
    # given consents whose time ran out
    share = accepted(scene, store)
    if swept:
        store.one(sweep, Sweep(NOW, store.all("consents")[0]["ends_at"]))
    # when the person says stop, twice
    item = scene.withdrawal(share.plan.ids.record, wall=NOW + timedelta(days=365))
    store.one(withdraw, item)
    store.one(withdraw, replace(item, business=NOW + timedelta(days=366)))
    # then it is recorded, once, of each
    assert {row["state"] for row in store.all("consents")} == {"withdrawn"}
    assert [row["at"] for row in store.all("consent_events", state="withdrawn")] == [item.business] * 2
    assert len(store.all("audit_events", action="consent.withdrawn")) == 1
    assert store.only("shares")["withdrawn_at"] == item.business


def test_a_worry_about_pressure_is_kept_nowhere(scene: Scene, store: Store) -> None:
    # given / when
    share = accepted(scene, store)
    store.one(withdraw, replace(scene.withdrawal(share.plan.ids.record), worried_about_pressure=True))
    # then
    detail = store.only("audit_events", action="consent.withdrawn")["detail"]
    assert detail == {"stopped": 2, "served": 0, "author": "a" * 64, "role": "", "attested_by": "day-centre"}
    assert store.all("notices") == []


def test_what_comes_back_to_be_tried_is_stopped_by_a_repeat_and_told(scene: Scene, store: Store) -> None:
    # given a share that was being sent when it was withdrawn, and that the partner then could not take
    share = store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    item = scene.withdrawal(share.plan.ids.record)
    assert store.one(withdraw, item).served == (HOUSING,)
    store.one(scene.settle, settlement(claimed, RetryLater("busy")))
    # when it is withdrawn again before a sweep looks
    assert store.one(withdraw, item).tried == (HOUSING,)
    # then the audit says what became of it
    assert store.state(claimed.delivery_id) == "cancelled"
    assert len(store.all("audit_events", action="delivery.cancelled", delivery_id=claimed.delivery_id)) == 1
    assert len(store.all("audit_events", action="consent.withdrawn")) == 1


def test_r15_what_was_agreed_once_is_over_in_every_share_that_bears_it(
    scene: Scene, store: Store, verbs: Verbs
) -> None:
    # given two shares of one person under one agreement: housing has the second, and the first still waits
    share = replace(scene.share, services=[HOUSING])
    second = store.accept(scene.acceptance("b", share=replace(share, reference="DC-2")))
    (claimed,) = store.claim()
    assert store.one(scene.settle, settlement(claimed, Delivered("r")))
    # through someone else they trust: the same need through the same one is not sent twice (R32)
    through = replace(share, trusted_person=replace(share.trusted_person, reference="tp-78"))
    first = store.accept(scene.acceptance("a", share=through))
    # and one of somebody else
    other = store.accept(scene.acceptance("c", services=[HOUSING]))
    # when the first is withdrawn, twice
    for _ in range(2):
        done = store.one(verbs.withdraw, scene.withdrawal(first.plan.ids.record))
        # then the reply tells the worst that is true of either
        assert (done.share_id, done.stopped, done.served, done.asked) == (
            first.plan.ids.share, (), (HOUSING,), (HOUSING,)
        )  # fmt: skip
    # and the second is withdrawn too, and housing asked once to stop using it
    ends = {row["id"]: row["withdrawn_at"] for row in store.all("shares")}
    assert (ends[first.plan.ids.share], ends[second.plan.ids.share], ends[other.plan.ids.share]) == (NOW, NOW, None)
    assert [row["share_id"] for row in store.all("deliveries", kind="please_stop_using")] == [second.plan.ids.share]
    # and nothing else goes but the request, and the other person's share
    assert {each.share_id for each in store.claim()} == {second.plan.ids.share, other.plan.ids.share}


def test_r15_one_who_said_no_ends_nothing_that_was_agreed_before(scene: Scene, store: Store) -> None:
    # given a share that goes, and a later one in which the same agreement bears a no
    one = replace(scene.share, services=[HOUSING])
    store.accept(scene.acceptance("a", share=one))
    consents = [replace(each, answer="no") if each.service == HOUSING else each for each in scene.share.consents]
    later = store.accept(scene.acceptance("b", share=replace(scene.share, consents=consents, reference="DC-2")))
    # when what was refused is withdrawn
    store.one(withdraw, scene.withdrawal(later.plan.ids.record, HOUSING))
    # then the first still goes
    assert len(store.claim(HOUSING)) == 1


@pytest.mark.parametrize("first", ["the withdrawal", "the share"])
def test_r12_a_share_kept_in_the_moment_of_a_withdrawal_does_not_outlive_it(
    scene: Scene, store: Store, first: str
) -> None:
    # given a share under an agreement, and another under the same, sent in the moment in which that is withdrawn
    one = replace(scene.share, services=[HOUSING])
    kept = store.accept(scene.acceptance("a", share=one))
    through = replace(one, reference="DC-2", trusted_person=replace(one.trusted_person, reference="tp-78"))
    steps = {
        "the withdrawal": (withdraw, scene.withdrawal(kept.plan.ids.record)),
        "the share": (accept, scene.acceptance("b", share=through)),
    }
    # when either comes a moment before the other, and neither sees what the other has not committed
    with ThreadPoolExecutor(1) as pool, store.engine.begin() as connection:
        verb, item = steps.pop(first)
        list(verb(StoreTransaction(connection), [item]))
        ((verb, item),) = steps.values()
        other = pool.submit(store.one, verb, item)
        with pytest.raises(TimeoutError):
            other.result(0.3)
        connection.commit()
        other.result(10)
    # then nothing waits, whichever came first
    assert store.claim() == []
    assert {row["state"] for row in store.all("deliveries")} == {"cancelled"}
