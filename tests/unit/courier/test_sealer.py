"""The sealer: only a round that went well counts, and whoever can mend it is told when none does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from hub.courier.sealer import Sealer
from hub.domain.audit import Checkpoint
from hub.services.now import SystemNow
from hub.services.seal import Seal, Sealed, Unsealed

pytestmark = pytest.mark.anyio

NEWEST = Checkpoint(0, "", "c", "h", "k", 7)


@dataclass
class Log:
    """A log that may not be sealed now, and what the operator was told of it."""

    away: bool = False
    late: bool = False
    counts: list[int] = field(default_factory=list)
    rounds: int = 0
    told: int = 0

    async def seal(self, _: Seal) -> Sealed:
        """Seal what the next count says."""
        self.rounds += 1
        if self.away:
            raise OSError
        return Sealed(self.counts.pop(0) if self.counts else 0, NEWEST, self.late)

    async def tell(self, _: Unsealed) -> None:
        """Count what the operator is told."""
        self.told += 1

    def sealer(self, late: timedelta = timedelta(hours=1)) -> Sealer:
        """A sealer of this log that hurries."""
        return Sealer(self.seal, self.tell, SystemNow(), seconds=0.001, late=late)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something, for five seconds at most."""
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


async def test_a_round_seals_all_that_waits_and_knows_the_newest_checkpoint() -> None:
    # given more than a batch
    log = Log(counts=[1000, 1000, 3])
    sealer = log.sealer()
    assert (sealer.newest, sealer.went_round(10)) == (None, False)
    # when one round is done
    await sealer.round()
    # then nothing of it waits
    assert (log.rounds, sealer.newest, sealer.went_round(10)) == (3, NEWEST, True)


@pytest.mark.parametrize("trouble", ["away", "late"])
async def test_the_operator_is_told_while_no_round_goes_well(trouble: str) -> None:
    # given a log that cannot be sealed, or that another process seals too slowly
    log = Log(**{trouble: True})
    sealer = log.sealer(late=timedelta(0))
    running = asyncio.create_task(sealer.run())
    # then they are told, and it is not ready
    await until(lambda: log.told > 1)
    assert not sealer.went_round(10)
    # until it goes on by itself
    log.away = log.late = False
    await until(lambda: sealer.went_round(10))
    running.cancel()


async def test_it_goes_on_although_nobody_can_be_told() -> None:
    # given a store that keeps nothing at all
    log = Log(away=True)
    sealer = Sealer(log.seal, log.seal, SystemNow(), seconds=0.001, late=timedelta(0))
    running = asyncio.create_task(sealer.run())
    await until(lambda: log.rounds > 6)
    log.away = False
    await until(lambda: sealer.went_round(10))
    running.cancel()
