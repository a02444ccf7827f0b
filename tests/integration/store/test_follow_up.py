"""What follows a delivery: please stop using it on withdrawal (R15), and a copy of what was heard (R64)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import update

from hub.domain.answer import Answer, AnswerState
from hub.domain.calendar import england_and_wales
from hub.domain.delivery import ENDED, DeliveryState
from hub.domain.outcome import Delivered, InDoubt, Rejected, RetryLater
from hub.mapping import load_mapping
from hub.sdk.connector import Inbound
from hub.services.claim import Claimed
from hub.services.follow_up import FollowUps
from hub.services.pack import place, unpack
from hub.services.receive import Message
from hub.services.record_heard import Heard, record_heard
from hub.services.report import report
from hub.services.respond import Response
from hub.services.settle import Died
from hub.services.submit import Acceptance
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import Withdrawn, withdraw
from hub.store import tables
from hub.store.read_share import read_share
from tests.scenery import HOUSING, NOW, SENDER, TREATMENT, Scene, Store, settlement, story

STOP, REPLY = "please_stop_using", "reply"
_TEMPLATE = """\
document: demo
version: 1.0.0
content_type: application/json
template:
  key: {$: delivery.key}
  kind: {$: delivery.kind}
  follows: {$: delivery.follows}
  reference: {$: share.reference}
  reply_on: {$: delivery.reply_on}
  said: {$?: answer.text}
  told_to: {$?: answer.told_to}
  goal: {$?: "section.goal[0].text"}
"""


@dataclass(frozen=True, slots=True)
class Verbs:
    """The two verbs that follow up, bound as bootstrap binds them."""

    withdraw: Any
    heard: Any
    follow_ups: FollowUps


def bind(scene: Scene, follow_ups: FollowUps) -> Verbs:
    heard = partial(record_heard, vault=scene.vault, follow_ups=follow_ups)
    return Verbs(partial(withdraw, follow_ups=follow_ups), heard, follow_ups)


def carrying(scene: Scene, mappings: Any, kinds: Iterable[str] = ("share", STOP, REPLY)) -> FollowUps:
    """Follow-ups over connections that carry these kinds."""
    connections = {name: replace(each, kinds=frozenset(kinds)) for name, each in scene.directory.connections.items()}
    directory = replace(scene.directory, connections=connections)
    return FollowUps(directory, mappings, scene.vault, england_and_wales())


@pytest.fixture(scope="module")
def verbs(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Verbs:
    """The verbs over connections that carry everything, and a mapping that can make it."""
    folder: Path = tmp_path_factory.mktemp("follow-up")
    (folder / "mapping.yaml").write_text(_TEMPLATE, encoding="utf-8")
    return bind(scene, carrying(scene, {"demo/1.0.0": load_mapping(folder, folder)}))


def sent(scene: Scene, store: Store, outcome: Any = None, key: str = "key-1") -> tuple[Acceptance, Claimed]:
    """Keep a share for housing and claim it; settle the attempt, unless it is still under way."""
    accepted = store.accept(scene.acceptance(key, services=[HOUSING]))
    (claimed,) = store.claim()
    if outcome is not None:
        assert store.one(scene.settle, settlement(claimed, outcome))
    return accepted, claimed


def document(scene: Scene, store: Store, row: dict[str, Any]) -> dict[str, Any]:
    """Open a delivery's parcel."""
    key = scene.vault.unwrap(store.only("shares", id=row["share_id"])["data_key"])
    return unpack(key.open(row["parcel"], place("deliveries", "parcel", row["id"])))


def telling(delivery_id: str, **changed: Any) -> Heard:
    answer = Answer(AnswerState.ACCEPTED, owner="Team leader", text="They will ring on Friday.")
    heard = Heard(
        delivery_id,
        SENDER,
        "day-centre-system",
        answer,
        "phone",
        "The team leader",
        "Jo at the front desk",
        date(2026, 11, 20),
        NOW,
        NOW,
    )
    return replace(heard, **changed)


@pytest.mark.parametrize(
    "outcome", [None, Delivered("r"), InDoubt("no-reply"), RetryLater("busy"), Rejected("no")], ids=str
)
def test_r15_whoever_may_have_it_is_asked_to_stop(scene: Scene, store: Store, verbs: Verbs, outcome: Any) -> None:
    # given a share that may have reached housing
    accepted, claimed = sent(scene, store, outcome)
    original = store.only("deliveries")
    # when
    done = store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then one request to stop goes the same way, in the same case, and tells nothing of the story
    assert done.asked == (HOUSING,)
    stop = store.only("deliveries", kind=STOP)
    for name in ("share_id", "consent_id", "service_id", "connection_id", "case", "address", "mapping"):
        assert stop[name] == original[name], name
    assert (stop["after"], stop["linked_to"], stop["state"]) == (claimed.delivery_id, claimed.delivery_id, "queued")
    made = document(scene, store, stop)
    assert (made["key"], made["kind"], made["follows"]) == (stop["key"], STOP, original["key"])
    assert made["reference"] == accepted.plan.ids.reference
    assert [told for told in story() if told in json.dumps(made)] == []
    # and its own clocks run, to an answer
    assert [row["level"] for row in store.all("clocks", delivery_id=stop["id"])] == [0, 1, 2, 3]
    assert store.only("audit_events", delivery_id=stop["id"])["detail"]["follows"] == original["id"]
    assert store.nudges.deliveries == {"housing": [stop["id"]]}


def test_r15_what_never_left_asks_nobody(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given
    accepted = store.accept(scene.acceptance())
    # when
    done = store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then
    assert (set(done.stopped), done.asked) == ({HOUSING, TREATMENT}, ())
    assert store.all("deliveries", kind=STOP) == []


def test_r15_a_repeat_asks_nobody_twice_and_says_the_same(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given
    accepted, _ = sent(scene, store, Delivered("r"))
    item = scene.withdrawal(accepted.plan.ids.record)
    first = store.one(verbs.withdraw, item)
    before = len(store.all("audit_events"))
    # when
    again = store.run(verbs.withdraw, item, item)
    # then
    assert again == [first, first]
    assert len(store.all("deliveries", kind=STOP)) == 1
    assert len(store.all("audit_events")) == before


def test_r15_a_request_that_could_not_be_delivered_was_not_made(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a request to stop that was refused
    accepted, _ = sent(scene, store, Delivered("r"))
    item = scene.withdrawal(accepted.plan.ids.record)
    store.one(verbs.withdraw, item)
    (stop,) = store.claim()
    store.one(scene.settle, settlement(stop, Rejected("no")))
    # when it is withdrawn again
    again = store.one(verbs.withdraw, item)
    # then nobody is told that the hub has asked
    assert (again.served, again.asked) == ((HOUSING,), ())


@pytest.mark.parametrize("outcome", [None, InDoubt("no-reply")], ids=["sending", "in doubt"])
def test_r15_a_request_to_stop_never_overtakes_what_it_is_about(
    scene: Scene, store: Store, verbs: Verbs, outcome: Any
) -> None:
    # given a share on its way when it was withdrawn
    accepted, claimed = sent(scene, store, outcome)
    done = store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    assert done.unsure == (() if outcome is None else (HOUSING,))
    # when couriers look, then nothing new goes; and once it has ended, the request does, without living consent
    later = NOW + timedelta(hours=1)
    assert [each.kind for each in store.claim(wall=later, asks_only=True) if not each.in_doubt] == []
    store.one(_end, claimed.delivery_id)
    assert [each.kind for each in store.claim(wall=later)] == [STOP]


def test_r15_where_asking_would_send_a_request_to_stop_does_not_wait_for_a_doubt(
    scene: Scene, store: Store, verbs: Verbs
) -> None:
    # given a doubt that nobody may ask about any more, for its connector asks by sending the same bytes again
    accepted, _ = sent(scene, store, InDoubt("no-reply"))
    store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # when a courier looks, then the request to stop goes, and the parcel does not
    assert [each.kind for each in store.claim(wall=NOW + timedelta(hours=1))] == [STOP]


def _end(tx: Any, items: list[str]) -> list[None]:
    rows = tx.lock_deliveries(items)
    names = ("due_at", "deaths", "counted", "may_have_left", "receipt", "sealed_receipt")
    tx.update_deliveries(
        [
            {name: rows[each][name] for name in names}
            | {"id": each, "state": DeliveryState.DELIVERED, "reason": "answered", "delivered_at": NOW}
            for each in items
        ]
    )
    return [None for _ in items]


@pytest.mark.parametrize("why", ["mapping-needs-more", "no-such-mapping", "not-carried", "forgotten"])
def test_r15_nothing_stops_a_withdrawal(scene: Scene, store: Store, verbs: Verbs, why: str) -> None:
    # given a share that housing has, and a request to stop that cannot be made
    accepted, _ = sent(scene, store, Delivered("r"))
    unable = {
        "mapping-needs-more": carrying(scene, scene.mappings),
        "no-such-mapping": carrying(scene, {}),
        "not-carried": carrying(scene, verbs.follow_ups.mappings, kinds=("share",)),
        "forgotten": verbs.follow_ups,
    }[why]
    if why == "forgotten":
        with store.engine.begin() as connection:
            connection.execute(update(tables.shares).values(data_key=None))
    # when
    done = store.one(bind(scene, unable).withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then consent has ended, and a person must ask
    assert (done.served, done.asked) == ((HOUSING,), ())
    assert store.only("consents")["state"] == "withdrawn"
    assert store.all("deliveries", kind=STOP) == []


def test_r15_on_a_held_connection_the_request_waits_with_the_rest(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given
    accepted, _ = sent(scene, store, Delivered("r"))
    store.one(lambda tx, items: [tx.hold("housing", "unauthorised", NOW) for _ in items], None)
    # when
    store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then
    assert store.only("deliveries", kind=STOP)["state"] == "held"
    store.one(lambda tx, items: [tx.resume("housing") for _ in items], None)
    assert [each.kind for each in store.claim()] == [STOP]


def test_r15_whatever_happens_a_request_is_claimed_last_and_once(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a share, and couriers, a withdrawal, copies of what was heard and a sweep in any order
    for seed in range(12):
        draw = Random(seed)
        accepted = store.accept(scene.acceptance(f"walk-{seed}", services=[HOUSING]))
        (original,) = [parcel.delivery_id for parcel in accepted.plan.parcels]
        item, wall = scene.withdrawal(accepted.plan.ids.record), NOW
        asked, stops = False, 0
        # when
        for step in draw.choices(("claim", "claim", "sweep", "heard", "withdraw"), k=14):
            wall += timedelta(hours=1)
            if step == "withdraw":
                done = store.one(verbs.withdraw, item)
                asked = asked or bool(done.asked)
            elif step == "sweep":
                store.one(sweep, Sweep(wall, NOW))
            elif step == "heard":
                store.one(verbs.heard, telling(original, wall=wall))
            else:
                claimed = [each for each in store.claim(wall=wall) if each.share_id == accepted.plan.ids.share]
                for each in claimed:
                    if each.kind == STOP and not each.in_doubt and each.attempt == 1:
                        # then: nothing else of this share can still be on the wire, or go later
                        stops += 1
                        others = [row for row in store.all("deliveries", share_id=each.share_id) if row["kind"] != STOP]
                        assert {DeliveryState(row["state"]) for row in others} <= ENDED
                    outcomes = (Delivered("r"), Delivered("r"), RetryLater("busy", after=1), InDoubt("?"), Died(True))
                    store.one(scene.settle, settlement(each, draw.choice(outcomes), wall=wall))
        assert len(store.all("deliveries", share_id=accepted.plan.ids.share, kind=STOP)) == int(asked)
        assert stops <= 1


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


def test_what_is_made_is_the_same_on_a_re_run(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a withdrawal that was rolled back after it had asked
    accepted, _ = sent(scene, store, Delivered("r"))
    item = scene.withdrawal(accepted.plan.ids.record)
    consent_id = store.only("consents")["id"]
    seen: list[dict[str, Any]] = []

    def undone(tx: Any, items: list[Any]) -> list[Withdrawn]:
        verbs.withdraw(tx, items)
        seen.extend(dict(row) for row in tx.deliveries_of([consent_id]))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.one(undone, item)
    # when it runs again
    store.one(verbs.withdraw, item)
    # then ids and keys are those of the first run
    assert {row["id"] for row in seen} == {row["id"] for row in store.all("deliveries")}
