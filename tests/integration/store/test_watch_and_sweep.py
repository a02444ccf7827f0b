"""Watching and sweeping: one alert for a delivery and rung, and nothing left behind for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from hub.domain.outcome import Delivered, InDoubt
from hub.services.remember import OneTime, remember
from hub.services.sweep import Sweep, sweep
from hub.services.watch import Watch, watch
from hub.store import tables
from hub.store.read_due import due_deliveries
from hub.store.writer import Writer
from tests.scenery import HOUSING, NOW, Scene, Store, settlement

LATER = NOW + timedelta(days=60)


def alerts(store: Store) -> set[tuple[int, str]]:
    return {(row["level"], row["kind"]) for row in store.all("alerts")}


def test_nothing_is_said_before_its_time(scene: Scene, store: Store) -> None:
    store.accept(scene.acceptance(services=[HOUSING]))
    assert store.one(scene.watch, Watch(NOW + timedelta(minutes=14), NOW)) == 0
    assert store.all("alerts") == []


def test_silence_after_delivery_is_told_to_both_champions(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Delivered("r")))
    # when
    assert store.one(scene.watch, Watch(LATER, NOW)) == 3
    # then
    assert alerts(store) == {(2, "unanswered"), (3, "unanswered"), (4, "unanswered")}
    told = {row["recipient"] for row in store.all("notices", channel="email")}
    assert told == {"champion-day-centre", "champion-city"}
    assert {row["due_at"] for row in store.all("notices")} == {NOW}


def test_what_never_arrived_is_told_to_the_operator(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    # when: the fifteen minutes of L1 are over
    store.one(scene.watch, Watch(NOW + timedelta(minutes=16), NOW))
    # then
    assert alerts(store) == {(1, "undelivered")}
    assert [(row["recipient"], row["channel"]) for row in store.all("notices")] == [("operator", "email")]


def test_an_alert_is_raised_once_however_often_it_is_looked_for(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance())
    # when: twice in a transaction, and again later
    store.run(scene.watch, Watch(LATER, NOW), Watch(LATER, NOW))
    before = store.all("alerts"), store.all("notices")
    assert store.one(scene.watch, Watch(LATER, NOW)) == 0
    # then
    assert (store.all("alerts"), store.all("notices")) == before
    raised = [(row["delivery_id"], row["level"], row["kind"]) for row in store.all("alerts")]
    assert len(raised) == len(set(raised)) > 0


def test_an_alert_is_raised_once_by_clocks_that_run_side_by_side(scene: Scene, store: Store) -> None:
    # given: ten shares that arrived and all of whose other clocks are due, and four processes' writers
    for number in range(10):
        store.accept(scene.acceptance(f"key-{number}"))
    with store.engine.begin() as connection:
        connection.execute(update(tables.deliveries).values(state="delivered"))
    writers = [Writer(store.engine) for _ in range(4)]
    for writer in writers:
        writer.start()
    # when
    looks = [writer.submit(scene.watch, Watch(LATER, NOW, limit=7)) for _ in range(12) for writer in writers]
    looked = sum(look.result(timeout=60) for look in looks)
    for writer in writers:
        writer.close()
    # then: each of the hundred clocks was looked at by one of them
    assert looked == 100
    raised = [(row["delivery_id"], row["level"], row["kind"]) for row in store.all("alerts")]
    assert len(raised) == len(set(raised)) == 60, "three rungs of answering, for each of twenty deliveries"


def test_the_silence_of_a_partner_that_left_is_told_to_the_operator(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Delivered("r")))
    partners = {name: each for name, each in scene.directory.partners.items() if name != "day-centre"}
    gone = replace(scene.directory, partners=partners, services={})
    # when
    store.one(partial(watch, directory=gone), Watch(LATER, NOW))
    # then
    assert {row["recipient"] for row in store.all("notices", channel="email")} == {"operator"}


def test_an_answered_alert_is_closed(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    store.one(scene.watch, Watch(NOW + timedelta(minutes=16), NOW))
    (claimed,) = store.claim()
    # when
    store.one(scene.settle, settlement(claimed, Delivered("r")))
    # then
    row = store.only("alerts")
    assert (row["state"], row["closed_at"]) == ("closed", NOW)


def test_a_lease_that_ran_out_leaves_a_doubt(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    # when: just before its end, and after it
    assert store.one(sweep, Sweep(NOW + timedelta(seconds=59), NOW)).doubted == 0
    after = NOW + timedelta(seconds=60)
    assert store.one(sweep, Sweep(after, NOW)).doubted == 1
    # then
    assert store.state(claimed.delivery_id) == "in_doubt"
    attempt = store.only("attempts")
    assert (attempt["reason"], attempt["number"]) == ("lease-expired", 1)
    assert store.nudges.deliveries == {"housing": [claimed.delivery_id]}
    assert due_deliveries(store.engine, after, ["housing", "treatment"]) == ["housing"]


def test_a_lease_on_a_doubt_runs_out_too(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, InDoubt("no-reply")))
    (asked,) = store.claim(wall=NOW + timedelta(minutes=1))
    # when
    after = NOW + timedelta(minutes=3)
    assert store.one(sweep, Sweep(after, NOW)).doubted == 1
    # then: asked again, under a new attempt
    (again,) = store.claim(wall=after)
    assert (again.in_doubt, again.attempt) == (True, asked.attempt + 1)


def test_consent_that_ran_out_cancels_what_waits(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance())
    ends_at = store.all("consents")[0]["ends_at"]
    # when
    swept = store.one(sweep, Sweep(NOW, ends_at))
    # then
    assert (swept.cancelled, swept.expired) == (2, 2)
    assert {row["state"] for row in store.all("deliveries")} == {"cancelled"}
    assert {row["state"] for row in store.all("consents")} == {"expired"}
    assert [row["state"] for row in store.all("consent_events")] == ["given", "given", "expired", "expired"]
    assert store.one(sweep, Sweep(NOW, ends_at)).cancelled == 0


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_late_report_is_not_undone_by_a_sweep_that_looked_before_it(scene: Scene, store: Store) -> None:
    # given: a lease that ran out, and its report being committed just as a sweep looks
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    after = NOW + timedelta(minutes=5)

    def report_then_sweep(tx: Any, items: list[Any]) -> list[Any]:
        done = scene.settle(tx, items)
        with ThreadPoolExecutor(1) as other:
            swept = other.submit(store.one, sweep, Sweep(after, NOW)).result(timeout=30)
        return [(*done, swept.doubted)]

    # when
    (result,) = store.run(report_then_sweep, settlement(claimed, Delivered("r"), wall=after))
    # then: the sweep passed it over
    assert result == (True, 0)
    assert store.state(claimed.delivery_id) == "delivered"


def test_what_consent_ended_leaves_no_alert_open(scene: Scene, store: Store) -> None:
    # given something that waits, and an alert about it
    store.accept(scene.acceptance(services=[HOUSING]))
    store.one(scene.watch, Watch(NOW + timedelta(minutes=16), NOW))
    assert store.only("alerts")["state"] == "open"
    # when its consent runs out
    ends_at = store.only("consents")["ends_at"]
    assert store.one(sweep, Sweep(NOW, ends_at)).cancelled == 1
    # then nobody waits for it any more
    row = store.only("alerts")
    assert (row["state"], row["closed_at"]) == ("closed", ends_at)
    assert {row["state"] for row in store.all("clocks")} <= {"stopped", "passed"}


def test_one_time_tokens_are_forgotten_once_they_could_not_be_replayed(scene: Scene, store: Store) -> None:
    # given one token still good and one past its time
    end = NOW + timedelta(minutes=5)
    store.run(remember, OneTime("author", "a" * 64, end), OneTime("author", "b" * 64, end + timedelta(seconds=1)))
    # when
    store.one(sweep, Sweep(end, NOW))
    # then
    assert [row["token"] for row in store.all("seen")] == ["b" * 64]
