"""What a champion writes down from an alert: what was heard, and a shut door; once, and the case system hears (R46)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.barrier import Cause
from hub.domain.errors import Conflict, Malformed, NotFound
from hub.domain.ladder import CloseReason
from hub.domain.win import Topic
from hub.services.act_once import Posted
from hub.services.close_alert import CloseAlert
from hub.services.hear import Hear
from hub.services.meet_barrier import MeetBarrier
from hub.services.nudge import Nudge
from hub.services.pack import place, unpack
from hub.services.training_need import TrainingNeed
from tests.laddering import CHAMPION, MONDAY, Follow
from tests.scenery import HOUSING, NOW, Scene, Store

YES = Answer(AnswerState.ACCEPTED, owner="Jo, duty desk", next_date=date(2026, 11, 30))


@pytest.fixture
def follow(scene: Scene, store: Store) -> Follow:
    return Follow(scene, store)


def heard(follow: Follow, who: str = CHAMPION, **more: Any) -> Any:
    said = {"answer": YES, "how": "phone", "said_by": "Jo", "told_to": "Ann", "on": MONDAY.date(), **more}
    return follow.act(follow.verbs.hear, Hear, who, **said)


def test_r64_what_a_champion_heard_is_the_answer_and_returns_to_the_sender(scene: Scene, follow: Follow) -> None:
    # given an alert that nobody answered; when a champion writes down a yes that they heard by telephone
    assert heard(follow) is None
    # then it is the answer, sealed, with who was told and how
    row = follow.store.only("deliveries")
    assert row["answer_state"] == "accepted"
    answer, share = follow.store.only("answers"), follow.store.only("shares")
    said = unpack(scene.vault.unwrap(share["data_key"]).open(answer["said"], place("answers", "said", answer["id"])))
    assert (answer["source"], said["owner"], said["told"]) == (
        "heard", "Jo, duty desk", {"to": "Ann", "by": "Jo", "how": "phone", "on": "2026-11-23"},
    )  # fmt: skip
    # and the clocks stop, the alert closes, the case system hears, and the service gets a copy
    assert {each["level"] for each in follow.store.all("clocks", state="running")} == {4}
    assert {each["state"] for each in follow.store.all("alerts")} == {"closed"}
    topics = [(each["channel"], each["topic"]) for each in follow.store.all("notices")]
    assert ("webhook", "delivery.answered") in topics
    assert ("email", "heard_copy") in topics
    # and the champion is answerable for it
    events = follow.store.all("audit_events", actor=f"person:{CHAMPION}")
    assert {"delivery.heard", "delivery.answered"} <= {each["action"] for each in events}


def test_r64_what_proves_less_leaves_the_alert_open_and_counts_as_an_act(follow: Follow) -> None:
    # when a champion hears that the service only has it, of an alert that waits for a decision
    follow.look(MONDAY + timedelta(days=1))
    later = MONDAY + timedelta(days=2)
    more = {"answer": Answer(AnswerState.NEEDS_INFO), "how": "phone", "said_by": "", "told_to": "Ann"}
    assert follow.act(follow.verbs.hear, Hear, CHAMPION, later, on=later.date(), **more) is None
    # then what is still waited for stays open
    assert {row["answer_state"] for row in follow.store.all("deliveries")} == {"needs_info"}
    running = {each["level"] for each in follow.store.all("clocks", state="running")}
    assert 4 in running


def test_r64_only_whoever_follows_up_for_the_sender_writes_down_what_was_heard(follow: Follow) -> None:
    for who in ("champion-city", "champion-county", "nobody"):
        assert isinstance(heard(follow, who), NotFound)
    assert follow.store.all("answers") == []


def test_r64_a_closed_alert_takes_no_answer(follow: Follow) -> None:
    follow.act(follow.verbs.close_alert, CloseAlert, CHAMPION, reason=CloseReason.NO_LONGER_NEEDED)
    assert isinstance(heard(follow), Conflict)
    assert follow.store.all("answers") == []


def posted(follow: Follow, verb: Any, item: Any, form: str = "form-1") -> Any:
    return follow.store.one(follow.verbs.act_once, Posted(verb, item, form, NOW))


def test_r46_a_form_that_is_sent_twice_is_done_once(follow: Follow) -> None:
    # given a form that asks again, and one that counts a training need
    alert_id = follow.alert["id"]
    ask = Nudge(alert_id, CHAMPION, MONDAY, NOW)
    learn = TrainingNeed(alert_id, CHAMPION, MONDAY, NOW, topic=Topic.CONSENT)
    # when each is sent twice, then the second changes nothing and is no error
    assert [posted(follow, follow.verbs.nudge, ask) for _ in range(2)] == [None, None]
    assert [posted(follow, follow.verbs.training_need, learn, "form-2") for _ in range(2)] == [None, None]
    assert follow.mailed().count(("alert.nudge", "champion-city")) == 1
    assert [each["number"] for each in follow.store.all("tallies", what="training")] == [1]
    # and another form is another act: too soon to ask again
    assert isinstance(posted(follow, follow.verbs.nudge, ask, "form-3"), Conflict)


def test_r46_a_form_that_was_refused_may_be_sent_again(follow: Follow) -> None:
    # given a form that was refused for its words
    alert_id = follow.alert["id"]
    wrong = MeetBarrier(
        alert_id, CHAMPION, MONDAY, NOW, cause=Cause.SILENCE, name="unanswered", words="Ring 07700 900123"
    )
    assert isinstance(posted(follow, follow.verbs.meet_barrier, wrong), Malformed)
    assert (follow.store.all("barriers"), follow.store.all("tallies", what="silence")) == ([], [])
    # when it is put right
    assert posted(follow, follow.verbs.meet_barrier, replace(wrong, words="Nobody rings back")) is None
    # then it is done
    assert len(follow.store.all("barriers")) == 1


def test_r46_silence_is_written_down_as_a_barrier_and_counted_once_an_alert(follow: Follow) -> None:
    # when a champion says that nobody answering is a shut door, and says so again later
    said = {"cause": Cause.SILENCE, "name": "unanswered", "words": "Nobody rings back"}
    assert follow.act(follow.verbs.meet_barrier, MeetBarrier, CHAMPION, **said) is None
    assert follow.act(follow.verbs.meet_barrier, MeetBarrier, CHAMPION, **said) is None
    # then there is one barrier, met once, that names the service and nobody
    barrier = follow.store.only("barriers")
    assert (barrier["service_id"], barrier["cause"], barrier["state"]) == (HOUSING, "silence", "identified")
    assert [each["number"] for each in follow.store.all("tallies", what="silence")] == [1]
    # and the case system hears of it; the top of the ladder counts it no second time
    assert follow.hooked().count("barrier.recorded") == 2
    assert follow.alert["top_at"] == MONDAY


def test_r46_what_was_never_met_is_no_barrier(follow: Follow) -> None:
    for cause, name in ((Cause.SILENCE, "undelivered"), (Cause.DOOR, "declined/no-code"), (Cause.GATE, "age")):
        refused = follow.act(follow.verbs.meet_barrier, MeetBarrier, CHAMPION, cause=cause, name=name)
        assert not isinstance(refused, str)
        assert refused is not None, (cause, name)
    assert follow.store.all("barriers") == []
