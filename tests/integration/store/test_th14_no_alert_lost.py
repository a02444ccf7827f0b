"""TH14: no alert is lost and none doubled, whatever stops, comes twice, or sets the clock wrong in between."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from hub.services.watch import Watch, watch
from hub.store.writer import Writer
from tests.crowd import crowd
from tests.laddering import CALENDAR, laddered
from tests.scenery import NOW, Scene, Store

#: How many shares, each with three clocks that are due.
NUMBER = int(os.environ.get("HUB_TEST_ALERTS", "150"))
LATER = NOW + timedelta(days=60)


class Stopped(Exception):
    """The process ends before its commit."""


def test_th14_crashes_several_clocks_and_moved_time_lose_and_double_none(scene: Scene, store: Store) -> None:
    # given shares of which three clocks each are due: opened, answered, ended
    crowd(scene, store, NUMBER)
    of = laddered()
    look = partial(watch, directory=of, calendar=CALENDAR)

    def crash(tx: Any, items: Any) -> Any:
        look(tx, items)
        raise Stopped

    # when the process dies in the middle of a round, again and again
    for _ in range(3):
        with pytest.raises(Stopped):
            store.one(crash, Watch(LATER, NOW, limit=60))
    assert store.all("alerts") == []
    # and four processes look at once while business time jumps back and forth, and a round is repeated
    writers = [Writer(store.engine) for _ in range(4)]
    for writer in writers:
        writer.start()
    instants = (LATER, NOW, LATER + timedelta(hours=1), LATER - timedelta(days=20))
    looks = [
        writer.submit(look, Watch(instants[(turn + number) % 4], NOW, limit=40))
        for turn in range(12)
        for number, writer in enumerate(writers)
    ]
    for each in looks:
        each.result(timeout=120)
    for writer in writers:
        writer.close()
    while store.one(look, Watch(LATER, NOW)):
        pass
    # then each clock that was due has its one alert, which somebody holds, and one e-mail went to each who hears
    alerts = store.all("alerts")
    raised = Counter((row["delivery_id"], row["level"]) for row in alerts)
    due = {(row["delivery_id"], row["level"]) for row in store.all("clocks") if row["level"] > 1}
    assert (set(raised) - due, due - set(raised), set(raised.values())) == (set(), set(), {1})
    people = {person.id for person in of.people()}
    assert [row for row in alerts if row["holder"] not in people] == []
    told = Counter(
        (row["alert_id"], row["recipient"]) for row in store.all("notices", topic="alert.unanswered", channel="email")
    )
    assert set(told.values()) == {1}
    assert len(told) == 2 * len(alerts), "the sender's side and the receiver's"
    assert {row["state"] for row in store.all("clocks") if row["level"] > 1} == {"passed"}
