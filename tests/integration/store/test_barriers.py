"""Barriers, wins and training on both databases: counted with what they follow from, of nobody, moved with reasons."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.barrier import BarrierState, Cause
from hub.domain.errors import Conflict, Forbidden, Malformed, NotFound
from hub.domain.ladder import EscalateReason, Role
from hub.domain.win import TRAINING, WIN, Help, Topic
from hub.sdk.connector import Inbound
from hub.services.barriers import MoveBarrier, OpenBarrier, find_barriers
from hub.services.escalate import Escalate
from hub.services.helped import Helped, HelpedAct
from hub.services.receive import Message
from hub.services.respond import Response
from hub.services.training_need import TrainingNeed
from hub.store.read_barriers import barrier, barriers, by_month, candidates
from hub.store.transaction import StoreTransaction
from tests.following import telling
from tests.laddering import CHAMPION, MONDAY, Follow, laddered
from tests.scenery import HOUSING, NOW, SENDER, Scene, Store, delivered, story

S = BarrierState
NO = "declined/no-local-connection"
DECLINED = Answer(AnswerState.DECLINED, reason="no-local-connection", owner="Duty desk")


def say(scene: Scene, store: Store, key: str, answer: Answer = DECLINED) -> Any:
    """A share that housing took and answered; the message's id is its own."""
    claimed = delivered(scene, store, key=key, receipt=f"ref-{key}")
    again(scene, store, key, answer)
    return claimed


def again(scene: Scene, store: Store, key: str, answer: Answer = DECLINED) -> None:
    """Another answer to the same."""
    name = scene.vault.digest("message", f"{key}-{len(store.all('inbox'))}")
    assert store.one(scene.receive, Message("housing", name, b"body", (), NOW))
    (unread,) = store.all("inbox", message_id=name)
    inbound = Inbound(name, f"ref-{key}", None, (answer,))
    assert store.one(scene.respond, Response(unread["id"], "housing", inbound, NOW, NOW))


@pytest.fixture
def follow(scene: Scene, store: Store) -> Follow:
    return Follow(scene, store)


def _counted(store: Store, what: Cause | str) -> dict[str, int]:
    return {row["name"]: row["number"] for row in store.all("tallies", what=str(what))}


def test_r38_each_coded_no_is_counted_once_by_service_and_reason_and_never_by_person(
    scene: Scene, store: Store
) -> None:
    # given / when two are told no for the same reason, one of them twice, and others meet other doors
    say(scene, store, "a")
    again(scene, store, "a")
    say(scene, store, "b")
    say(scene, store, "c", Answer(AnswerState.SIGNPOSTED))
    say(scene, store, "d", Answer(AnswerState.WAITING_LIST))
    say(scene, store, "e", Answer(AnswerState.WAITING_LIST, next_date=(NOW + timedelta(days=9)).date()))
    say(scene, store, "f", Answer(AnswerState.COULD_NOT_REACH, reason="Rang Sam Rivers at home"))
    say(scene, store, "g", Answer(AnswerState.ACCEPTED))
    # then they are counted, a list with a date is none, and no word of somebody's own is in it
    wanted = {NO: 2, "signposted": 1, "waiting_list/no-code": 1, "could_not_reach/no-code": 1}
    assert _counted(store, Cause.DOOR) == wanted
    found = candidates(store.engine)
    assert {(row["month"], row["service_id"], row["name"], row["met"]) for row in found} == {
        ("2026-11", HOUSING, name, number) for name, number in wanted.items()
    }
    # and what one hears by telephone counts without its words
    claimed = delivered(scene, store, key="h", receipt="ref-h")
    heard = telling(claimed.delivery_id, answer=replace(DECLINED, reason="not-eligible"))
    assert store.one(scene.record_heard, heard) is None
    assert _counted(store, Cause.DOOR)["declined/no-code"] == 1
    kept = json.dumps([dict(row) for row in store.all("tallies")])
    assert not [each for each in (*story(), claimed.delivery_id) if each in kept]


def test_r52_a_barrier_moves_one_step_at_a_time_with_a_reason_and_comes_back(follow: Follow, scene: Scene) -> None:
    # given what was counted once
    store, verbs = follow.store, follow.verbs
    say(scene, store, "a")
    opening = OpenBarrier(HOUSING, Cause.DOOR, NO, CHAMPION, NOW, "The rule is read too narrowly.")
    # when somebody says that it is a barrier, and moves it on
    assert isinstance(store.one(verbs.open_barrier, replace(opening, name="declined/too-old")), NotFound)
    assert isinstance(store.one(verbs.open_barrier, replace(opening, person="nobody")), Forbidden)
    one = store.one(verbs.open_barrier, opening)
    assert isinstance(store.one(verbs.open_barrier, opening), Conflict), "it is one already"

    def moved(to: S, reason: str, words: str = "", who: str = "coordinator") -> Any:
        return store.one(verbs.move_barrier, MoveBarrier(one, to, reason, who, NOW, words))

    assert isinstance(moved(S.ACTING, "service-is-changing"), Conflict), "a step is left out"
    assert isinstance(moved(S.UNDERSTOOD, "rule-changed"), Malformed), "a reason of another state"
    assert isinstance(moved(S.UNDERSTOOD, "rule-was-found", "Maria was told no."), Malformed)
    assert isinstance(moved(S.UNDERSTOOD, "rule-was-found", who="operator"), Forbidden)
    assert isinstance(store.one(verbs.move_barrier, MoveBarrier("0" * 32, S.ACTING, "", CHAMPION, NOW)), NotFound)
    assert moved(S.UNDERSTOOD, "rule-was-found", "Housing asks for 6 months of proof.") is None
    assert moved(S.ACTING, "service-is-changing") is None
    assert moved(S.REMOVED, "rule-changed") is None
    assert isinstance(moved(S.IDENTIFIED, "came-back"), Conflict), "only being met again brings it back"
    # then nothing brings it back until it is met again
    assert _looked(store, follow, 1) == 0
    assert isinstance(store.one(verbs.open_barrier, opening), Conflict)
    say(scene, store, "b")
    assert _looked(store, follow, 2) == 1
    assert _looked(store, follow, 3) == 0
    found, moves = barrier(store.engine, one) or pytest.fail("it is there")
    assert (found["state"], found["times"], found["met"]) == (S.IDENTIFIED, 2, 2)
    assert [(row["number"], row["state"], row["reason"], row["person"]) for row in moves] == [
        (1, S.IDENTIFIED, "people-say-so", CHAMPION),
        (2, S.UNDERSTOOD, "rule-was-found", "coordinator"),
        (3, S.ACTING, "service-is-changing", "coordinator"),
        (4, S.REMOVED, "rule-changed", "coordinator"),
        (5, S.IDENTIFIED, "came-back", "hub:clock"),
    ]
    assert len([row for row in store.all("audit_events", action="barrier.moved") if row["share_id"] is None]) == 5
    # and one that is said to stay is opened again by people alone
    for to, reason in ((S.UNDERSTOOD, "figures-looked-at"), (S.ACTING, "raised-with-leaders")):
        assert moved(to, reason) is None
    assert moved(S.ACKNOWLEDGED, "law-asks-for-it") is None
    say(scene, store, "c")
    assert _looked(store, follow, 4) == 0
    assert store.one(verbs.open_barrier, opening) == one
    assert barriers(store.engine)[0]["state"] == S.IDENTIFIED


def _looked(store: Store, follow: Follow, minutes: int, **directory: Any) -> int:
    of = replace(follow.directory, **directory)
    wall = NOW + timedelta(days=30, minutes=minutes)
    with store.engine.begin() as connection:
        return find_barriers(StoreTransaction(connection), of, NOW, wall)


def test_r52_what_is_met_often_in_a_month_is_identified_by_itself(follow: Follow, scene: Scene) -> None:
    # given two that a gate blocked, and one no
    store = follow.store
    day = NOW.date().isoformat()
    store.one(lambda tx, _: [tx.tally([(day, "gate", "gate-age", HOUSING)] * 2)], None)
    store.one(lambda tx, _: [tx.tally([("2026-10-31", "gate", "gate-age", HOUSING)] * 9)], None)
    say(scene, store, "a")
    # when nobody wants that, when it is not enough, and when it is
    assert _looked(store, follow, 1, barrier_at=0) == 0
    assert _looked(store, follow, 2, barrier_at=3) == 0
    assert _looked(store, follow, 2, barrier_at=2) == 0, "it is looked at once a minute, by whatever process"
    assert _looked(store, follow, 3, barrier_at=2) == 1
    assert _looked(store, follow, 4, barrier_at=2) == 0
    # then it is a barrier, and the clock said so
    (found,) = barriers(store.engine)
    assert (found["cause"], found["name"], found["met"], found["counted"]) == ("gate", "gate-age", 11, 11)
    assert store.only("barrier_moves")["reason"] == "counted-often"


def test_r52_silence_is_counted_once_when_nobody_above_is_left(follow: Follow) -> None:
    # given an alert that nobody opens
    at = MONDAY
    for _ in range(60):
        at += timedelta(hours=12)
        follow.look(at)
        if follow.alert["holder"] in {CHAMPION, "deputy", "coordinator", "network-manager"}:
            assert _counted(follow.store, Cause.SILENCE) == {}
    # then it went all the way up, and was counted as it reached the last, once
    assert follow.alert["holder"] == "operator"
    assert _counted(follow.store, Cause.SILENCE) == {"unanswered": 1}


def test_r52_so_is_what_is_escalated_to_the_top_by_hand_and_what_begins_there(scene: Scene, store: Store) -> None:
    # given one that is handed to the top at once
    follow = Follow(scene, store)
    top: dict[str, Any] = {"to": Role.ABOVE_NETWORK_MANAGER, "reason": EscalateReason.NO_REPLY}
    assert follow.act(follow.verbs.escalate, Escalate, CHAMPION, **top) is None
    assert _counted(store, Cause.SILENCE) == {"unanswered": 1}


def test_r52_a_small_partnership_s_only_champion_is_its_top(scene: Scene, store: Store) -> None:
    of = laddered(deputy=None)
    follow = Follow(scene, store, replace(of, coordinator=None, network_manager=None, above_network_manager=None))
    for days in range(1, 60):
        follow.look(MONDAY + timedelta(days=days))
    assert _counted(store, Cause.SILENCE) == {"unanswered": 1}


def test_r53_a_win_is_counted_once_without_whom_it_helped_and_the_team_is_thanked(follow: Follow, scene: Scene) -> None:
    # given a share that nobody answered, of which nothing can have helped yet
    store, claimed = follow.store, follow.claimed
    item = Helped(claimed.delivery_id, SENDER, "day-centre-system", Help.FOUND_A_WAY, NOW, NOW)
    assert isinstance(store.one(follow.verbs.record_helped, item), Conflict)
    assert store.one(scene.record_heard, telling(claimed.delivery_id)) is None
    # when its trusted person says twice that this helped, and the champion says so too, and somebody else
    assert isinstance(store.one(follow.verbs.record_helped, replace(item, partner_id="county")), NotFound)
    assert store.run(follow.verbs.record_helped, item, item) == [None, None]
    assert follow.act(follow.verbs.champion_helped, HelpedAct, CHAMPION, help=Help.HELPED) is None
    assert isinstance(follow.act(follow.verbs.champion_helped, HelpedAct, "champion-city", help=Help.HELPED), NotFound)
    # then it is one win of the team's, and one e-mail
    assert [dict(row) for row in by_month(store.engine, WIN)] == [
        {"month": "2026-11", "name": "found_a_way", "service_id": HOUSING, "number": 1}
    ]
    thanks = store.only("notices", topic="win.thanks")
    assert (thanks["recipient"], thanks["service_id"]) == ("champion:city", HOUSING)
    assert (thanks["share_id"], thanks["delivery_id"]) == (None, None)
    event = store.only("audit_events", action="win.recorded")
    assert (event["share_id"], event["delivery_id"]) == (None, None)
    assert claimed.delivery_id not in json.dumps(event["detail"])


def test_r53_a_champion_says_it_too(follow: Follow, scene: Scene) -> None:
    assert follow.store.one(scene.record_heard, telling(follow.claimed.delivery_id)) is None
    assert follow.act(follow.verbs.champion_helped, HelpedAct, CHAMPION, help=Help.KEPT_IN_TOUCH) is None
    assert _counted(follow.store, WIN) == {"kept_in_touch": 1}


def test_r55_a_training_need_is_a_topic_and_nothing_else(follow: Follow) -> None:
    # given / when the champion and the receiver's say the same of an alert, and somebody who does not see it
    before = len(follow.store.all("notices"))
    for who in (CHAMPION, "champion-city"):
        assert follow.act(follow.verbs.training_need, TrainingNeed, who, topic=Topic.TRAUMA) is None
    refused = follow.act(follow.verbs.training_need, TrainingNeed, "champion-county", topic=Topic.TRAUMA)
    assert isinstance(refused, NotFound)
    # then the list has the topic, of no team and no share, and no case system is told
    assert [dict(row) for row in by_month(follow.store.engine, TRAINING)] == [
        {"month": "2026-11", "name": "trauma", "service_id": "", "number": 2}
    ]
    assert len(follow.store.all("notices")) == before
    for event in follow.store.all("audit_events", action="training.recorded"):
        assert (event["share_id"], event["delivery_id"], event["detail"]) == (None, None, {"topic": "trauma"})
