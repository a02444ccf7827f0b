"""Notices through real HTTP: signed so that the standard's library takes them, and every reply given a meaning."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from hub.config import ClientTable, OperatorTable, PartnershipTable
from hub.correspondents import webhook_clients_of
from hub.domain.outcome import RetryLater
from hub.notify.outcome import Gone, NoticeOutcome, Sent
from hub.notify.webhook import Subscription, ThinNotice, WebhookSender
from hub.sdk.http import GuardedClient
from hub.sdk.reach import SANDBOX_ADDRESSES, Reach
from hub.security.webhooks import new_secret, sign_webhook

pytestmark = pytest.mark.anyio

OLD, NEW = new_secret(), new_secret()
LOOPBACK = ("127.0.0.0/8", "::1/128")
PARTNERSHIP = PartnershipTable(name="Anywhere", operator=OperatorTable(name="Operator", email="operator@example.org"))
NOTICE = ThinNotice("ntc-1", b'{"type":"answer.recorded","share":"0192"}')


@dataclass
class CaseSystem:
    """A case system's webhook address, and what it got."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    hang: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Keep the request and answer as told."""
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        if self.hang:
            await self.released.wait()
        if self.drop:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def _running(system: CaseSystem) -> AsyncIterator[CaseSystem]:
    application = web.Application()
    application.router.add_post("/hook", system.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    system.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield system
    finally:
        system.released.set()
        await runner.cleanup()


async def _send(url: str, seconds: float = 5.0, allow: tuple[str, ...] = SANDBOX_ADDRESSES) -> NoticeOutcome:
    client = GuardedClient(Reach.to([url.split("/")[2]], allow))
    try:
        sender = WebhookSender(sign_webhook, seconds)
        return await sender.send(NOTICE, Subscription(url, (OLD, NEW), client), datetime.now(UTC))
    finally:
        await client.aclose()


async def test_a_notice_arrives_once_with_proof_for_either_secret() -> None:
    # given a case system that is rotating its secret
    async with _running(CaseSystem()) as system:
        # when a notice is sent, then the standard's own library takes it with the old and the new secret
        assert await _send(system.url) == Sent()
        ((headers, body),) = system.got
        for secret in (OLD, NEW):
            assert Webhook(secret).verify(body, headers) == json.loads(NOTICE.body)
        assert (headers["webhook-id"], headers["content-type"]) == ("ntc-1", "application/json")


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (200, {}, Sent()),
        (202, {}, Sent()),
        (410, {}, Gone()),
        (429, {"Retry-After": "120"}, RetryLater("status:429", after=120.0)),
        (503, {"Retry-After": "7"}, RetryLater("status:503", after=7.0)),
        (503, {}, RetryLater("status:503")),
        (500, {"Retry-After": "7"}, RetryLater("status:500")),
        (400, {}, RetryLater("status:400")),
        (401, {}, RetryLater("status:401")),
        (302, {"Location": "http://127.0.0.1:1/"}, RetryLater("status:302")),
    ],
)
async def test_every_reply_has_its_meaning(status: int, headers: dict[str, str], outcome: NoticeOutcome) -> None:
    # given a case system that replies so, when a notice is sent, then it means that, after one request
    async with _running(CaseSystem(status=status, headers=headers)) as system:
        assert await _send(system.url) == outcome
        assert len(system.got) == 1


async def test_a_lost_or_late_reply_is_tried_again() -> None:
    # given a system that hangs up, and one that takes too long, when a notice is sent, then it is to be tried again
    async with _running(CaseSystem(drop=True)) as system:
        lost = await _send(system.url)
    async with _running(CaseSystem(hang=True)) as system:
        late = await _send(system.url, seconds=0.3)
    assert isinstance(lost, RetryLater)
    assert isinstance(late, RetryLater)
    assert lost.reason.startswith("no-reply:")
    assert late.reason == "no-reply:deadline"


async def test_nobody_there_is_tried_again() -> None:
    # given an address where nobody listens, when a notice is sent, then it is to be tried again
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        outcome = await _send(f"http://127.0.0.1:{free.getsockname()[1]}/hook")
    assert outcome == RetryLater("connection")


async def test_th17_an_address_inside_our_own_network_is_never_called() -> None:
    # given a webhook address that points inside, when a notice is sent, then not one request arrives (TH17)
    async with _running(CaseSystem()) as system:
        outcome = await _send(system.url, allow=())
        assert system.got == []
    assert outcome == RetryLater("address-refused")


async def test_th17_one_case_system_s_networks_are_no_way_in_for_another_s() -> None:
    """TH17: a partner's webhook address that resolves into a network which only another partner was given."""
    async with _running(CaseSystem()) as system:
        # given a case system inside a network it was given, and one outside whose name leads there
        inside = ClientTable(
            id="near", partner="charity", jwks="x", webhook_url=system.url, webhook_allow_addresses=LOOPBACK
        )
        outside = ClientTable(
            id="far", partner="council", jwks="x", webhook_url=system.url.replace("127.0.0.1", "localhost")
        )
        near, far = webhook_clients_of(PARTNERSHIP.model_copy(update={"clients": (inside, outside)})).values()
        # when each is sent a notice by its own client, and the second at the first one's very address
        sender, now = WebhookSender(sign_webhook), datetime.now(UTC)
        own = await sender.send(NOTICE, Subscription(inside.webhook_url, (NEW,), near), now)
        through = await sender.send(NOTICE, Subscription(outside.webhook_url, (NEW,), far), now)
        neighbours = await sender.send(NOTICE, Subscription(inside.webhook_url, (NEW,), far), now)
        await asyncio.gather(near.aclose(), far.aclose())
        # then the first gets its own, and nothing else came
        assert (own, len(system.got)) == (Sent(), 1)
        assert (through, neighbours) == (RetryLater("address-refused"), RetryLater("host-refused"))


async def test_a_secret_that_cannot_sign_sends_nothing() -> None:
    # given a subscription whose secret is broken, when a notice is sent, then nothing leaves
    async with _running(CaseSystem()) as system:
        client = GuardedClient(Reach.to([system.url.split("/")[2]], SANDBOX_ADDRESSES))
        sender = WebhookSender(sign_webhook)
        outcome = await sender.send(NOTICE, Subscription(system.url, ("plain",), client), datetime.now(UTC))
        await client.aclose()
        assert (outcome, system.got) == (RetryLater("cannot-sign"), [])
