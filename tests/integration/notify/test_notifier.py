"""The notifier over a real store: no channel waits for another, and nothing that must be known ends unseen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from hub.domain.route import Directory
from hub.notify.composer import Composer
from hub.notify.mail import Mailer, MailSettings
from hub.notify.notifier import Notifier
from hub.notify.webhook import Subscription, WebhookSender
from hub.sdk.http import GuardedClient
from hub.sdk.reach import SANDBOX_ADDRESSES, Reach
from hub.security.webhooks import new_secret, sign_webhook
from hub.services.now import SystemNow
from hub.services.tell import notice_row
from hub.services.watch import Watch
from hub.store.engine import open_engine, sqlite_url
from hub.store.read_due import has_due_notices
from hub.store.read_state import notice_context
from hub.store.writer import Writer
from tests.databases import migrated_file
from tests.integration.notify.conftest import Post
from tests.scenery import HOUSING, NOW, Scene, Store

pytestmark = pytest.mark.anyio
CLIENT = "day-centre-system"


@dataclass
class CaseSystem:
    """A case system's address, and how often it was called."""

    url: str = ""
    status: int = 204
    calls: int = 0
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    async def take(self, _request: web.Request) -> web.Response:
        """Answer as told."""
        self.calls += 1
        return web.Response(status=self.status)


@pytest.fixture
async def case_system() -> AsyncIterator[CaseSystem]:
    """A case system that listens on this machine."""
    system = CaseSystem()
    app = web.Application()
    app.router.add_post("/", system.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    system.url = f"http://{host}:{port}/"
    client = GuardedClient(Reach.to([f"{host}:{port}"], SANDBOX_ADDRESSES, deadline_seconds=5))
    system.subscriptions = {CLIENT: Subscription(system.url, (new_secret(),), client)}
    yield system
    await client.aclose()
    await runner.cleanup()


@dataclass
class House:
    """A store with one share in it, the writer, and whom the notifier writes to."""

    scene: Scene
    store: Store
    writer: Writer
    share_id: str
    delivery_id: str

    def put(self, *rows: Any) -> None:
        """Queue notices."""
        self.store.one(lambda tx, items: [tx.insert("notices", list(each)) for each in items], list(rows))

    def webhooks(self, number: int) -> None:
        """Queue notices for the case system."""
        ids = {"share_id": self.share_id, "delivery_id": self.delivery_id}
        self.put(*(notice_row("webhook", "delivery.answered", CLIENT, self._due(), **ids) for _ in range(number)))

    def mails(self, number: int) -> None:
        """Queue mails for the operator."""
        self.put(
            *(
                notice_row("email", "connection_held", "operator", self._due(), connection_id="housing")
                for _ in range(number)
            )
        )

    def alert(self) -> None:
        """Raise the alert about what arrived and was not answered, whose emails go to two champions."""
        self.store.one(_arrive, self.delivery_id)
        self.store.one(self.scene.watch, Watch(NOW + timedelta(days=60), self._due(), limit=1))

    def _due(self) -> datetime:
        return SystemNow().wall() - timedelta(seconds=1)

    def states(self, **where: Any) -> list[str]:
        """Return where notices stand."""
        return [row["state"] for row in self.store.all("notices", **where)]


def _arrive(tx: Any, ids: list[str]) -> list[None]:
    rows = tx.lock_deliveries(ids)
    names = ("due_at", "deaths", "counted", "may_have_left", "receipt", "sealed_receipt")
    tx.update_deliveries(
        [
            {name: rows[each][name] for name in names}
            | {"id": each, "state": "delivered", "reason": "", "delivered_at": NOW}
            for each in ids
        ]
    )
    tx.stop_clocks([(each, 1) for each in ids])
    return [None for _ in ids]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house of its own."""
    scene = Scene(tmp_path)
    engine = open_engine(sqlite_url(migrated_file(tmp_path)))
    store = Store(engine)
    accepted = store.accept(scene.acceptance(services=[HOUSING]))
    writer = Writer(engine)
    writer.start()
    yield House(scene, store, writer, accepted.plan.ids.share, store.only("deliveries")["id"])
    writer.close()
    engine.dispose()


@asynccontextmanager
async def notifying(house: House, port: int, system: CaseSystem, directory: Directory | None = None) -> Any:
    """Run a notifier, nudged as the relay nudges it."""
    mailer = Mailer(MailSettings("127.0.0.1", port, "hub@example.org", "hub.example.org", tls="none", timeout=6))
    now = SystemNow()

    async def read(notice: Any) -> Any:
        return await asyncio.to_thread(notice_context, house.store.engine, notice)

    composer = Composer(
        directory or house.scene.directory, house.scene.vault, "http://hub.example", system.subscriptions, read, now
    )
    notifier = Notifier(house.writer.run, composer, mailer, WebhookSender(sign_webhook), now)
    running = asyncio.create_task(notifier.run())
    try:
        yield notifier
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await asyncio.to_thread(mailer.close)


async def until(house: House, notifier: Notifier, true: Callable[[], bool]) -> None:
    """Nudge as the relay does, until something is so."""
    async with asyncio.timeout(20):
        while not true():
            if has_due_notices(house.store.engine, SystemNow().wall()):
                notifier.nudge()
            await asyncio.sleep(0.05)


async def test_a_mail_server_that_says_nothing_keeps_no_webhook_waiting(house: House, case_system: CaseSystem) -> None:
    # given a mail server that takes calls and is silent, more mails than go at once, and many webhooks due after them
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        house.mails(40)
        house.webhooks(70)
        # when
        async with notifying(house, silent.getsockname()[1], case_system) as notifier:
            await until(house, notifier, lambda: case_system.calls == 70)
            await until(house, notifier, lambda: house.states(channel="webhook") == ["sent"] * 70)
            # then every webhook went, the mails still under way
            assert set(house.states(channel="email")) == {"sending", "queued"}
            # and no more mails are claimed than their lease is long enough for
            assert house.states(channel="email").count("sending") == 4


async def test_all_that_waits_goes_once(house: House, case_system: CaseSystem, plain_post: Post) -> None:
    # given
    house.mails(11)
    house.webhooks(40)
    # when
    async with notifying(house, plain_post.port, case_system) as notifier:
        await until(house, notifier, lambda: set(house.states()) == {"sent"})
    # then
    assert (len(plain_post.mailbox.taken), case_system.calls) == (11, 40)


async def test_an_alert_that_reached_no_champion_is_told_to_the_operator(
    house: House, case_system: CaseSystem, plain_post: Post
) -> None:
    # given an alert for two champions, whose mail server will not have either
    house.alert()
    before = house.store.all("notices", topic="alert.unanswered")
    assert len(before) == 2
    plain_post.mailbox.recipient_reply = "550 no such user"
    # when
    with capture_logs() as logs:
        async with notifying(house, plain_post.port, case_system) as notifier:
            await until(house, notifier, lambda: house.states(topic="mailbox.refused") == ["dead_lettered"] * 2)
    # then the operator was to be told of each reader; and that nobody could be told stands in the log
    assert {row["recipient"] for row in house.store.all("notices", topic="mailbox.refused")} == {"operator"}
    assert house.states(topic="alert.unsent") == []
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["notifier.operator_not_told"] * 2
    assert house.states(topic="alert.unanswered") == ["dead_lettered"] * 2


async def test_a_notice_with_nobody_to_take_it_is_cancelled(
    house: House, case_system: CaseSystem, plain_post: Post
) -> None:
    # given a webhook for a client without an address, and an alert's champions who left
    case_system.subscriptions.clear()
    house.webhooks(1)
    house.alert()
    nobody = {name: replace(each, champion=house.scene.directory.operator) for name, each in _partners(house)}
    # when
    async with notifying(
        house, plain_post.port, case_system, replace(house.scene.directory, partners=nobody)
    ) as notifier:
        await until(house, notifier, lambda: house.states(topic="alert.unsent") == ["sent"] * 2)
        await until(house, notifier, lambda: set(house.states()) == {"sent", "cancelled"})
    # then none of it is a dead letter, and of the alert the operator hears
    assert set(house.states(channel="webhook")) == {"cancelled"}
    assert house.states(topic="alert.unanswered") == ["cancelled"] * 2
    assert {row["reason"] for row in house.store.all("notices", state="cancelled")} == {"nobody-to-tell"}
    assert "An alert reached nobody" in str(plain_post.mailbox.taken[0].content)


def _partners(house: House) -> Any:
    return house.scene.directory.partners.items()


async def test_of_an_address_that_is_gone_the_operator_hears_once(
    house: House, case_system: CaseSystem, plain_post: Post
) -> None:
    # given
    case_system.status = 410
    house.webhooks(3)
    # when
    async with notifying(house, plain_post.port, case_system) as notifier:
        await until(house, notifier, lambda: house.states(topic="delivery.answered") == ["dead_lettered"] * 3)
        house.webhooks(1)
        await until(house, notifier, lambda: house.states(topic="delivery.answered") == ["dead_lettered"] * 4)
        await until(house, notifier, lambda: house.states(topic="webhook.gone") == ["sent"])
    # then
    assert house.store.only("notices", topic="webhook.gone")["recipient"] == "operator"
    assert "takes no more notices" in str(plain_post.mailbox.taken[0].content)
    assert CLIENT not in str(plain_post.mailbox.taken[0].content)
