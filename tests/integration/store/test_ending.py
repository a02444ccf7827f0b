"""A consent that ends soon is told of once, where something is still open under it (R16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.calendar import day_ends, england_and_wales
from hub.domain.consent import ending_by
from hub.domain.outcome import Delivered
from hub.domain.share import Person
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import withdraw
from tests.scenery import NOW, Scene, Store, settlement

LOOK = partial(sweep, renewal=partial(ending_by, calendar=england_and_wales(), days=5))
#: The last day that a consent may have for it to be told of now: it is Friday, and the fifth working day is the next.
NEAR = date(2026, 11, 27)


def accepted(scene: Scene, store: Store, until: date, key: str = "a") -> Any:
    consent = replace(scene.share.consents[0], until=until, reference=f"c-{key}")
    share = replace(scene.share, person=Person(f"P-{key}"), consents=[consent])
    return store.accept(scene.acceptance(key, share=share)).plan


def told(store: Store) -> list[tuple[str, str, str | None]]:
    rows = store.all("notices", topic="consent.ending")
    return [(row["channel"], row["recipient"], row["delivery_id"]) for row in rows]


def look(store: Store, at: datetime = NOW) -> None:
    store.one(LOOK, Sweep(at, at))


@pytest.mark.parametrize(
    ("until", "is_told"), [(NEAR, True), (NEAR + timedelta(days=1), False), (date(2026, 11, 20), True)]
)
def test_r16_it_is_told_of_in_time(scene: Scene, store: Store, until: date, is_told: bool) -> None:
    # given a share whose consent ends then
    plan = accepted(scene, store, until)
    # when it is looked for, twice
    look(store)
    look(store)
    # then its client is told once, or not yet
    expected = [("webhook", "day-centre-system", plan.parcels[0].delivery_id)] if is_told else []
    assert told(store) == expected
    assert [row["action"] for row in store.all("audit_events", action="consent.ending")] == ["consent.ending"] * is_told


def test_r16_one_whose_time_is_up_has_expired_and_is_not_told_of(scene: Scene, store: Store) -> None:
    # given / when: the hub was away until the last day was over
    accepted(scene, store, NEAR)
    look(store, day_ends(NEAR))
    # then
    assert told(store) == []
    assert store.only("consents")["state"] == "expired"


@pytest.mark.parametrize("how", ["withdrawn", "completed"])
def test_r16_where_nothing_is_open_nobody_is_asked_to_agree_anew(scene: Scene, store: Store, how: str) -> None:
    # given a share that is over
    plan = accepted(scene, store, NEAR)
    if how == "withdrawn":
        store.one(withdraw, scene.withdrawal(plan.ids.record))
    else:
        (claimed,) = store.claim()
        store.one(
            scene.settle, settlement(claimed, Delivered("r", answers=(Answer(AnswerState.COMPLETED, owner="Jo"),)))
        )
    # when
    look(store)
    # then
    assert told(store) == []


def test_r16_a_few_at_a_time_until_all_are_told(scene: Scene, store: Store) -> None:
    # given more than are looked at in one transaction
    for number in range(5):
        accepted(scene, store, NEAR, key=f"k{number}")
    # when
    for _ in range(3):
        store.one(LOOK, Sweep(NOW, NOW, limit=2))
    # then
    assert len(told(store)) == 5


def test_r16_working_days_are_counted_as_the_partnership_works() -> None:
    calendar = england_and_wales()
    # given the Wednesday before Christmas 2026, which is a Friday, with the Monday after it a holiday too
    wednesday = datetime(2026, 12, 23, 12, tzinfo=NOW.tzinfo)
    # when five working days are counted: 24, 29, 30, 31 December and 4 January
    # then
    assert ending_by(wednesday, calendar, 5) == day_ends(date(2027, 1, 4))
