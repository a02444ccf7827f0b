"""A service gets a copy of what was heard of it another way, so that it can correct it (R64)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.outcome import Delivered, InDoubt
from hub.sdk.connector import Inbound
from hub.services.receive import Message
from hub.services.report import report
from hub.services.respond import Response
from hub.services.withdraw import withdraw
from hub.store.read_share import read_share
from tests.following import REPLY, STOP, Verbs, bind, carrying, document, sent, telling
from tests.scenery import HOUSING, NOW, SENDER, Scene, Store, settlement


def test_r64_the_service_gets_a_copy_of_what_was_heard(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a share that housing has
    _, claimed = sent(scene, store, Delivered("r"))
    # when its answer is heard by phone
    assert store.one(verbs.heard, telling(claimed.delivery_id)) is None
    # then the copy is queued, and says just that; no e-mail goes
    reply = store.only("deliveries", kind=REPLY)
    made = document(scene, store, reply)
    assert (made["said"], made["told_to"]) == ("They will ring on Friday.", "Jo at the front desk")
    assert made["follows"] == claimed.key
    assert [row["level"] for row in store.all("clocks", delivery_id=reply["id"])] == [0, 1, 2]
    assert store.all("notices", channel="email") == []
    assert [each.kind for each in store.claim()] == [REPLY]
    # and none of it stands in any column in clear
    kept = "\n".join(repr(value) for row in store.all("deliveries") for value in row.values())
    assert "They will ring" not in kept
    assert "the front desk" not in kept


def test_r64_copies_go_in_the_order_they_were_written(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given two answers heard of one delivery, in one batch
    _, claimed = sent(scene, store, Delivered("r"))
    store.run(verbs.heard, telling(claimed.delivery_id), telling(claimed.delivery_id, how="meeting"))
    # when / then: the second waits for the first
    (first,) = store.claim()
    assert store.claim() == []
    store.one(scene.settle, settlement(first, Delivered("n1")))
    (second,) = store.claim()
    assert store.only("deliveries", id=second.delivery_id)["after"] == first.delivery_id


@pytest.mark.parametrize("why", ["on-its-way", "in-doubt", "withdrawn", "expired", "not-carried"])
def test_r64_where_a_copy_cannot_go_an_email_says_that_there_is_one(
    scene: Scene, store: Store, verbs: Verbs, why: str
) -> None:
    # given
    outcomes = {"on-its-way": None, "in-doubt": InDoubt("no-reply")}
    accepted, claimed = sent(scene, store, outcomes.get(why, Delivered("r")))
    if why == "withdrawn":
        store.one(withdraw, scene.withdrawal(accepted.plan.ids.record))
    far = NOW + timedelta(days=400)
    heard = telling(claimed.delivery_id, **({"business": far} if why == "expired" else {}))
    unable = bind(scene, carrying(scene, verbs.follow_ups.mappings, kinds=("share",)))
    # when
    store.one((unable if why == "not-carried" else verbs).heard, heard)
    # then
    assert store.all("deliveries", kind=REPLY) == []
    assert store.only("notices", channel="email")["topic"] == "heard_copy"


def test_r64_a_copy_under_way_at_a_withdrawal_is_waited_for(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given one copy being sent and one that waits
    accepted, claimed = sent(scene, store, Delivered("r"))
    store.run(verbs.heard, telling(claimed.delivery_id), telling(claimed.delivery_id, how="meeting"))
    (copy,) = store.claim()
    # when
    done = store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then what waits is cancelled, and the request to stop comes after what does not
    assert done.served == (HOUSING,)
    assert sorted(row["state"] for row in store.all("deliveries", kind=REPLY)) == ["cancelled", "sending"]
    assert store.claim() == []
    store.one(scene.settle, settlement(copy, Delivered("n1")))
    assert [each.kind for each in store.claim()] == [STOP]


@pytest.mark.parametrize("reference", ["receipt", "key"])
def test_r64_the_service_s_own_next_answer_corrects_the_copy(
    scene: Scene, store: Store, verbs: Verbs, reference: str
) -> None:
    # given a copy that was delivered, and that the partner calls by the same name as the share
    accepted, claimed = sent(scene, store, Delivered("their-name"))
    store.one(verbs.heard, telling(claimed.delivery_id))
    (copy,) = store.claim()
    store.one(scene.settle, settlement(copy, Delivered("their-name")))
    # when the service says otherwise, by its own name for it or by ours
    store.one(scene.receive, Message("housing", "m" * 64, b"{}", (), NOW))
    named = "their-name" if reference == "receipt" else claimed.key
    inbound = Inbound("m", named, answers=(Answer(AnswerState.DECLINED, reason="no room"),))
    assert store.one(scene.respond, Response(store.only("inbox")["id"], "housing", inbound, NOW, NOW))
    # then that is the share's answer, and both are kept
    assert store.only("deliveries", id=claimed.delivery_id)["answer_state"] == "declined"
    assert {row["source"] for row in store.all("answers", delivery_id=claimed.delivery_id)} == {"heard", "message"}
    # and a name that two shares were given still names nobody
    sent(scene, store, Delivered("their-name"), key="key-2")
    store.one(scene.receive, Message("housing", "n" * 64, b"{}", (), NOW))
    other = replace(inbound, reference="their-name")
    waiting = store.only("inbox", state="pending")["id"]
    assert not store.one(scene.respond, Response(waiting, "housing", other, NOW, NOW))
    assert accepted.plan.ids.share


def test_the_report_tells_what_follows_and_counts_what_was_shared(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a share that was answered by phone, and whose copy arrived
    _, claimed = sent(scene, store, Delivered("r"))
    store.one(verbs.heard, telling(claimed.delivery_id))
    (copy,) = store.claim()
    store.one(scene.settle, settlement(copy, Delivered("n1")))
    # when its sender looks
    record = read_share(store.engine, store.only("shares")["id"], SENDER)
    assert record is not None
    seen = report(record, scene.directory, scene.vault, NOW)
    # then the copy is told of in words, and owes the share nothing
    assert seen["status"] == "answered"
    assert [each["kind"] for each in seen["deliveries"]] == ["share", REPLY]
    assert seen["deliveries"][1]["words"] == "Housing has a copy of what was written down."
