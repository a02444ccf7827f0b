"""What was heard another way: it is the answer, in full and once, and proves nothing of the parcel (R64)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.errors import NotFound
from hub.domain.outcome import Delivered, InDoubt, RetryLater
from hub.services.claim import Claimed
from hub.services.pack import place, unpack
from hub.services.record_heard import Heard
from tests.scenery import BUSINESS, FULL, HOUSING, NOW, SENDER, Scene, Store, delivered, settlement


def heard(claimed: Claimed, partner_id: str = SENDER, answer: Answer = FULL) -> Heard:
    return Heard(
        claimed.delivery_id, partner_id, "day-centre-system", answer, "phone", "Duty desk", "Jo", NOW, BUSINESS, NOW
    )


@pytest.mark.parametrize("before", ["queued", "sending", "retrying", "in_doubt"])
def test_what_was_heard_proves_nothing_of_the_parcel(scene: Scene, store: Store, before: str) -> None:
    # given: a share that has not arrived
    store.accept(scene.acceptance(services=[HOUSING]))
    delivery_id = store.only("deliveries")["id"]
    if before != "queued":
        (claimed,) = store.claim()
        outcome = RetryLater("busy") if before == "retrying" else InDoubt("no-reply")
        assert before == "sending" or store.one(scene.settle, settlement(claimed, outcome))
    # when
    item = Heard(delivery_id, SENDER, "day-centre-system", FULL, "phone", "Duty desk", "Jo", NOW, BUSINESS, NOW)
    assert store.one(scene.record_heard, item) is None
    # then: it is the answer, and the sending and the clocks of its way go on
    row = store.only("deliveries")
    assert (row["state"], row["answer_state"], row["delivered_at"]) == (before, "accepted", None)
    assert {each["level"] for each in store.all("clocks", state="running")} == {0, 1, 4}
    if before != "sending":
        (claimed,) = store.claim(wall=NOW + timedelta(days=1))
    assert store.one(scene.settle, settlement(claimed, Delivered("ref", answers=(Answer(AnswerState.RECEIVED),))))
    # and once it is there, its mere receipt takes nothing back
    row = store.only("deliveries")
    assert (row["state"], row["answer_state"]) == ("delivered", "accepted")
    assert {each["level"] for each in store.all("clocks", state="running")} == {4}


def test_a_no_by_phone_leaves_the_clocks_of_the_way_running(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    # when
    store.one(scene.record_heard, heard(claimed, answer=Answer(AnswerState.DECLINED, reason="full")))
    # then
    assert {each["level"] for each in store.all("clocks", state="running")} == {0, 1}


def test_who_wrote_down_what_was_heard_is_answerable_for_it(scene: Scene, store: Store) -> None:
    claimed = delivered(scene, store)
    store.one(scene.record_heard, heard(claimed))
    assert store.only("audit_events", action="delivery.answered")["actor"] == "client:day-centre-system"


def test_the_same_words_heard_again_within_a_day_are_one_note(scene: Scene, store: Store) -> None:
    # given: a client whose reply was lost
    claimed = delivered(scene, store)
    note = heard(claimed)
    # when: it says the same in the same batch, and an hour later
    later = replace(note, wall=NOW + timedelta(hours=23), business=BUSINESS + timedelta(hours=23))
    assert store.run(scene.record_heard, note, note) == [None, None]
    assert store.one(scene.record_heard, later) is None
    # then: one note, one copy, one notice
    assert len(store.all("answers")) == 1
    assert sorted(each["topic"] for each in store.all("notices")) == ["delivery.answered", "heard_copy"]
    # when: anything else is said, or the same a day after
    for changed in ({"told_to": "Ann"}, {"said_by": "Al"}, {"how": "email"}, {"answer": replace(FULL, text="x")}):
        store.one(scene.record_heard, replace(note, **changed))
    store.one(scene.record_heard, replace(note, wall=NOW + timedelta(hours=24)))
    # then
    assert len(store.all("answers")) == 6


def test_what_was_heard_is_an_answer_in_full(scene: Scene, store: Store) -> None:
    # given
    claimed = delivered(scene, store)
    # when
    assert store.one(scene.record_heard, heard(claimed)) is None
    # then: what the trusted person wrote down is theirs, and the service gets a copy it can correct
    row = store.only("answers")
    said = unpack(scene.vault.unwrap(claimed.data_key).open(row["said"], place("answers", "said", row["id"])))
    assert (said["text"], said["told"]["to"]) == ("We know Sam well.", "Jo")
    assert row["held_back"] == []
    assert {each["topic"] for each in store.all("notices")} == {"delivery.answered", "heard_copy"}


def test_what_was_heard_twice_in_a_batch_is_judged_in_turn(scene: Scene, store: Store) -> None:
    # given
    claimed = delivered(scene, store)
    yes, again = Answer(AnswerState.COMPLETED, owner="Jo"), Answer(AnswerState.ACCEPTED, owner="Jo")
    # when
    store.run(scene.record_heard, heard(claimed, answer=yes), heard(claimed, answer=again))
    # then
    assert {row["state"]: row["usual"] for row in store.all("answers")} == {"completed": True, "accepted": False}


@pytest.mark.parametrize("unknown", ["another partner", "nobody's"])
def test_another_partner_s_delivery_is_the_same_as_none(scene: Scene, store: Store, unknown: str) -> None:
    # given
    claimed = delivered(scene, store)
    before = store.all("deliveries"), store.all("answers"), store.all("notices"), store.all("audit_events")
    item = heard(claimed, partner_id="city" if unknown == "another partner" else SENDER)
    if unknown == "nobody's":
        object.__setattr__(item, "delivery_id", "0" * 32)
    # when
    result = store.one(scene.record_heard, item)
    # then
    assert isinstance(result, NotFound)
    assert result.refusal.type == "not-found"
    assert (store.all("deliveries"), store.all("answers"), store.all("notices"), store.all("audit_events")) == before
