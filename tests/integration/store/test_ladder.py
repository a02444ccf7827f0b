"""The follow-up ladder on both databases: every alert has a holder, passes on in time, and each act leaves a trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from hub.domain.alert_list import AlertFilter, Shown
from hub.domain.answer import Level
from hub.domain.errors import Conflict, NotFound
from hub.domain.ladder import CloseReason, EscalateReason, Priority, Role, SnoozeReason, cover, scope, steps
from hub.domain.outcome import Delivered
from hub.ladder import ladder
from hub.services.close_alert import CloseAlert
from hub.services.days_off import DropDaysOff, KeepDaysOff
from hub.services.escalate import Escalate
from hub.services.nudge import Nudge
from hub.services.snooze import Snooze
from hub.services.take_on import OpenAlert, TakeOn
from hub.services.watch import Watch, watch
from hub.store.read_alert import read_alert
from hub.store.read_cover import days_off, in_hand
from hub.store.read_follow_up import follow_up, how_many
from tests.laddering import CALENDAR, CHAMPION, DEPUTY, MONDAY, Follow, laddered
from tests.scenery import HOUSING, NOW, SENDER, Scene, Store, settlement


@pytest.fixture
def follow(scene: Scene, store: Store) -> Follow:
    return Follow(scene, store)


def test_r44_the_sending_organisation_s_champion_holds_it_and_the_receiver_s_hears(follow: Follow) -> None:
    assert (follow.alert["holder"], follow.alert["role"]) == (CHAMPION, Role.CHAMPION)
    assert sorted(follow.mailed()) == [("alert.unanswered", "champion-city"), ("alert.unanswered", CHAMPION)]


def test_r50_unopened_for_two_of_their_own_working_days_it_passes_up_to_the_end(follow: Follow) -> None:
    # given a champion who works Mondays and Thursdays: raised on a Monday after closing, it was theirs from Thursday
    when = {}
    holder = follow.alert["holder"]
    at = MONDAY
    # when nobody ever opens it, and every half day is looked at
    for _ in range(80):
        at += timedelta(hours=12)
        follow.look(at)
        if follow.alert["holder"] != holder:
            holder = follow.alert["holder"]
            when[holder] = follow.alert["held_since"]
    # then it went to each in turn, never to nobody, and ends with the operator
    assert list(when) == [DEPUTY, "coordinator", "network-manager", "change-forum", "operator"]
    assert when[DEPUTY].date() == date(2026, 12, 3), "Thursday 26 November, Monday 30, Thursday 3 December at 17:00"
    assert when["coordinator"].date() == date(2026, 12, 8), "the deputy works from Monday to Friday"
    assert [topic for topic, _ in follow.mailed()].count("alert.passed_on") == 5
    assert {row["state"] for row in follow.store.all("alerts")} == {"open"}


def test_r50_an_urgent_one_passes_on_after_four_hours(scene: Scene, store: Store) -> None:
    # given an urgent share
    share = replace(scene.share, urgent=True, services=[HOUSING])
    store.accept(scene.acceptance(share=share))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Delivered("r")))
    look = partial(watch, directory=laddered(), calendar=CALENDAR)
    store.one(look, Watch(MONDAY, NOW))
    # when four hours have gone by, at night
    store.one(look, Watch(MONDAY + timedelta(hours=3, minutes=59), NOW))
    before = {row["holder"] for row in store.all("alerts")}
    store.one(look, Watch(MONDAY + timedelta(hours=4), NOW))
    # then the deputy has it
    assert (before, {row["holder"] for row in store.all("alerts")}) == ({CHAMPION}, {DEPUTY})
    assert {row["priority"] for row in store.all("alerts")} == {Priority.URGENT}


def test_r44_who_has_got_it_is_seen_by_both_champions_and_stops_the_pass_on(follow: Follow) -> None:
    # when the champion says so
    assert follow.act(follow.verbs.take_on, TakeOn, CHAMPION) is None
    # then both champions see who and when
    for who in (CHAMPION, "champion-city"):
        page = follow_up(follow.store.engine, scope(follow.directory, who), AlertFilter())
        assert [(each.taken_by, each.taken_at) for each in page.lines] == [(CHAMPION, MONDAY)]
    assert "alert.taken" in follow.hooked()
    # and it does not pass on by itself, until nothing is done for five of their working days
    follow.look(MONDAY + timedelta(days=15))
    assert follow.alert["holder"] == CHAMPION
    follow.look(MONDAY + timedelta(days=30))
    assert follow.alert["holder"] == DEPUTY
    assert ("alert.informed", CHAMPION) in follow.mailed()


def test_r44_somebody_else_cannot_take_it_without_saying_so(follow: Follow) -> None:
    follow.act(follow.verbs.take_on, TakeOn, CHAMPION)
    # when the deputy takes it too
    refused = follow.act(follow.verbs.take_on, TakeOn, DEPUTY)
    # then they are told who to ring; and may take it over
    assert isinstance(refused, Conflict)
    assert follow.act(follow.verbs.take_on, TakeOn, DEPUTY, instead=True) is None
    assert (follow.alert["taken_by"], follow.alert["holder"]) == (DEPUTY, DEPUTY)
    assert ("alert.taken_over", CHAMPION) in follow.mailed()


def test_r48_any_step_may_be_chosen_and_those_passed_are_informed(follow: Follow) -> None:
    # when the champion hands it straight to the network manager
    done = follow.act(
        follow.verbs.escalate, Escalate, CHAMPION, to=Role.NETWORK_MANAGER, reason=EscalateReason.NO_REPLY
    )
    # then they have it, and the deputy and coordinator hear
    assert done is None
    assert follow.alert["holder"] == "network-manager"
    assert sorted(follow.mailed()) == sorted(
        [("alert.unanswered", CHAMPION), ("alert.unanswered", "champion-city"),
         ("alert.escalated", "network-manager"), ("alert.informed", DEPUTY), ("alert.informed", "coordinator")]
    )  # fmt: skip
    assert "alert.escalated" in follow.hooked()
    # and its history travels
    view = read_alert(follow.store.engine, follow.alert["id"], scope(follow.directory, "network-manager"))
    assert view is not None
    assert [entry.action for entry in view.timeline if entry.action.startswith("alert.")] == follow.said()
    assert dict(view.timeline[-1].detail)["reason"] == "no_reply"


def test_nobody_on_the_ladder_is_handed_what_is_not_there(scene: Scene, store: Store) -> None:
    without = replace(laddered(), above_network_manager=None)
    follow = Follow(scene, store, without)
    refused = follow.act(
        follow.verbs.escalate, Escalate, CHAMPION, to=Role.ABOVE_NETWORK_MANAGER, reason=EscalateReason.SAFETY
    )
    assert isinstance(refused, Conflict)
    assert follow.alert["holder"] == CHAMPION


def test_th14_never_to_a_leaver_and_never_to_somebody_away(scene: Scene, store: Store) -> None:
    # given a champion whose last day was yesterday, and a deputy who is away
    gone = replace(laddered().partners[SENDER].champion, until=date(2026, 11, 22))
    of = laddered(champion=gone)
    verbs = ladder(of, CALENDAR, scene.vault, {})
    away = KeepDaysOff(DEPUTY, date(2026, 11, 23), date(2026, 11, 24), scope(of, DEPUTY), frozenset(), NOW)
    assert store.one(verbs.keep_days_off, away) is None
    # when an alert is raised
    follow = Follow(scene, store, of)
    # then the coordinator has it
    assert follow.alert["holder"] == "coordinator"


def test_th14_what_a_leaver_held_or_somebody_away_did_not_open_goes_on_at_once(scene: Scene, store: Store) -> None:
    follow = Follow(scene, store)
    # when the champion is away from tomorrow
    own = scope(follow.directory, CHAMPION)
    follow.store.one(
        follow.verbs.keep_days_off, KeepDaysOff(CHAMPION, date(2026, 11, 24), date(2026, 11, 27), own, frozenset(), NOW)
    )
    follow.look(MONDAY + timedelta(hours=12))
    # then the deputy has it the next day
    assert follow.alert["holder"] == DEPUTY
    # and where the deputy leaves the partnership's file, the coordinator
    follow.directory = laddered(deputy=None)
    follow.look(MONDAY + timedelta(hours=13))
    assert follow.alert["holder"] == "coordinator"
    assert follow.look(MONDAY + timedelta(hours=13)) == 0


def test_th15_it_is_put_off_for_a_reason_and_is_there_again(follow: Follow) -> None:
    # when it is put off until Thursday
    done = follow.act(
        follow.verbs.snooze, Snooze, CHAMPION, until=date(2026, 11, 26), reason=SnoozeReason.ANSWER_PROMISED
    )
    assert done is None
    reader = scope(follow.directory, CHAMPION)
    assert follow_up(follow.store.engine, reader, AlertFilter()).lines == ()
    assert len(follow_up(follow.store.engine, reader, AlertFilter(shown=Shown.SNOOZED)).lines) == 1
    # then it is there again that morning, and its holder hears
    follow.look(datetime(2026, 11, 26, 9, 0, tzinfo=UTC))
    assert ("alert.woken", CHAMPION) in follow.mailed()
    assert len(follow_up(follow.store.engine, reader, AlertFilter()).lines) == 1
    # and nobody puts it off for ever
    far = follow.act(follow.verbs.snooze, Snooze, CHAMPION, until=date(2027, 6, 1), reason=SnoozeReason.ANSWER_PROMISED)
    assert isinstance(far, Conflict)


def test_r46_it_is_closed_for_a_reason_and_the_case_system_hears(follow: Follow) -> None:
    assert follow.act(follow.verbs.close_alert, CloseAlert, CHAMPION, reason=CloseReason.NO_LONGER_NEEDED) is None
    row = follow.alert
    assert (row["state"], row["closed_by"], row["closed_why"]) == ("closed", CHAMPION, "no_longer_needed")
    assert "alert.closed" in follow.hooked()
    reader = scope(follow.directory, CHAMPION)
    assert [each.id for each in follow_up(follow.store.engine, reader, AlertFilter(shown=Shown.CLOSED)).lines] == [
        row["id"]
    ]
    # and is closed for good
    assert isinstance(follow.act(follow.verbs.take_on, TakeOn, CHAMPION), Conflict)


def test_r46_a_nudge_asks_the_receiver_s_champion_where_there_is_no_other_way(follow: Follow) -> None:
    assert follow.act(follow.verbs.nudge, Nudge, CHAMPION) is None
    assert ("alert.nudge", "champion-city") in follow.mailed()
    # and once an hour at most
    assert isinstance(follow.act(follow.verbs.nudge, Nudge, CHAMPION), Conflict)


def test_th12_an_alert_of_another_organisation_is_not_found(follow: Follow) -> None:
    # given the champion of a partner that neither sent it nor owes it
    for verb, item in ((follow.verbs.take_on, TakeOn), (follow.verbs.open_alert, OpenAlert),
                       (follow.verbs.nudge, Nudge)):  # fmt: skip
        assert isinstance(follow.act(verb, item, "champion-county"), NotFound)
    assert read_alert(follow.store.engine, follow.alert["id"], scope(follow.directory, "champion-county")) is None
    assert follow_up(follow.store.engine, scope(follow.directory, "champion-county"), AlertFilter()).lines == ()
    # and the receiver's champion sees it, takes it on, and closes nothing
    assert follow.act(follow.verbs.open_alert, OpenAlert, "champion-city") is None
    assert isinstance(
        follow.act(follow.verbs.close_alert, CloseAlert, "champion-city", reason=CloseReason.NO_LONGER_NEEDED), NotFound
    )
    assert follow.act(follow.verbs.take_on, TakeOn, "champion-city") is None
    assert (follow.alert["taken_by"], follow.alert["holder"]) == ("champion-city", CHAMPION)


def test_a_later_rung_stays_with_whoever_has_the_delivery_in_hand(follow: Follow) -> None:
    follow.act(follow.verbs.escalate, Escalate, CHAMPION, to=Role.COORDINATOR, reason=EscalateReason.NO_REPLY)
    follow.act(follow.verbs.take_on, TakeOn, "coordinator")
    # when the decision's clock runs out too
    follow.look(datetime(2026, 11, 25, 17, 0, 1, tzinfo=UTC))
    # then the coordinator has that as well, and one line stands in the list
    assert {(row["level"], row["holder"], row["taken_by"]) for row in follow.store.all("alerts")} == {
        (2, "coordinator", "coordinator"), (3, "coordinator", "coordinator")
    }  # fmt: skip
    page = follow_up(follow.store.engine, scope(follow.directory, CHAMPION), AlertFilter())
    assert [each.level for each in page.lines] == [Level.L3]


def test_r49_a_hand_is_offered_at_half_the_clock_and_only_to_who_asked(scene: Scene, store: Store) -> None:
    # given two shares of a Friday afternoon, of which one asks for a hand
    for key, like in (("plain", False), ("hand", True)):
        share = replace(scene.share, services=[HOUSING], like_a_hand=like)
        share = replace(share, person=replace(share.person, reference=f"P-{key}"))
        store.accept(scene.acceptance(key, share=share))
    for number, claimed in enumerate(store.claim()):
        store.one(scene.settle, settlement(claimed, Delivered(f"r{number}")))
    look = partial(watch, directory=laddered(), calendar=CALENDAR)
    # when one and a half of the three working days have passed
    store.one(look, Watch(datetime(2026, 11, 24, 12, 59, tzinfo=UTC), NOW))
    before = [row["kind"] for row in store.all("alerts")]
    store.one(look, Watch(datetime(2026, 11, 24, 13, 0, tzinfo=UTC), NOW))
    # then one heads-up came, to the champion alone, and it is last in the list
    assert "early" not in before
    (early,) = store.all("alerts", kind="early")
    assert (early["holder"], early["priority"], early["look_at"]) == (CHAMPION, Priority.EARLY, None)
    assert [row["recipient"] for row in store.all("notices", topic="alert.early")] == [CHAMPION]
    # and only once
    store.one(look, Watch(datetime(2026, 11, 24, 14, 0, tzinfo=UTC), NOW))
    assert len(store.all("alerts", kind="early")) == 1


def test_r44_nobody_is_alerted_about_themselves(scene: Scene, store: Store) -> None:
    # given a service that the city's champion answers for themselves, and a sender's champion who answers for no one
    of = laddered()
    services = dict(of.services) | {HOUSING: replace(of.services[HOUSING], answered_by="champion-city")}
    follow = Follow(scene, store, replace(of, services=services))
    assert "champion-city" not in {to for _, to in follow.mailed()}
    # and where that is the sender's champion, the deputy leads
    assert steps(replace(of, services=services), SENDER, about=CHAMPION)[0].person.id == DEPUTY


def test_my_cover_says_who_comes_after_me_and_whom_i_cover(follow: Follow) -> None:
    mine = cover(follow.directory, DEPUTY)
    assert [step.person.id for step in mine.after] == ["coordinator", "network-manager", "change-forum"]
    assert [step.person.id for step in mine.before] == [CHAMPION]
    assert CHAMPION in mine.colleagues
    # when the deputy writes down that the champion is away, and then that they are not
    by = scope(follow.directory, DEPUTY)
    first, last = date(2026, 11, 24), date(2026, 11, 27)
    follow.store.one(follow.verbs.keep_days_off, KeepDaysOff(CHAMPION, first, last, by, mine.colleagues, NOW))
    found = days_off(follow.store.engine, {CHAMPION, DEPUTY}, first)
    assert [(each.person, each.first, each.last) for each in found] == [(CHAMPION, "2026-11-24", "2026-11-27")]
    follow.store.one(follow.verbs.drop_days_off, DropDaysOff(CHAMPION, first, by, mine.colleagues, NOW))
    assert days_off(follow.store.engine, {CHAMPION}, first) == ()
    # and nobody does so for strangers
    stranger = KeepDaysOff("champion-city", first, last, by, mine.colleagues, NOW)
    assert isinstance(follow.store.one(follow.verbs.keep_days_off, stranger), NotFound)
    assert in_hand(follow.store.engine, {CHAMPION, DEPUTY}) == {CHAMPION: 1}
    assert how_many(follow.store.engine, by, AlertFilter()) == {Priority.OTHER: 1}
