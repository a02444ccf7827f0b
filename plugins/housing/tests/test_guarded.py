"""The connector through the hub's own guarded client: the same outcomes as with the plain one, and when it starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

import pytest
from hub_housing.connector import DutyToRefer

from hub.sdk import Delivered, InDoubt, Level, Parcel, Response, RetryLater
from hub.sdk.http import GuardedClient
from hub.sdk.reach import SANDBOX_ADDRESSES, Reach, host_and_port
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

pytestmark = pytest.mark.anyio


class GuardedContext:
    """A context over the guarded client that counts how often a parcel's first byte was about to leave."""

    def __init__(self, client: GuardedClient, secrets: Mapping[str, str]) -> None:
        self.secrets = secrets
        self.started = 0
        self._client = client

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        starts: bool = True,
    ) -> Response:
        on_start = self._start if starts else None
        return await self._client.send(method, url, headers=headers, content=content, on_start=on_start)

    async def _start(self) -> None:
        self.started += 1


@pytest.fixture
async def guarded(council: SandboxProcess, context: PlainContext) -> AsyncIterator[GuardedContext]:
    client = GuardedClient(Reach.to([host_and_port(council.url)], SANDBOX_ADDRESSES))
    yield GuardedContext(client, context.secrets)
    await client.aclose()


async def test_a_referral_goes_out_and_is_found_again(
    council: SandboxProcess, connector: DutyToRefer, guarded: GuardedContext, make_parcel: Callable[..., Parcel]
) -> None:
    # given a connection that works
    assert await connector.check(guarded) == Delivered(level=Level.L0)
    assert guarded.started == 0
    # when a referral is delivered and looked up
    parcel = make_parcel()
    sent, found = await connector.deliver(parcel, guarded), await connector.reconcile(parcel, guarded)
    # then both name the same receipt, and it left once
    assert isinstance(sent, Delivered)
    assert isinstance(found, Delivered)
    assert sent.receipt == found.receipt
    assert (guarded.started, council.effects(parcel.idempotency_key)) == (1, 1)


async def test_a_crash_is_in_doubt_and_an_empty_place_is_not(
    council: SandboxProcess, connector: DutyToRefer, guarded: GuardedContext, make_parcel: Callable[..., Parcel]
) -> None:
    # given a council that acts and dies
    await connector.check(guarded)
    council.behave(Behaviour.CRASHING)
    parcel = make_parcel()
    assert isinstance(await connector.deliver(parcel, guarded), InDoubt)
    assert (council.wait(), guarded.started) == (70, 1)
    # then nothing of another parcel leaves while nobody is there
    assert isinstance(await connector.deliver(make_parcel(), guarded), RetryLater)
    assert guarded.started == 1
    # and the first is found when it is back
    council.start()
    assert isinstance(await connector.reconcile(parcel, guarded), Delivered)
    assert council.effects(parcel.idempotency_key) == 1
