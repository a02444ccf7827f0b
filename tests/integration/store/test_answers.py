"""Answers: from the right partner, to the right share, sealed, and cut to what may return."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from hub.domain.answer import Answer, AnswerState, Level
from hub.domain.errors import NotFound
from hub.domain.outcome import Delivered, InDoubt, RetryLater
from hub.sdk.connector import Inbound
from hub.services.claim import Claimed
from hub.services.pack import place, unpack
from hub.services.read_inbox import ReadInbox, read_inbox
from hub.services.receive import Message
from hub.services.record_heard import Heard
from hub.services.respond import Response
from tests.scenery import CONNECTION, HOUSING, NOW, SENDER, TREATMENT, Scene, Store, settlement

#: Business time runs ahead of the machine's in the demo: notices must not wait for it.
BUSINESS = NOW + timedelta(days=2)
FULL = Answer(
    AnswerState.ACCEPTED,
    owner="Jo, duty desk",
    text="We know Sam well.",
    reason="priority need",
    next_step="Ring on Monday",
    next_date=date(2026, 11, 23),
)

Message_ = Callable[..., Response]


@pytest.fixture
def message(scene: Scene, store: Store) -> Message_:
    """Return a function that receives a message on a connection and gives what its connector made of it."""

    def message(
        reference: str, *answers: Answer, service: str = HOUSING, level: Level | None = None, name: str = "m1"
    ) -> Response:
        connection = CONNECTION[service]
        assert store.one(scene.receive, Message(connection, scene.vault.digest("message", name), b"body", (), NOW))
        row = store.all("inbox", connection_id=connection)
        (unread,) = [each for each in row if each["message_id"] == scene.vault.digest("message", name)]
        return Response(unread["id"], connection, Inbound(name, reference, level, tuple(answers)), NOW, BUSINESS)

    return message


def delivered(scene: Scene, store: Store, service: str = HOUSING, *, key: str = "key", receipt: str = "ref") -> Claimed:
    store.accept(scene.acceptance(key, services=[service]))
    (claimed,) = store.claim(service)
    assert store.one(scene.settle, settlement(claimed, Delivered(receipt)))
    return claimed


def heard(claimed: Claimed, partner_id: str = SENDER, answer: Answer = FULL) -> Heard:
    return Heard(
        claimed.delivery_id, partner_id, "day-centre-system", answer, "phone", "Duty desk", "Jo", NOW, BUSINESS, NOW
    )


def test_an_answer_is_sealed_and_cut_to_what_may_return(scene: Scene, store: Store, message: Message_) -> None:
    # given: housing's consent lets state, owner and next step return
    claimed = delivered(scene, store)
    # when
    assert store.one(scene.respond, message(claimed.key, FULL))
    # then: nothing in clear, and text and reason are not even kept sealed
    row = store.only("answers")
    assert b"duty desk" not in row["said"]
    said = unpack(scene.vault.unwrap(claimed.data_key).open(row["said"], place("answers", "said", row["id"])))
    assert (said["owner"], said["next_step"], said["text"], said["reason"]) == (
        "Jo, duty desk",
        "Ring on Monday",
        "",
        "",
    )
    assert row["held_back"] == ["text", "reason"]
    assert store.only("deliveries")["answer_state"] == "accepted"


@pytest.mark.parametrize("by", ["key", "receipt"])
def test_a_partner_may_name_a_delivery_by_our_key_or_its_own_reference(
    scene: Scene, store: Store, message: Message_, by: str
) -> None:
    claimed = delivered(scene, store, receipt="their-own")
    assert store.one(scene.respond, message(claimed.key if by == "key" else "their-own", FULL))


def test_the_sender_is_told_at_once_whatever_business_time_says(scene: Scene, store: Store, message: Message_) -> None:
    # given
    claimed = delivered(scene, store)
    # when
    store.one(scene.respond, message(claimed.key, FULL))
    # then
    notice = store.only("notices")
    assert (notice["topic"], notice["recipient"], notice["due_at"]) == ("delivery.answered", "day-centre-system", NOW)
    assert store.nudges.notices
    assert store.only("answers")["at"] == BUSINESS


def test_an_unknown_delivery_is_kept_refused(scene: Scene, store: Store, message: Message_) -> None:
    # given / when
    applied = store.one(scene.respond, message("nobody", FULL))
    # then
    assert applied is False
    row = store.only("inbox")
    assert (row["state"], row["reason"]) == ("refused", "unknown-delivery")
    assert store.all("answers") == []
    assert [event["action"] for event in store.all("audit_events")] == ["message.received", "message.refused"]


def test_another_connection_s_delivery_is_never_touched(scene: Scene, store: Store, message: Message_) -> None:
    # given: a delivery to treatment, and housing that knows its key and its receipt
    claimed = delivered(scene, store, TREATMENT, receipt="theirs")
    before = store.all("deliveries")
    # when / then
    for name in (claimed.key, "theirs"):
        assert store.one(scene.respond, message(name, FULL, service=HOUSING, name=name)) is False
    assert store.all("deliveries") == before
    assert store.all("answers") == []


def test_a_receipt_given_twice_names_nobody(scene: Scene, store: Store, message: Message_) -> None:
    # given: two people's shares, to which a partner gave the same reference
    first = delivered(scene, store, key="key-1", receipt="OK")
    delivered(scene, store, key="key-2", receipt="OK")
    # when / then: an answer that could be about either reaches neither; our own key is still exact
    assert store.one(scene.respond, message("OK", FULL)) is False
    assert store.all("answers") == []
    assert store.one(scene.respond, message(first.key, FULL, name="m2")) is True
    assert store.only("answers")["delivery_id"] == first.delivery_id


@pytest.mark.parametrize("before", ["sending", "retrying", "in_doubt"])
def test_an_answer_proves_arrival_and_ends_the_trying(
    scene: Scene, store: Store, message: Message_, before: str
) -> None:
    # given
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    if before != "sending":
        outcome = RetryLater("busy") if before == "retrying" else InDoubt("no-reply")
        store.one(scene.settle, settlement(claimed, outcome))
    assert store.state(claimed.delivery_id) == before
    # when: only that they have it
    assert store.one(scene.respond, message(claimed.key, level=Level.L2))
    # then
    assert store.state(claimed.delivery_id) == "delivered"
    assert store.claim(wall=NOW + timedelta(days=1)) == []
    assert store.one(scene.settle, settlement(claimed, RetryLater("late"))) is False
    assert store.only("audit_events", action="delivery.proved")["detail"]["state"] == "delivered"


def test_an_unusual_order_is_kept_and_marked(scene: Scene, store: Store, message: Message_) -> None:
    # given: completed, and then accepted
    claimed = delivered(scene, store)
    answers = Answer(AnswerState.COMPLETED, owner="Jo"), Answer(AnswerState.ACCEPTED)
    # when
    store.one(scene.respond, message(claimed.key, *answers))
    # then
    rows = {row["state"]: row for row in store.all("answers")}
    assert (rows["completed"]["usual"], rows["accepted"]["usual"]) == (True, False)
    assert rows["accepted"]["owner_missing"] is True
    assert store.only("deliveries")["answer_state"] == "accepted"


@pytest.mark.parametrize(
    ("state", "running"),
    [(AnswerState.RECEIVED, {3, 4}), (AnswerState.ACCEPTED, {4}), (AnswerState.DECLINED, set())],
)
def test_an_answer_stops_the_clocks_it_satisfies_and_a_no_stops_all(
    scene: Scene, store: Store, message: Message_, state: AnswerState, running: set[int]
) -> None:
    claimed = delivered(scene, store)
    store.one(scene.respond, message(claimed.key, Answer(state, reason="r")))
    assert {row["level"] for row in store.all("clocks", state="running")} == running


def test_the_same_message_twice_is_kept_once(scene: Scene, store: Store) -> None:
    # given
    message = Message("housing", "m" * 64, b"body", (), NOW)
    # when / then: in one batch, later, and on another connection
    assert store.run(scene.receive, message, message) == [True, False]
    assert store.run(scene.receive, message) == [False]
    assert store.run(scene.receive, Message("treatment", "m" * 64, b"body", (), NOW)) == [True]
    assert len(store.all("inbox")) == 2


def test_a_message_is_kept_sealed_and_opens_as_it_came(scene: Scene, store: Store) -> None:
    # given / when
    store.one(scene.receive, Message("housing", "m" * 64, b"\x00\x00\x00\x02{}Sam said", (), NOW))
    # then
    (unread,) = store.one(read_inbox, ReadInbox("housing", 10, NOW, timedelta(minutes=1)))
    assert b"Sam" not in unread.message
    assert unread.open(scene.vault.unwrap(unread.data_key)) == ({}, b"Sam said")
    assert store.one(read_inbox, ReadInbox("housing", 10, NOW, timedelta(minutes=1))) == []


def test_a_message_read_by_two_couriers_answers_once(scene: Scene, store: Store, message: Message_) -> None:
    # given: the first courier's lease ran out, and both made the same of it
    claimed = delivered(scene, store)
    response = message(claimed.key, FULL)
    # when / then
    assert store.run(scene.respond, response, response) == [True, False]
    assert store.one(scene.respond, response) is False
    assert len(store.all("answers")) == 1


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
