"""What of an answer travels back, by what became of the consent since it was sent (R15, R16, R21)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hub.domain.answer import Answer
from hub.domain.calendar import day_ends
from hub.domain.delivery import DeliveryKind
from hub.domain.outcome import Delivered
from hub.domain.share import Person, Share
from hub.sdk.connector import Inbound
from hub.services.claim import Claimed
from hub.services.follow_up import FollowUps, Wanted, queue
from hub.services.pack import place, unpack
from hub.services.receive import Message
from hub.services.respond import Response
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import withdraw
from tests.following import STOP, Verbs, carrying, everything
from tests.scenery import BUSINESS, FULL, NOW, Scene, Store, settlement

CLAUSES = [["state"], ["state", "owner"], ["state", "owner", "next_step", "reason", "text"]]
#: What each clause lets through of an answer that says everything.
SAID = {"state": {}, "owner": {"owner": FULL.owner}, "next_step": {"next_step": FULL.next_step}}
SAID |= {"reason": {"reason": FULL.reason}, "text": {"text": FULL.text}}


def told(scene: Scene, reference: str, returns: Any, replaces: str | None = None) -> Share:
    consent = replace(scene.share.consents[0], reference=reference, returns=returns, replaces=replaces)
    return replace(scene.share, person=Person("P-one"), consents=[consent])


def answered(scene: Scene, store: Store, key: str, answer: Answer, name: str = "m1") -> dict[str, Any]:
    """Let housing answer, and return what was kept of it, with what was held back."""
    store.one(scene.receive, Message("housing", scene.vault.digest("message", name), b"body", (), NOW))
    (unread,) = store.all("inbox", message_id=scene.vault.digest("message", name))
    response = Response(unread["id"], "housing", Inbound(name, key, None, (answer,)), NOW, BUSINESS)
    assert store.one(scene.respond, response)
    row = store.all("answers")[-1]
    share_id = store.only("deliveries", id=row["delivery_id"])["share_id"]
    data_key = scene.vault.unwrap(store.only("shares", id=share_id)["data_key"])
    return unpack(data_key.open(row["said"], place("answers", "said", row["id"]))) | {"held_back": row["held_back"]}


def _withdrawn(scene: Scene, store: Store, record: str) -> None:
    store.one(withdraw, scene.withdrawal(record))


def _expired(scene: Scene, store: Store, _: str) -> None:
    until = day_ends(scene.share.consents[0].until)
    assert store.one(sweep, Sweep(until, until)).expired == 1


def _superseded(scene: Scene, store: Store, _: str) -> None:
    store.accept(scene.acceptance("new", share=told(scene, "c-2", ["state"], "c-1")))


AFTER: dict[str, Callable[[Scene, Store, str], None]] = {
    "given": lambda *_: None,
    "expired": _expired,
    "withdrawn": _withdrawn,
    "superseded": _superseded,
}


def went(scene: Scene, store: Store, returns: list[str]) -> tuple[str, Claimed]:
    """Let housing have a share; return its consent record, and what was sent."""
    accepted = store.accept(scene.acceptance("old", share=told(scene, "c-1", returns)))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Delivered("ref")))
    return accepted.plan.ids.record, claimed


@pytest.mark.parametrize("returns", CLAUSES, ids=lambda clause: clause[-1])
@pytest.mark.parametrize("state", AFTER)
def test_r16_the_return_clause_holds_until_the_person_says_otherwise(
    scene: Scene, store: Store, state: str, returns: list[str]
) -> None:
    # given a share that housing has, under a consent that stands so by now
    record, claimed = went(scene, store, returns)
    AFTER[state](scene, store, record)
    assert state in {row["state"] for row in store.all("consents", record_id=record)}
    # when housing says everything
    kept = answered(scene, store, claimed.key, FULL)
    # then the state always comes back, and the rest by the original clause, until a stop or a newer choice
    clause = returns if state in {"given", "expired"} else ["state"]
    expected = {name: value for each in clause for name, value in SAID[each].items()}
    assert {name: kept[name] for name in ("owner", "next_step", "reason", "text") if kept[name]} == expected
    assert set(expected).isdisjoint(kept["held_back"])
    assert {"owner", "next_step", "reason", "text"} == set(expected) | (set(kept["held_back"]) - {"next_date"})
    assert store.only("deliveries", id=claimed.delivery_id)["answer_state"] == "accepted"


def test_r15_what_a_service_says_about_stopping_still_comes_back(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a service that was asked to stop
    record, _ = went(scene, store, ["state", "text"])
    store.one(verbs.withdraw, scene.withdrawal(record))
    (asked,) = store.claim()
    store.one(scene.settle, settlement(asked, Delivered("ref-2")))
    # when it says what it keeps, and why
    kept = answered(scene, store, asked.key, FULL)
    # then the person can be told
    assert kept["text"] == FULL.text


@pytest.mark.parametrize("kind", ["addendum", "correction"])
@pytest.mark.parametrize("under_way", [False, True], ids=["waiting", "being sent"])
def test_r15_what_followed_a_share_is_withdrawn_with_it(
    scene: Scene, store: Store, tmp_path: Any, kind: str, under_way: bool
) -> None:
    # given a share that housing has, and something that follows it under the same consent
    verbs = everything(scene, tmp_path)
    mappings = verbs.follow_ups.mappings
    follow_ups = carrying(scene, mappings, ("share", STOP, kind))
    record, claimed = went(scene, store, ["state"])
    follows = follow(store, follow_ups, claimed.delivery_id, kind)
    if under_way:
        assert [each.delivery_id for each in store.claim()] == [follows]
    # when it is withdrawn
    done = store.one(partial(withdraw, follow_ups=follow_ups), scene.withdrawal(record))
    # then what follows never goes, or counts as served; and one request to stop goes after whatever went last
    assert (done.served, done.asked) == (("city-housing-options",), ("city-housing-options",))
    assert store.state(follows) == ("sending" if under_way else "cancelled")
    request = store.only("deliveries", kind=STOP)
    assert request["after"] == (follows if under_way else claimed.delivery_id)
    assert {row["delivery_id"] for row in store.all("clocks", state="running")} == {request["id"]}
    if under_way:
        assert store.claim() == []
    else:
        assert [each.delivery_id for each in store.claim()] == [request["id"]]


def follow(store: Store, follow_ups: FollowUps, delivery_id: str, kind: str) -> str:
    """Queue what follows a delivery, and return its id."""

    def run(tx: Any, items: Any) -> list[str]:
        original = tx.originals([delivery_id])[delivery_id]
        wanted = Wanted(original, DeliveryKind(kind), 0, delivery_id, NOW, NOW, "client:test")
        made = follow_ups.make(wanted)
        assert made is not None
        queue(tx, [made])
        return [made.delivery["id"] for _ in items]

    return str(store.one(run, None))
