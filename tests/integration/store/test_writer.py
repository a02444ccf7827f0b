"""The writer: many commands, one commit, and no promise before it; nothing that a caller does can stop it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from hub.domain.errors import Conflict
from hub.domain.share import Person
from hub.services.refusals import AgreementEnded
from hub.services.remember import Fact, OneTime, keep_facts, remember
from hub.services.submit import Acceptance, Kept, accept
from hub.store.transaction import Nudges
from hub.store.writer import Writer
from tests.scenery import HOUSING, NOW, Scene, Store

SECONDS = 30


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    """A writer that is not started yet, so that a test decides what one batch holds."""
    writer = Writer(store.engine)
    yield writer
    if writer._thread.ident is None:
        writer.start()
    writer.close()


def failing(tx: Any, items: list[str]) -> list[None]:
    """Keep facts, and fail on the one that is poison, after it was written."""
    for item in items:
        tx.replace_fact(item, "x")
        if item == "poison":
            raise RuntimeError("poison")
    return [None for _ in items]


def test_items_that_wait_together_are_kept_in_one_commit(scene: Scene, store: Store, writer: Writer) -> None:
    # given
    commits = []
    event.listen(store.engine, "commit", commits.append)
    futures = [writer.submit(accept, scene.acceptance(f"key-{number}")) for number in range(20)]
    # when
    writer.start()
    # then
    assert all(isinstance(each.result(SECONDS), Acceptance) for each in futures)
    assert len(commits) == 1


def test_a_poisoned_item_fails_alone(store: Store, writer: Writer) -> None:
    # given
    futures = {name: writer.submit(failing, name) for name in ("before", "poison", "after")}
    # when
    writer.start()
    # then: what it wrote before it failed is gone, its neighbours are kept
    with pytest.raises(RuntimeError, match="poison"):
        futures["poison"].result(SECONDS)
    assert futures["before"].result(SECONDS) is futures["after"].result(SECONDS) is None
    assert {row["name"] for row in store.all("facts")} == {"before", "after"}


def test_a_poisoned_item_of_another_verb_fails_alone(scene: Scene, store: Store, writer: Writer) -> None:
    # given
    share = writer.submit(accept, scene.acceptance())
    poison = writer.submit(failing, "poison")
    # when
    writer.start()
    # then
    assert isinstance(share.result(SECONDS), Acceptance)
    assert isinstance(poison.exception(SECONDS), RuntimeError)
    assert len(store.all("shares")) == 1


def test_a_promise_is_made_after_the_commit_only(store: Store, writer: Writer) -> None:
    # given: a look at the future at the moment of the commit
    seen: list[bool] = []
    future: Future[None] = writer.submit(keep_facts, Fact("a", "b"))
    event.listen(store.engine, "commit", lambda _: seen.append(future.done()))
    told: list[bool] = []
    future.add_done_callback(lambda _: told.append(bool(store.all("facts"))))
    # when
    writer.start()
    future.result(SECONDS)
    # then: not done before the commit, and kept by the time anyone could know
    writer.close()
    assert (seen, told) == ([False], [True])


def test_nudges_are_told_after_the_commit_and_only_of_what_was_kept(scene: Scene, store: Store, writer: Writer) -> None:
    # given
    told: list[tuple[Nudges, int]] = []
    writer.on_commit = lambda nudges: told.append((nudges, len(store.all("deliveries"))))
    share = writer.submit(accept, scene.acceptance(services=[HOUSING]))
    poison = writer.submit(failing, "poison")
    # when
    writer.start()
    poison.exception(SECONDS)
    writer.close()
    # then
    (delivery,) = share.result().plan.parcels
    assert [(each.deliveries, kept) for each, kept in told] == [({"housing": [delivery.delivery_id]}, 1)]


def test_a_broker_that_fails_does_not_stop_the_writer(writer: Writer) -> None:
    # given
    def broken(_: Nudges) -> None:
        raise ConnectionError("the broker is away")

    writer.on_commit = broken
    # when
    writer.start()
    # then
    for number in range(3):
        assert writer.submit(remember, OneTime("k", str(number), NOW)).result(SECONDS) is True


def test_a_caller_that_goes_away_before_its_turn_keeps_nothing(store: Store, writer: Writer) -> None:
    # given
    gone, stays = writer.submit(keep_facts, Fact("gone", "x")), writer.submit(keep_facts, Fact("stays", "x"))
    assert gone.cancel()
    # when
    writer.start()
    stays.result(SECONDS)
    # then
    assert [row["name"] for row in store.all("facts")] == ["stays"]
    with pytest.raises(CancelledError):
        gone.result()


@pytest.mark.anyio
async def test_a_request_that_is_cut_off_does_not_stop_the_writer(store: Store, writer: Writer) -> None:
    # given: a command that is being committed when its caller is cancelled
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Any, items: list[str]) -> list[None]:
        begun.set()
        assert go_on.wait(SECONDS)
        return failing(tx, items)

    writer.start()
    request = asyncio.create_task(writer.run(slow, "kept"))
    await asyncio.to_thread(begun.wait, SECONDS)
    # when
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    go_on.set()
    # then: what had begun is kept, and the next caller is served
    await writer.run(keep_facts, Fact("next", "x"))
    assert {row["name"] for row in store.all("facts")} == {"kept", "next"}


@pytest.mark.anyio
async def test_a_refusal_that_a_verb_returns_is_raised(scene: Scene, writer: Writer) -> None:
    writer.start()
    await writer.run(accept, scene.acceptance(body="one"))
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await writer.run(accept, scene.acceptance(body="two"))


def test_the_same_request_at_two_writers_is_one_share(scene: Scene, store: Store) -> None:
    # given: four processes' writers, each with the same twenty requests
    requests = [[scene.acceptance(f"key-{n}", token=f"{w}-{n}") for n in range(20)] for w in range(4)]
    writers = [Writer(store.engine) for _ in range(4)]
    for writer in writers:
        writer.start()
    # when
    futures = [
        writer.submit(accept, each[n]) for n in range(20) for writer, each in zip(writers, requests, strict=True)
    ]
    results = [each.result(SECONDS) for each in futures]
    for writer in writers:
        writer.close()
    # then: each was accepted once, and answered the same everywhere else
    accepted = [each.plan.ids.share for each in results if isinstance(each, Acceptance)]
    kept = [each.share_id for each in results if isinstance(each, Kept)]
    assert len(set(accepted)) == len(accepted) == len(store.all("shares")) == 20
    assert len(kept) == 60


def test_r32_the_same_need_at_four_writers_is_asked_once(scene: Scene, store: Store) -> None:
    # given: four processes' writers, each with the same twenty people's need, under keys of their own
    people = [replace(scene.share, person=Person(f"P-{n}")) for n in range(20)]
    requests = [[scene.acceptance(f"key-{w}-{n}", share=people[n]) for n in range(20)] for w in range(4)]
    writers = [Writer(store.engine) for _ in range(4)]
    for writer in writers:
        writer.start()
    # when
    futures = [
        writer.submit(accept, each[n]) for n in range(20) for writer, each in zip(writers, requests, strict=True)
    ]
    results = [each.exception(SECONDS) or each.result() for each in futures]
    for writer in writers:
        writer.close()
    # then: each need was taken once, and wherever else it was asked the open share is named
    accepted = [each.plan.ids.share for each in results if isinstance(each, Acceptance)]
    refused = [each for each in results if isinstance(each, AgreementEnded)]
    assert len(accepted) == len(store.all("shares")) == 20
    links = {why.link.removeprefix("/v1/shares/") for each in refused for why in each.refusals.values()}
    assert (len(refused), links) == (60, set(accepted))


def test_a_lasting_failure_is_told_and_not_tried_for_ever(scene: Scene, store: Store, writer: Writer) -> None:
    # given
    writer.start()
    first = writer.submit(accept, scene.acceptance("key-1")).result(SECONDS)
    broken = scene.acceptance("key-2")
    broken.rows["deliveries"][0]["key"] = first.plan.parcels[0].key
    # when / then
    assert isinstance(writer.submit(accept, broken).exception(SECONDS), IntegrityError)
    assert isinstance(writer.submit(accept, scene.acceptance("key-3")).result(SECONDS), Acceptance)


def test_a_closed_writer_finishes_what_it_has_and_takes_no_more(store: Store) -> None:
    # given
    writer = Writer(store.engine)
    futures = [writer.submit(keep_facts, Fact(str(number), "x")) for number in range(300)]
    writer.start()
    # when
    writer.close()
    # then
    assert all(each.done() for each in futures)
    assert len(store.all("facts")) == 300
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(keep_facts, Fact("late", "x")).result(SECONDS)
