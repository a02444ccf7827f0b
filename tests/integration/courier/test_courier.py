"""The courier between a real store and a real host: no message stops another, and no doubt is given up or resent."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from hub.api import callbacks
from hub.courier import collecting
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
        verbs = Verbs.bound(vault)
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


async def test_what_was_collected_is_kept_before_it_is_acknowledged(stand: Stand, rig: Any, partner: Any) -> None:
    # given: a share that the partner calls r0, and three messages that wait there
    claimed = stand.claimed()
    assert stand.store.one(stand.scene.settle, settlement(claimed, Delivered("r0"), wall=stand.now.wall()))
    running = asyncio.create_task(stand.courier.run())
    # when: they are collected, and once more because the partner still has them
    assert (await stand.courier.collect(), await stand.courier.collect()) == (3, 3)
    await stand.until(lambda: any(row["level"] == 2 for row in stand.store.all("acknowledgements")))
    running.cancel()
    # then: each was kept once and acknowledged each time, and the rung stands on the delivery that it names
    assert len(stand.store.all("inbox")) == 3
    assert [line.split()[0] for line in partner.lines].count(b"DELETE") == 6
    (reached,) = [row for row in stand.store.all("acknowledgements") if row["level"] == 2]
    assert reached["delivery_id"] == claimed.delivery_id


async def test_a_notice_of_a_change_is_looked_into_and_belongs_to_nobody(stand: Stand, partner: Any) -> None:
    # given: two shares that the partner has, one of which it says has changed
    for receipt in ("r7", "r8"):
        claimed = stand.claimed()
        stand.store.one(stand.scene.settle, settlement(claimed, Delivered(receipt), wall=stand.now.wall()))
    stand.message("m1", json.dumps({"look": "r7"}).encode())
    # when
    running = asyncio.create_task(stand.courier.run())
    stand.courier.nudge()
    await stand.until(lambda: any(row["state"] == "read" for row in stand.store.all("inbox")))
    one = [line.split()[1] for line in partner.lines if line.startswith(b"GET")]
    # and one that names none
    stand.message("m2", json.dumps({"look": ""}).encode())
    stand.courier.nudge()
    await stand.until(lambda: sum(line.startswith(b"GET") for line in partner.lines) >= 3)
    running.cancel()
    # then: of the first only that one was looked at, of the second every one that may still be answered
    every = [line.split()[1] for line in partner.lines if line.startswith(b"GET")]
    assert one == [b"/r7"]
    assert sorted(every[1:3]) == [b"/r7", b"/r8"]
    # and nothing of the notice is kept
    assert all(row["data_key"] is None for row in stand.store.all("inbox", state="read") if row["share_id"] is None)


def test_no_request_can_pass_for_what_was_collected() -> None:
    # given / when / then: none of the headers that are kept of a request bears the mark
    assert collecting._COLLECTED not in callbacks._KEPT_HEADERS


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
