"""A service is told once what its answer lacks and what was held back, by whatever way it can be told (R21, R35)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.outcome import Delivered
from hub.sdk.connector import Inbound
from hub.services.receive import Message
from hub.services.report import report
from hub.services.respond import Response, respond
from hub.services.settle import settle
from hub.services.withdraw import withdraw
from hub.store.read_share import read_share
from hub.store.read_state import notice_context
from tests.following import REPLY, STOP, Verbs, bind, carrying, document, sent, telling
from tests.scenery import FULL, NOW, SENDER, Scene, Store, settlement

BARE_YES = Answer(AnswerState.ACCEPTED)


def answer(scene: Scene, store: Store, verbs: Verbs, key: str, said: Answer, name: str = "m1") -> None:
    """Let housing say something of a delivery."""
    message = scene.vault.digest("message", name)
    store.one(scene.receive, Message("housing", message, b"body", (), NOW))
    (unread,) = store.all("inbox", message_id=message)
    told = partial(respond, vault=scene.vault, follow_ups=verbs.follow_ups)
    assert store.one(told, Response(unread["id"], "housing", Inbound(name, key, None, (said,)), NOW, NOW))


def test_r35_it_goes_by_the_way_the_share_went_and_is_no_answer_to_anybody(
    scene: Scene, store: Store, verbs: Verbs
) -> None:
    # given a share that housing has, whose consent lets state, owner and next step return
    _, claimed = sent(scene, store, Delivered("r"))
    # when it answers with what may not return, and without who has it
    answer(scene, store, verbs, claimed.key, replace(FULL, owner=""))
    # then one note is queued behind it, with the clocks of a receipt, and nothing of the answer is in it
    note = store.only("deliveries", kind=REPLY)
    assert (note["linked_to"], note["after"], note["bare"]) == (claimed.delivery_id, claimed.delivery_id, False)
    assert [row["level"] for row in store.all("clocks", delivery_id=note["id"])] == [0, 1, 2]
    assert FULL.text not in str(document(scene, store, note))
    (event,) = store.all("audit_events", action="service.told")
    assert event["detail"] == {"asked": ["owner"], "held_back": ["text", "reason"]}
    # and its sender reads of it in words
    record = read_share(store.engine, store.only("shares")["id"], SENDER)
    assert record is not None
    seen = report(record, scene.directory, scene.vault, NOW)["deliveries"][1]
    assert seen["words"].startswith("Housing will get a note about their answer.")


def test_r35_each_field_is_named_once_however_often_they_answer(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a service that was asked who has it and by when
    _, claimed = sent(scene, store, Delivered("r"))
    answer(scene, store, verbs, claimed.key, BARE_YES)
    # when it answers the same again, and then says something else that may not return
    answer(scene, store, verbs, claimed.key, BARE_YES, "m2")
    answer(scene, store, verbs, claimed.key, replace(BARE_YES, text="Come on Monday."), "m3")
    # then only what is new is told, behind what went before
    said = [event["detail"] for event in store.all("audit_events", action="service.told")]
    assert said == [{"asked": ["owner", "next_date"], "held_back": []}, {"asked": [], "held_back": ["text"]}]
    first, second = sorted(store.all("deliveries", kind=REPLY), key=lambda each: each["id"] != _first(store, claimed))
    assert second["after"] == first["id"]


def _first(store: Store, claimed: Any) -> str:
    (found,) = [each["id"] for each in store.all("deliveries", kind=REPLY) if each["after"] == claimed.delivery_id]
    return str(found)


def test_r35_what_comes_with_the_reply_itself_is_looked_at_too(scene: Scene, store: Store, verbs: Verbs) -> None:
    _, claimed = sent(scene, store)
    settled = partial(settle, vault=scene.vault, follow_ups=verbs.follow_ups)
    assert store.one(settled, settlement(claimed, Delivered("r", answers=(BARE_YES,))))
    assert store.only("deliveries", kind=REPLY)["after"] == claimed.delivery_id


@pytest.mark.parametrize("why", ["not-carried", "withdrawn"])
def test_r21_where_it_cannot_go_that_way_an_email_names_the_fields(
    scene: Scene, store: Store, verbs: Verbs, why: str
) -> None:
    # given a service whose connection carries no reply, or under whose consent nothing goes any more
    accepted, claimed = sent(scene, store, Delivered("r"))
    if why == "withdrawn":
        store.one(withdraw, scene.withdrawal(accepted.plan.ids.record))
    unable = bind(scene, carrying(scene, verbs.follow_ups.mappings, kinds=("share",)))
    # when
    answer(scene, store, unable if why == "not-carried" else verbs, claimed.key, FULL)
    # then
    assert store.all("deliveries", kind=REPLY) == []
    notice = store.only("notices", channel="email")
    assert (notice["topic"], notice["recipient"]) == ("about_answer", "service:city-housing-options")
    found = notice_context(store.engine, notice)["answer"]
    assert found is not None
    assert "text" in found["held_back"]


def test_r15_of_a_request_to_stop_why_they_keep_it_is_asked_for(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a service whose reasons may return, and that was asked to stop using it
    consent = replace(scene.share.consents[0], returns=["state", "reason"])
    accepted = store.accept(scene.acceptance("key-1", share=replace(scene.share, consents=[consent])))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Delivered("r")))
    store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    (stop,) = store.claim()
    assert stop.kind == STOP
    store.one(scene.settle, settlement(stop, Delivered("s")))
    # when it says that it keeps it, and not why
    answer(scene, store, verbs, stop.key, Answer(AnswerState.DECLINED, owner="Duty desk"))
    # then it is asked for the reason
    assert store.only("notices", channel="email")["topic"] == "about_answer"
    (event,) = store.all("audit_events", action="service.told")
    assert event["detail"]["asked"] == ["reason"]


@pytest.mark.parametrize("why", ["died", "complete", "heard"])
def test_r35_nothing_is_asked_where_nothing_is_owed(scene: Scene, store: Store, verbs: Verbs, why: str) -> None:
    _, claimed = sent(scene, store, Delivered("r"))
    if why == "heard":  # it gets a copy, by which it can put it right (R64)
        store.one(verbs.heard, telling(claimed.delivery_id))
    else:
        died = Answer(AnswerState.COMPLETED, owner="Desk", reason="person-died")
        answer(scene, store, verbs, claimed.key, died if why == "died" else Answer(AnswerState.COMPLETED, owner="Desk"))
        answer(scene, store, verbs, claimed.key, BARE_YES if why == "died" else replace(FULL, text="", reason=""), "m2")
    assert store.all("audit_events", action="service.told") == []


def test_r64_a_copy_goes_behind_whatever_was_said_before(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a service that was asked for what its answer lacks
    _, claimed = sent(scene, store, Delivered("r"))
    answer(scene, store, verbs, claimed.key, BARE_YES)
    # when what it says by phone is written down, twice
    store.run(verbs.heard, telling(claimed.delivery_id), telling(claimed.delivery_id, how="meeting"))
    # then each goes behind the one before
    behind = {row["after"]: row["id"] for row in store.all("deliveries", kind=REPLY)}
    first = behind[claimed.delivery_id]
    assert len(behind) == 3
    assert behind[first] in behind
