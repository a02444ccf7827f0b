"""An answer that nobody fetches for a working day is told to the sender's champion, and waits where it is (R07)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.domain.answer import AnswerState
from hub.services.collect import Collect, collect
from hub.services.respond import Said, keep_answers
from hub.services.settle_notices import NoticeSettlement, settle_notices
from tests.laddering import CHAMPION, Follow
from tests.scenery import FULL, NOW, Scene, Store

#: The answer comes on Tuesday at 10:00, so it is to be fetched by the close of Wednesday.
CAME = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
BY = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)


def answered(scene: Scene, store: Store) -> Follow:
    follow = Follow(scene, store, raised=NOW + timedelta(minutes=1))
    store.run(
        lambda tx, _: [keep_answers(tx, [Said(next(iter(tx.lock_deliveries([follow.claimed.delivery_id]).values())),
                                               FULL, CAME, NOW, "message")], vault=scene.vault)], None
    )  # fmt: skip
    return follow


def test_r07_an_answer_that_nobody_fetched_in_a_working_day_is_told_to_the_champion(scene: Scene, store: Store) -> None:
    # given an answer that a case system has not taken and nobody has read
    follow = answered(scene, store)
    follow.look(BY - timedelta(seconds=1))
    assert store.all("alerts") == []
    # when a working day has gone by, and is looked at again and again
    for hours in (0, 1, 2):
        follow.look(BY + timedelta(hours=hours))
    # then the sending organisation's champion has one alert, and nobody else has the answer
    row = store.only("alerts")
    assert (row["kind"], row["holder"], row["state"]) == ("uncollected", CHAMPION, "open")
    assert [(each["recipient"], each["channel"]) for each in store.all("notices", topic="alert.uncollected")] == [
        (CHAMPION, "email")
    ]
    assert {each["recipient"] for each in store.all("notices", topic="delivery.answered")} == {"day-centre-system"}
    assert store.only("deliveries")["answer_state"] == AnswerState.ACCEPTED
    # and once somebody reads the share, there is nothing left to do
    store.one(collect, Collect(follow.claimed.share_id, BY + timedelta(hours=3)))
    assert store.only("alerts")["state"] == "closed"
    assert store.only("answers")["is_collected"] is True


def test_r07_what_the_case_system_took_or_a_worker_read_is_fetched(scene: Scene, store: Store) -> None:
    # given an answer whose notice the case system takes
    follow = answered(scene, store)
    (notice,) = store.all("notices", topic="delivery.answered")
    store.one(settle_notices, NoticeSettlement(notice, "sent", CAME, None))
    # then nothing is said, however long it is
    follow.look(BY + timedelta(hours=1))
    assert [row for row in store.all("alerts") if row["kind"] == "uncollected"] == []
