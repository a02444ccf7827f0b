"""Answers: from the right partner, to the right share, sealed, and cut to what may return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hub.domain.answer import Answer, AnswerState, Level
from hub.domain.calendar import england_and_wales
from hub.domain.outcome import Delivered, InDoubt, RetryLater
from hub.sdk.connector import Inbound
from hub.services.hold import Resume, resume
from hub.services.pack import place, unpack
from hub.services.read_inbox import ReadInbox, Unreadable, give_up_reading, look_again, read_inbox
from hub.services.receive import Message
from hub.services.respond import Response
from tests.scenery import BUSINESS, CONNECTION, FULL, HOUSING, NOW, TREATMENT, Scene, Store, delivered, settlement

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


def test_an_unknown_delivery_is_looked_for_again_and_in_the_end_refused(
    scene: Scene, store: Store, message: Message_
) -> None:
    # given: it may be about a parcel whose own reply is not kept yet
    response = message("nobody", FULL)
    assert store.one(scene.respond, response) is False
    row = store.only("inbox")
    assert (row["state"], row["reason"], row["due_at"]) == ("pending", "unknown-delivery", NOW + timedelta(seconds=2))
    # when: the last time
    assert store.one(scene.respond, replace(response, attempt=8)) is False
    # then
    row = store.only("inbox")
    assert (row["state"], row["reason"]) == ("refused", "unknown-delivery")
    assert store.all("answers") == []
    assert [event["action"] for event in store.all("audit_events")] == ["message.received", "message.refused"]
    assert [(each["topic"], each["recipient"]) for each in store.all("notices")] == [("message_refused", "operator")]


def test_an_answer_that_overtakes_the_partner_s_own_reply_is_applied_after_it(
    scene: Scene, store: Store, message: Message_
) -> None:
    # given: it names the partner's reference, which the hub has not kept yet
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    response = message("their-own", FULL)
    assert store.one(scene.respond, response) is False
    # when: the reply is kept, and the message is read once more
    assert store.one(scene.settle, settlement(claimed, Delivered("their-own")))
    due = NOW + timedelta(seconds=2)
    (unread,) = store.one(read_inbox, ReadInbox("housing", 10, due, timedelta(minutes=1)))
    assert store.one(scene.respond, replace(response, attempt=unread.attempt))
    # then
    assert store.only("deliveries")["answer_state"] == "accepted"
    assert store.only("inbox")["state"] == "read"


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


@pytest.mark.parametrize("first", [AnswerState.DECLINED, AnswerState.COMPLETED])
def test_a_no_that_is_taken_back_owes_an_outcome_again(
    scene: Scene, store: Store, message: Message_, first: AnswerState
) -> None:
    # given: nothing more was owed, and its clock had been set when the share was sent
    claimed = delivered(scene, store)
    (at_first,) = [row["due_at"] for row in store.all("clocks") if row["level"] == 4]
    store.one(scene.respond, message(claimed.key, Answer(first, reason="r")))
    assert store.all("clocks", state="running") == []
    # when: two days later they have room after all
    store.one(scene.respond, message(claimed.key, Answer(AnswerState.ACCEPTED, owner="Jo"), name="m2"))
    # then: the clock for the outcome runs as many working days as before, from now
    (clock,) = store.all("clocks", state="running")
    assert clock["level"] == 4
    calendar = england_and_wales()
    assert at_first == calendar.add_working_days(NOW, 10)
    assert clock["due_at"] == calendar.add_working_days(BUSINESS, 10)


def test_an_older_message_that_is_read_later_changes_no_state(scene: Scene, store: Store, message: Message_) -> None:
    # given: it came first, and its host was away
    claimed = delivered(scene, store)
    older = message(claimed.key, Answer(AnswerState.DECLINED, reason="full"))
    newer = message(claimed.key, Answer(AnswerState.ACCEPTED, owner="Jo"), name="m2")
    minute = timedelta(minutes=1)
    assert store.one(scene.respond, replace(newer, received=NOW, wall=NOW + minute, business=BUSINESS + minute))
    # when
    later = {"received": NOW - minute, "wall": NOW + 2 * minute, "business": BUSINESS + 2 * minute}
    assert store.one(scene.respond, replace(older, **later))
    # then: both are kept, in the order in which they came, and the newer one stands with its clock
    assert store.only("deliveries")["answer_state"] == "accepted"
    kept = sorted(store.all("answers"), key=lambda row: row["at"])
    assert [(row["state"], row["at"]) for row in kept] == [("declined", BUSINESS - minute), ("accepted", BUSINESS)]
    assert {row["level"] for row in store.all("clocks", state="running")} == {4}


def test_a_late_completed_ends_nothing_that_was_agreed_since(scene: Scene, store: Store, message: Message_) -> None:
    # given
    claimed = delivered(scene, store)
    older = message(claimed.key, Answer(AnswerState.COMPLETED, owner="Jo"))
    newer = message(claimed.key, Answer(AnswerState.ACCEPTED, owner="Jo"), name="m2")
    store.one(scene.respond, newer)
    # when
    store.one(scene.respond, replace(older, received=NOW - timedelta(hours=1)))
    # then
    assert {row["level"] for row in store.all("clocks", state="running")} == {4}
    assert store.only("deliveries")["answer_state"] == "accepted"


@pytest.mark.parametrize("level", [Level.L3, Level.L4])
def test_without_an_answer_nothing_was_decided(scene: Scene, store: Store, message: Message_, level: Level) -> None:
    # given: a connector that says more than it could know, in its message and in its reply
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    assert store.one(scene.settle, settlement(claimed, Delivered("ref", level)))
    assert store.one(scene.respond, message(claimed.key, level=level))
    # then: it counts as received, and the decision is still due
    assert max(row["level"] for row in store.all("acknowledgements")) == 2
    assert {row["level"] for row in store.all("clocks", state="running")} == {3, 4}


def _unreadable(inbox_id: str, wall: datetime, *, attempt: int = 1, code: str = "host-died") -> Unreadable:
    again = look_again(code, attempt, NOW, wall)
    return Unreadable(inbox_id, "housing", code, again, wall, attempt)


def test_only_what_is_not_theirs_is_refused_at_once(store: Store, message: Message_) -> None:
    # given
    response = message("key", FULL)
    for code in ("did-not-start", "connector-error", "host-died", "cannot-be-kept"):
        # when: hours of it
        wall = NOW
        for attempt in range(1, 40):
            store.one(give_up_reading, _unreadable(response.inbox_id, wall, attempt=attempt, code=code))
            row = store.only("inbox")
            assert (row["state"], row["reason"]) == ("pending", code)
            assert row["due_at"] - wall <= timedelta(hours=1)
            wall = row["due_at"]
        assert wall > NOW + timedelta(hours=30)
    # then: the patience is a month's, and a connector's word is final
    store.one(give_up_reading, _unreadable(response.inbox_id, NOW + timedelta(days=30), attempt=700))
    assert store.only("inbox")["state"] == "refused"
    assert look_again("not-theirs", 1, NOW, NOW) is None


def test_the_operator_is_told_of_refused_messages_once_a_day_and_connection(store: Store, message: Message_) -> None:
    # given
    response, hour = message("key", FULL), timedelta(hours=1)
    # when: five of them, in a little more than a day
    for number in range(5):
        wall = NOW + number * 7 * hour
        store.one(give_up_reading, _unreadable(response.inbox_id, wall, code="not-theirs"))
    # then
    told = [row for row in store.all("notices") if row["topic"] == "message_refused"]
    assert sorted(row["created_at"] for row in told) == [NOW, NOW + 28 * hour]
    assert {(row["recipient"], row["channel"], row["connection_id"]) for row in told} == {
        ("operator", "email", "housing")
    }
    # and of one that is tried in vain for long, before a month is over
    assert store.one(give_up_reading, _unreadable(response.inbox_id, NOW + 60 * hour, attempt=8)) is None
    assert store.only("inbox")["state"] == "pending"
    assert len([row for row in store.all("notices") if row["topic"] == "message_refused"]) == 3


def test_resuming_a_connection_reads_its_refused_messages_again(store: Store, message: Message_) -> None:
    # given: one refused on each of two connections
    for service in (HOUSING, TREATMENT):
        refused = _unreadable(message("key", FULL, service=service, name=service).inbox_id, NOW, code="not-theirs")
        store.one(give_up_reading, refused)
    # when
    store.one(resume, Resume("housing", "operator:cli", NOW))
    # then
    assert {row["connection_id"]: row["state"] for row in store.all("inbox")} == {
        "housing": "pending",
        "treatment": "refused",
    }
    assert store.nudges.inbox == {"housing"}
    (unread,) = store.one(read_inbox, ReadInbox("housing", 10, NOW, timedelta(minutes=1)))
    assert unread.attempt == 1


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
