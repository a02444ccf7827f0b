"""The relay: a round that failed is no round that was done well."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from hub.courier.relay import Relay, Rounds
from hub.services.now import SystemNow
from hub.services.sweep import Swept

pytestmark = pytest.mark.anyio


@dataclass
class Work:
    """Rounds over an empty store that may be away."""

    away: bool
    rounds: int = 0

    async def sweep(self, _item: Any) -> Swept:
        """Count a round, and fail while the store is away."""
        self.rounds += 1
        if self.away:
            raise OSError
        return Swept(0, 0, 0, 0)

    async def nothing(self, *_: Any) -> Any:
        """Find nothing."""
        return []


async def test_only_a_round_that_went_well_counts() -> None:
    # given
    work = Work(away=True)
    rounds = Rounds(work.nothing, work.nothing, work.nothing, work.sweep, work.nothing, work.nothing, work.nothing)
    relay = Relay(rounds, lambda *_: None, lambda: None, SystemNow(), seconds=0.001)
    assert not relay.went_round(10)
    # when rounds fail
    running = asyncio.create_task(relay.run())
    async with asyncio.timeout(5):
        while work.rounds < 3:
            await asyncio.sleep(0.001)
        assert not relay.went_round(10)
        # and when they no longer do
        work.away = False
        while not relay.went_round(10):
            await asyncio.sleep(0.001)
        # then it is known for so long, and not for longer
        work.away, before = True, work.rounds
        while work.rounds < before + 3:
            await asyncio.sleep(0.001)
    assert relay.went_round(10)
    assert not relay.went_round(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
