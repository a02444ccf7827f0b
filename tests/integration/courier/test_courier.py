"""The courier between a real store and a real host: no message stops another, and no doubt is given up or resent."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from hub.courier.courier import Courier, Verbs
from hub.courier.host_process import HostProcess
from hub.courier.incarnation import HostDied
from hub.domain.answer import Level
from hub.domain.outcome import Delivered, InDoubt, Rejected
from hub.sdk import Parcel
from hub.services.claim import Claimed
from hub.services.now import SystemNow
from hub.services.read_inbox import pack_message
from hub.services.receive import Message
from hub.services.respond import respond
from hub.services.settle import settle
from hub.store import tables
from hub.store.engine import open_engine, sqlite_url
from hub.store.writer import Writer
from tests.databases import migrated_file
from tests.scenery import HOUSING, Scene, Store, settlement

pytestmark = pytest.mark.anyio


class Stand:
    """A courier of housing's, with its store, its host and its writer."""

    def __init__(self, folder: Path, host: HostProcess) -> None:
        self.scene = Scene(folder / "scene")
        self.store = Store(open_engine(sqlite_url(migrated_file(folder))))
        self.writer = Writer(self.store.engine)
        self.now = SystemNow()
        vault = self.scene.vault
        verbs = Verbs(partial(settle, vault=vault), partial(respond, vault=vault))
        self.courier = Courier(
            "housing", host, self.writer.run, verbs, vault, self.now, timedelta(seconds=20), 4, asks_only=True
        )

    def claimed(self) -> Claimed:
        """A share for housing, accepted and claimed."""
        self.store.accept(self.scene.acceptance(str(uuid.uuid4()), services=[HOUSING]))
        (claimed,) = self.store.claim()
        return claimed

    def message(self, name: str, body: bytes) -> None:
        """What the partner sent, kept."""
        packed = pack_message({"x-id": name}, body)
        message_id = self.scene.vault.digest("message", name)
        assert self.store.one(self.scene.receive, Message("housing", message_id, packed, (), self.now.wall()))

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something is so, and fail where it never is."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)


@pytest.fixture
async def stand(rig: Any, tmp_path: Path) -> AsyncIterator[Stand]:
    (tmp_path / "scene").mkdir()
    stand = Stand(tmp_path, rig.host)
    stand.writer.start()
    yield stand
    await asyncio.to_thread(stand.writer.close)
    stand.store.engine.dispose()


async def test_a_message_that_cannot_be_kept_stops_none_behind_it(stand: Stand) -> None:
    # given: two messages, of which the first cannot even be opened
    claimed = stand.claimed()
    assert stand.store.one(stand.scene.settle, settlement(claimed, Delivered("ref"), wall=stand.now.wall()))
    answer = json.dumps({"state": "accepted", "reference": claimed.key, "owner": "Jo"}).encode()
    stand.message("broken", answer)
    with stand.store.engine.begin() as connection:
        connection.execute(update(tables.inbox).values(data_key=b"no key at all"))
    stand.message("whole", answer)
    # when
    running = asyncio.create_task(stand.courier.run())
    stand.courier.nudge()
    await stand.until(lambda: bool(stand.store.all("answers")))
    running.cancel()
    # then: the second is read, and the first is kept and tried again
    assert stand.store.only("deliveries")["answer_state"] == "accepted"
    states = {row["state"]: row["reason"] for row in stand.store.all("inbox")}
    assert states == {"read": None, "pending": "cannot-be-kept"}
    assert [row for row in stand.store.all("inbox", state="pending") if row["due_at"] > row["received_at"]]


class _Dead:
    """A host that is gone whenever it is asked, as `host_process` reports it; it notes what it was asked."""

    def __init__(self, died: HostDied) -> None:
        self.died = died
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        async def asked(_: Parcel) -> HostDied:
            self.asked.append(name)
            return self.died

        return asked


def _claimed(stand: Stand, *, deaths: int, in_doubt: bool) -> Claimed:
    claimed = stand.claimed()
    object.__setattr__(claimed, "deaths", deaths)
    object.__setattr__(claimed, "in_doubt", in_doubt)
    return claimed


async def test_a_doubt_is_asked_about_however_often_its_host_died(stand: Stand) -> None:
    # given: three deaths, which would end a parcel that surely never left
    certain, doubted = _claimed(stand, deaths=3, in_doubt=False), _claimed(stand, deaths=3, in_doubt=True)
    # when / then
    assert await stand.courier._carry(certain) == (Rejected("host-died-again"), False)
    outcome, _ = await stand.courier._carry(doubted)
    assert outcome == Delivered("200")  # the partner's own reply to the question


async def test_a_connector_proves_no_more_than_its_manifest_names(stand: Stand) -> None:
    # given: a connector that says L2 of what its manifest calls L1
    claimed = stand.claimed()
    object.__setattr__(claimed, "address", "post")
    assert (await stand.courier._carry(claimed))[0].level == Level.L2
    # when / then
    stand.courier._proves = Level.L1
    assert (await stand.courier._carry(claimed))[0].level == Level.L1


@pytest.mark.parametrize("why", ["idle", "closed"])
async def test_a_host_that_closes_while_it_is_asked_leaves_the_doubt(stand: Stand, why: Any) -> None:
    # given
    host = _Dead(HostDied(started=False, why=why))
    stand.courier._host = host  # type: ignore[assignment]
    # when: what settle reads as "it had not arrived" would send it again
    outcome, started = await stand.courier._carry(_claimed(stand, deaths=0, in_doubt=True))
    # then
    assert (outcome, started) == (InDoubt("host-closed"), False)
    assert host.asked == ["reconcile"]


async def test_a_question_that_breaks_off_leaves_the_doubt(rig: Any, partner: Any, parcel: Any) -> None:
    # given: a partner that says nothing
    partner.silent = True
    # when: it is asked whether a parcel arrived
    result = await rig.host.reconcile(parcel("post", seconds=1))
    # then: "later" would be read as "it had not arrived", and the parcel would go again
    assert isinstance(result.outcome, InDoubt)
