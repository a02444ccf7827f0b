"""Forgetting, on each database: what is destroyed, what stays, in whatever state a share is, and what comes after."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary

from hub.domain.answer import Answer, AnswerState
from hub.domain.errors import Conflict
from hub.domain.forget import Forgetting
from hub.domain.outcome import Delivered, InDoubt, Rejected, RetryLater
from hub.domain.retry import NEVER
from hub.sdk.connector import Inbound
from hub.services.hold import Hold, hold
from hub.services.read_inbox import ReadInbox, read_inbox
from hub.services.receive import Message
from hub.services.record_heard import Heard
from hub.services.refusals import FORGOTTEN
from hub.services.report import report
from hub.services.respond import Response
from hub.services.settle_doubt import DoubtSettled, settle_doubt
from hub.services.shred import Shred, ShredAgain, shred, shred_again
from hub.services.submit import Kept, accept
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import withdraw
from hub.store import forgotten, tables
from hub.store.eraser import wipe_log
from hub.store.read_due import due_deliveries
from hub.store.read_share import read_share
from tests.scenery import HOUSING, NOW, SENDER, TREATMENT, Scene, Store, delivered, settlement, story

LATE, DAY = NOW + timedelta(days=90), timedelta(days=1)
NO = Answer(AnswerState.DECLINED, owner="Jo, duty desk", text="We know Sam well.", reason="no priority need")


class Forget:
    """The verb as bootstrap binds it, with a list of what was written down."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.written: list[str] = []
        self.verb = partial(shred, policy=Forgetting(), write_down=lambda ids, _on: self.written.extend(ids))

    def at(self, when: Any, limit: int = 100) -> int:
        count: int = self.store.one(self.verb, Shred(when, when, limit))
        return count


@pytest.fixture
def forget(store: Store) -> Forget:
    return Forget(store)


def answered(scene: Scene, store: Store, key: str, answer: Answer, at: Any) -> None:
    """Let a partner answer what it knows by `key`, through its inbox."""
    body = f"{key} {answer.text}".encode()
    store.one(scene.receive, Message("housing", scene.vault.digest("message", f"{key}{at}"), body, (), at))
    (unread,) = store.one(read_inbox, ReadInbox("housing", 9, at, timedelta(minutes=1)))
    assert store.one(scene.respond, Response(unread.id, "housing", Inbound("m-1", key, answers=(answer,)), at, at, at))


def in_state(scene: Scene, store: Store, state: str) -> None:
    """Keep a share for housing in a state."""
    if state == "held":
        store.one(hold, Hold("housing", "credentials", "operator:cli", NOW))
    store.accept(scene.acceptance(services=[HOUSING]))
    outcome = {
        "delivered": Delivered("ref"),
        "retrying": RetryLater("busy"),
        "in_doubt": InDoubt("no-reply"),
        "dead_lettered": Rejected("refused"),
    }.get(state)
    if outcome is not None or state == "sending":
        (claimed,) = store.claim()
        if outcome is not None:
            store.one(scene.settle, settlement(claimed, outcome))
    assert store.only("deliveries")["state"] == state


def emptied(store: Store) -> bool:
    """Whether every column on the list is empty in every row."""
    return not any(
        row[column.name]
        for column in forgotten.FORGOTTEN
        for row in store.all(column.table.name)
    )  # fmt: skip


def test_r59_every_sealed_column_and_every_key_is_on_the_list() -> None:
    wanted = {
        column
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    named = {*forgotten.FORGOTTEN, *forgotten.OF_PARTNERS, *forgotten.OF_ACCOUNTS}
    assert wanted - named == set(), "say in hub/store/forgotten.py what becomes of it"
    assert {"person", "trusted_person"} <= {column.name for column in forgotten.FORGOTTEN}


@pytest.mark.parametrize("state", ["queued", "held", "sending", "retrying", "in_doubt", "dead_lettered", "delivered"])
def test_r59_ninety_days_after_sending_whatever_its_state(
    scene: Scene, store: Store, forget: Forget, state: str
) -> None:
    # given a share in that state, a moment before its time: it is kept
    in_state(scene, store, state)
    assert forget.at(LATE - timedelta(seconds=1)) == 0
    assert store.only("shares")["data_key"] is not None
    # when its time has come
    assert forget.at(LATE) == 1
    # then keys and words are gone, and it was written down before
    assert emptied(store)
    assert forget.written == [store.only("shares")["id"]]
    # and what waited is cancelled, what is in doubt asked about no more, no clock runs, its consent has ended
    row = store.only("deliveries")
    waited = state in {"queued", "held", "retrying"}
    assert row["state"] == ("cancelled" if waited else state)
    assert row["due_at"] == NEVER or state != "in_doubt"
    assert {clock["state"] for clock in store.all("clocks")} <= {"stopped", "passed"}
    assert {consent["state"] for consent in store.all("consents")} == {"expired"}
    # and digests and coded states stay, the sender is told by id, and there is one audit event
    assert re.fullmatch("[0-9a-f]{64}", row["parcel_sha256"])
    assert [each["share_id"] for each in store.all("notices", topic="share.forgotten")] == forget.written
    assert [each["detail"] for each in store.all("audit_events", action="share.forgotten")] == [{"why": "due"}]
    # and it is done once
    assert forget.at(LATE + DAY) == 0


def test_r59_thirty_days_after_the_last_final_answer(scene: Scene, store: Store, forget: Forget) -> None:
    # given two services, of which one says no on the day, and the other ten days later
    acceptance = store.accept(scene.acceptance())
    for service in (HOUSING, TREATMENT):
        (claimed,) = store.claim(service)
        store.one(scene.settle, settlement(claimed, Delivered(f"ref-{service}")))
    ids = {row["service_id"]: row["id"] for row in store.all("deliveries")}
    store.one(scene.record_heard, heard(ids[HOUSING], NO, NOW))
    assert store.only("shares")["final_at"] is None
    store.one(scene.record_heard, heard(ids[TREATMENT], NO, NOW + 10 * DAY))
    assert store.only("shares")["final_at"] == NOW + 10 * DAY
    # when / then
    assert forget.at(NOW + 40 * DAY - timedelta(seconds=1)) == 0
    assert forget.at(NOW + 40 * DAY) == 1
    assert emptied(store)
    assert acceptance.plan.ids.share in forget.written


def heard(delivery_id: str, answer: Answer, at: Any) -> Heard:
    return Heard(delivery_id, SENDER, "day-centre-system", answer, "phone", "Jo", "Ana", date(2026, 11, 20), at, at)


def test_r59_an_answer_that_is_taken_back_was_not_final(scene: Scene, store: Store, forget: Forget) -> None:
    # given a "no" that becomes a "yes"
    claimed = delivered(scene, store)
    store.one(scene.record_heard, heard(claimed.delivery_id, NO, NOW))
    assert store.only("shares")["final_at"] == NOW
    store.one(scene.record_heard, heard(claimed.delivery_id, Answer(AnswerState.ACCEPTED), NOW + DAY))
    # then it is kept for the ninety days
    assert store.only("shares")["final_at"] is None
    assert forget.at(NOW + 60 * DAY) == 0
    assert forget.at(LATE) == 1


def test_r59_what_is_taken_back_owes_no_answer(scene: Scene, store: Store, forget: Forget) -> None:
    # given one service that said no, and one whose parcel waits
    acceptance = store.accept(scene.acceptance())
    (claimed,) = store.claim(HOUSING)
    store.one(scene.settle, settlement(claimed, Delivered("ref", answers=(NO,))))
    assert store.only("shares")["final_at"] is None
    # when the other is withdrawn
    store.one(withdraw, scene.withdrawal(acceptance.plan.ids.record, TREATMENT))
    # then nothing more is expected, from that moment on
    assert store.only("shares")["final_at"] == NOW
    assert forget.at(NOW + 30 * DAY) == 1


# PostgreSQL keeps old rows until it vacuums: there, retiring the key is what destroys them.
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_r59_nothing_of_the_story_or_the_keys_is_left_in_the_files(
    scene: Scene, store: Store, forget: Forget, url: str
) -> None:
    # given a share with an answer through the inbox, and its wrapped keys
    claimed = delivered(scene, store)
    answered(scene, store, claimed.key, NO, NOW)
    sealed = [row[column.name] for column in forgotten.FORGOTTEN for row in store.all(column.table.name)]
    traces = [value if isinstance(value, bytes) else value.encode() for value in sealed if value]
    assert len(traces) >= 10
    # when it is forgotten, and the log wiped as the hub does it
    assert forget.at(LATE) >= 1
    assert wipe_log(store.engine)
    # then no byte of a wrapped key or of what it sealed is in the file or its log
    file = url.removeprefix("sqlite:///")
    content = b"".join(Path(file + end).read_bytes() for end in ("", "-wal"))
    assert len(content) > 50_000
    assert [number for number, trace in enumerate(traces) if trace[-40:] in content or trace[:60] in content] == []


def test_r59_its_sender_is_told_that_it_is_forgotten(scene: Scene, store: Store, forget: Forget) -> None:
    claimed = delivered(scene, store)
    forget.at(LATE)
    record = read_share(store.engine, claimed.share_id, SENDER)
    assert record is not None
    told = report(record, scene.directory, scene.vault, LATE)
    assert (told["forgotten"], told["status"]) == (True, "closed")
    assert told["words"].startswith("We have forgotten this.")
    assert [(each["service"], each["state"], each["answer"]) for each in told["deliveries"]] == [
        (HOUSING, "delivered", "awaited")
    ]
    assert not [part for part in story() if part in str(told)]


def test_r59_a_late_answer_is_kept_as_its_state_alone(scene: Scene, store: Store, forget: Forget) -> None:
    # given a share that was forgotten unanswered
    claimed = delivered(scene, store)
    forget.at(LATE)
    # when its service answers after all
    answered(scene, store, claimed.key, NO, LATE + DAY)
    # then its state stands, nothing of its words is kept, and the sender hears that there is one
    assert store.only("deliveries")["answer_state"] == "declined"
    assert store.only("answers")["said"] == b""
    assert emptied(store)
    assert store.only("inbox")["state"] == "read"
    assert len(store.all("notices", topic="delivery.answered")) == 1


def test_r59_nothing_more_is_kept_of_it(scene: Scene, store: Store, forget: Forget) -> None:
    claimed = delivered(scene, store, key="same")
    forget.at(LATE)
    # what was heard is refused, with where to keep it
    refused = store.one(scene.record_heard, heard(claimed.delivery_id, NO, LATE))
    assert isinstance(refused, Conflict)
    assert refused.refusal is FORGOTTEN
    # the same request again finds that it was sent, and no reply to open
    again = store.one(accept, scene.acceptance("same", services=[HOUSING], token="f" * 64))
    assert isinstance(again, Kept)
    assert again.data_key is None
    assert emptied(store)


@pytest.mark.parametrize("outcome", [RetryLater("busy"), InDoubt("no-reply"), Delivered("late", answers=(NO,))])
def test_r59_what_is_on_its_way_when_it_is_forgotten_ends_there(
    scene: Scene, store: Store, forget: Forget, outcome: Any
) -> None:
    # given a parcel that is being sent while its share is forgotten
    store.accept(scene.acceptance(services=[HOUSING]))
    (claimed,) = store.claim()
    forget.at(LATE)
    # when what became of it is reported
    assert store.one(scene.settle, settlement(claimed, outcome))
    # then nothing is due any more, and no word is kept
    expected = {RetryLater: "cancelled", InDoubt: "in_doubt", Delivered: "delivered"}[type(outcome)]
    assert store.state(claimed.delivery_id) == expected
    store.one(sweep, Sweep(LATE + DAY, LATE + DAY))
    assert due_deliveries(store.engine, LATE + DAY, ["housing"]) == []
    assert emptied(store)


def test_r59_a_doubt_about_what_is_forgotten_is_settled_without_a_send(
    scene: Scene, store: Store, forget: Forget
) -> None:
    in_state(scene, store, "in_doubt")
    forget.at(LATE)
    delivery_id = store.only("deliveries")["id"]
    assert store.one(settle_doubt, DoubtSettled(delivery_id, False, "op", "asked", LATE, LATE)) == "cancelled"
    assert store.state(delivery_id) == "cancelled"


def test_r59_a_lost_lease_of_what_is_forgotten_is_asked_about_no_more(
    scene: Scene, store: Store, forget: Forget
) -> None:
    in_state(scene, store, "sending")
    forget.at(LATE)
    store.one(sweep, Sweep(LATE, LATE))
    assert (store.only("deliveries")["state"], store.only("deliveries")["due_at"]) == ("in_doubt", NEVER)


def test_r12_r59_what_was_withdrawn_stays_withdrawn_after_it_is_forgotten(
    scene: Scene, store: Store, forget: Forget
) -> None:
    # given a withdrawn share that is forgotten
    first = store.accept(scene.acceptance("one", services=[HOUSING]))
    store.one(withdraw, scene.withdrawal(first.plan.ids.record))
    forget.at(LATE)
    # then its agreement is still known, as a keyed hash, and nothing else that finds the person
    (consent,) = store.all("consents")
    assert consent["state"] == "withdrawn"
    assert re.fullmatch("[0-9a-f]{64}", consent["agreement"])
    assert (store.only("shares")["person"], store.only("shares")["trusted_person"]) == ("", "")


@pytest.mark.parametrize("state", ["pending", "refused"])
def test_r59_what_a_partner_sent_and_nobody_could_read_is_forgotten_too(
    scene: Scene, store: Store, forget: Forget, state: str
) -> None:
    store.one(scene.receive, Message("housing", "m" * 64, b"We know Sam well.", (), NOW))
    if state == "refused":
        (unread,) = store.one(read_inbox, ReadInbox("housing", 9, NOW, timedelta(minutes=1)))
        unknown = Inbound("m-1", "nobody's", answers=(NO,))
        last = Response(unread.id, "housing", unknown, NOW, NOW, NOW, attempt=99)
        assert store.one(scene.respond, last) is False
    assert store.only("inbox")["state"] == state
    assert forget.at(LATE - timedelta(seconds=1)) == 0
    assert forget.at(LATE) == 1
    row = store.only("inbox")
    assert (row["state"], row["data_key"], row["message"]) == ("refused", None, b"")
    assert store.one(read_inbox, ReadInbox("housing", 9, LATE, timedelta(minutes=1))) == []


def test_r59_many_are_forgotten_in_batches(scene: Scene, store: Store, forget: Forget) -> None:
    for number in range(7):
        store.accept(scene.acceptance(f"key-{number}", services=[HOUSING]))
    found: list[int] = []
    while count := forget.at(LATE, limit=3):
        found.append(count)
    assert found == [3, 3, 1]
    assert emptied(store)


def test_r59_nothing_is_destroyed_that_could_not_be_written_down(scene: Scene, store: Store) -> None:
    # given a disk that takes no more
    in_state(scene, store, "delivered")

    def full(_ids: Any, _on: Any) -> None:
        raise OSError(28, "No space left on device")

    # when / then
    with pytest.raises(OSError, match="No space"):
        store.one(partial(shred, policy=Forgetting(), write_down=full), Shred(LATE, LATE))
    assert store.only("shares")["data_key"] is not None


@pytest.fixture
def bring_back(scene: Scene, store: Store) -> Callable[[], dict[str, Any]]:
    """Keep a share and return it, as a backup from before its time would."""

    def kept() -> dict[str, Any]:
        in_state(scene, store, "queued")
        return store.only("shares")

    return kept


def test_r59_what_a_backup_brings_back_is_forgotten_again(store: Store, bring_back: Any) -> None:
    share = bring_back()
    assert store.one(shred_again, ShredAgain(("f" * 32, share["id"]), NOW, NOW)) == 1
    assert emptied(store)
    assert store.only("deliveries")["state"] == "cancelled"
    assert store.all("notices", topic="share.forgotten") == []
    assert [each["detail"] for each in store.all("audit_events", action="share.forgotten")] == [{"why": "restored"}]
    assert store.one(shred_again, ShredAgain((share["id"],), NOW, NOW)) == 0
