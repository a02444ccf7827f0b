"""R54, R57: a month is counted from codes, published once, the same after forgetting, and put right as a whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.disclosure import Span
from hub.domain.errors import Conflict, Malformed
from hub.domain.forget import Forgetting
from hub.domain.learning import Level, Measure
from hub.domain.win import TRAINING, WIN, Help
from hub.sdk.connector import Inbound
from hub.services.helped import Helped, record_helped
from hub.services.open_figures import open_figures
from hub.services.publish_month import PublishMonth, publish_month
from hub.services.receive import Message
from hub.services.respond import Response
from hub.services.shred import Shred, shred
from hub.services.tallies import COHORT
from tests.laddering import CALENDAR
from tests.scenery import HOUSING, NOW, SENDER, TREATMENT, Scene, Store, delivered, story

OVER = datetime(2026, 12, 1, tzinfo=UTC)
LATER = OVER + timedelta(days=200)


def publish(scene: Scene, store: Store, month: str = "2026-11", at: datetime = OVER, **more: Any) -> Any:
    verb = partial(publish_month, directory=scene.directory, calendar=CALENDAR)
    return store.one(verb, PublishMonth(month, "operator:1", at, **more))


def answered(scene: Scene, store: Store, key: str, at: datetime, state: AnswerState = AnswerState.ACCEPTED) -> Any:
    """A share that housing took, and decided on at an instant."""
    claimed = delivered(scene, store, key=key, receipt=f"ref-{key}")
    name = scene.vault.digest("message", key)
    assert store.one(scene.receive, Message("housing", name, b"body", (), at))
    (unread,) = store.all("inbox", message_id=name)
    inbound = Inbound(name, f"ref-{key}", None, (Answer(state, owner="Duty desk"),))
    assert store.one(scene.respond, Response(unread["id"], "housing", inbound, at, at))
    return claimed


def spans(published: Any, measure: Measure, place: str = "") -> dict[str, Span]:
    """What is told of one place, by name."""
    return {each.name: each.span for each in published.figures if (each.measure, each.place) == (measure, place)}


def forget(store: Store) -> int:
    """Forget every story there is."""
    verb = partial(shred, policy=Forgetting(), write_down=lambda _ids, _day: None)
    return int(store.one(verb, Shred(LATER, LATER, 500)))


def a_month(scene: Scene, store: Store) -> None:
    """Six answers within a day, five after two days, six late, five that never came; six of the first helped."""
    for number in range(6):
        claimed = answered(scene, store, f"fast-{number}", NOW + timedelta(hours=5))
        helped = Helped(claimed.delivery_id, SENDER, "day-centre-system", Help.HELPED, NOW, NOW)
        verb = partial(record_helped, directory=scene.directory, vault=scene.vault)
        assert store.one(verb, helped) is None
    for number in range(5):
        answered(scene, store, f"slow-{number}", NOW + timedelta(hours=49))
    for number in range(6):
        answered(scene, store, f"late-{number}", NOW + timedelta(days=8))
    for number in range(5):
        delivered(scene, store, key=f"none-{number}", receipt=f"ref-none-{number}")


def test_r57_a_month_tells_how_often_people_had_to_tell_and_how_long_until_somebody_had_it(
    scene: Scene, store: Store
) -> None:
    # given a month, and eight people whose one telling went to both services
    a_month(scene, store)
    for number in range(8):
        store.accept(scene.acceptance(f"both-{number}"))
    # when it is over
    published = publish(scene, store)
    # then its tellings are counted by how many each one reached, and answers by how long they took
    told = spans(published, Measure.TELLINGS, SENDER)
    assert (told["planned/1"].figure, told["planned/2"].figure, told["urgent/1"].figure) == (20, 10, None)
    assert spans(published, Measure.WINS, HOUSING)["helped"].figure == 5
    took = {name: span.figure for name, span in spans(published, Measure.ANSWERS, HOUSING).items()}
    assert took == {
        "in_time/day": 5, "in_time/3_days": 5, "in_time/longer": None,
        "late/day": None, "late/3_days": None, "late/longer": 5, "none": 15,
    }  # fmt: skip
    # and what was taken back before anybody decided owes no answer
    assert published.version == 1
    assert published.opens_on == "2026-12-15"


def test_r54_a_published_month_is_the_same_for_ever_after_late_answers_and_after_forgetting(
    scene: Scene, store: Store
) -> None:
    # given a month that was published
    a_month(scene, store)
    first = open_figures(publish(scene, store), "Test")
    # when answers come late, and every story of it is forgotten
    for number in range(9):
        answered(scene, store, f"after-{number}", NOW + timedelta(days=20))
    assert forget(store) == 31
    # then whoever asks again gets the same bytes
    assert open_figures(publish(scene, store, at=LATER), "Test") == first
    # and when it is put right, as a whole, what moved by five or more is new and the rest is as it was
    second = publish(scene, store, at=LATER, why="answers-came-late")
    assert (second.version, spans(second, Measure.ANSWERS, HOUSING)["late/longer"].figure) == (2, 15)
    assert spans(second, Measure.WINS) == spans(publish(scene, store, at=LATER), Measure.WINS)
    assert open_figures(publish(scene, store, at=LATER), "Test") == open_figures(second, "Test")
    assert [row["why"] for row in store.all("learned")] == ["", "answers-came-late"]


def test_r54_forgetting_changes_no_count(scene: Scene, store: Store) -> None:
    # given two hubs' worth of the same month: one is published at once, one after its stories are gone
    a_month(scene, store)
    assert forget(store) == 22
    assert all(row["data_key"] is None for row in store.all("shares"))
    published = publish(scene, store, at=LATER)
    assert spans(published, Measure.TELLINGS)["planned/1"].low >= 18
    assert spans(published, Measure.ANSWERS, HOUSING)["late/longer"].figure == 5


def test_r54_nothing_that_is_published_or_kept_of_a_month_tells_of_anybody(scene: Scene, store: Store) -> None:
    # given a month with everything that is counted, and a code of somebody's own
    a_month(scene, store)
    rows = [("door", "declined/Sam Rivers", HOUSING), (COHORT, "yes", TREATMENT), (TRAINING, "consent", "")]
    store.run(
        lambda tx, _: [tx.tally([("2026-11-20", *each) for each in rows * 6 + [(WIN, "helped", "a-refuge")]])], None
    )
    # when it is published
    files = open_figures(publish(scene, store), "Test")
    # then no word of any story, no id of a share, delivery or person, and no service that is not listed is in it
    everything = "".join(files.values()) + json.dumps([dict(row) for row in store.all("learned")], default=str)
    ids = [row["id"] for name in ("shares", "deliveries") for row in store.all(name)]
    ids += [row["reference"] for row in store.all("shares")]
    assert not [each for each in (*story(), *ids, "Sam Rivers") if each in everything]
    assert "a-refuge" not in "".join(files.values())
    assert "door/another" in files["doors.csv"]
    # and it is counted in its month alone
    assert spans(publish(scene, store, "2026-10"), Measure.TRAINING)["consent"] == Span(0, 4)
    assert spans(publish(scene, store), Measure.TRAINING)["consent"].figure == 5
    assert spans(publish(scene, store), Measure.THREE_OF_FIVE, TREATMENT)["yes"].low == 5


def test_a_confidential_service_is_in_no_row_and_its_counts_in_the_partnerships_alone(
    scene: Scene, store: Store
) -> None:
    a_month(scene, store)
    services = {**scene.directory.services}
    services[HOUSING] = replace(services[HOUSING], confidential=True)
    hidden = replace(scene.directory, services=services)
    published = store.one(
        partial(publish_month, directory=hidden, calendar=CALENDAR), PublishMonth("2026-11", "operator:1", OVER)
    )
    assert HOUSING not in {each.place for each in published.figures}
    assert "city" not in {each.place for each in published.figures if each.measure is Measure.ANSWERS}
    assert spans(published, Measure.ANSWERS)["late/longer"].low + spans(published, Measure.WINS)["helped"].low >= 5


def test_what_is_no_month_or_not_over_or_was_never_published_is_refused(scene: Scene, store: Store) -> None:
    assert isinstance(publish(scene, store, "2026-11-01"), Malformed)
    assert isinstance(publish(scene, store, at=OVER - timedelta(seconds=1)), Conflict)
    assert isinstance(publish(scene, store, why="counted-twice"), Conflict)
    assert store.all("learned") == []


@pytest.mark.parametrize("month", ["2026-03", "2026-10"])
def test_a_month_is_londons_where_the_clocks_change_in_it(scene: Scene, store: Store, month: str) -> None:
    published = publish(scene, store, month)
    assert (published.month, {each.span for each in published.figures if each.level is Level.SERVICE}) == (
        month,
        {Span(0, 4)},
    )
