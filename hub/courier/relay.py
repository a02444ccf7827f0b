"""The relay: finds what is due and nudges for it; a lost nudge costs at most one of its rounds."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from hub.services.now import Now
from hub.services.shred import Shred
from hub.services.sweep import Sweep, Swept
from hub.services.watch import Watch

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the relay does on each round, bound by bootstrap; each is one read or one commit."""

    due_deliveries: Callable[[], Awaitable[list[str]]]
    due_inbox: Callable[[], Awaitable[list[str]]]
    has_due_notices: Callable[[], Awaitable[bool]]
    sweep: Callable[[Sweep], Awaitable[Swept]]
    watch: Callable[[Watch], Awaitable[int]]
    forget: Callable[[Shred], Awaitable[int]]
    entries: Callable[[], Awaitable[int]]


class Relay:
    """Runs a round every `seconds`: rows are the truth, and the broker may lose everything at any time."""

    def __init__(
        self,
        rounds: Rounds,
        nudge: Callable[[str, list[str]], None],
        nudge_notices: Callable[[], None],
        now: Now,
        seconds: float = 1.0,
    ) -> None:
        self._rounds = rounds
        self._nudge = nudge
        self._nudge_notices = nudge_notices
        self._now = now
        self._seconds = seconds
        self._hurry = asyncio.Event()
        self.rounds_done = 0
        self._went_round_at = -math.inf  #: by the process's own steady clock

    def hurry(self) -> None:
        """Begin the next round now: time was moved, or a start has to catch up."""
        self._hurry.set()

    def went_round(self, seconds: float) -> bool:
        """Tell whether a whole round went well within the last `seconds`."""
        return time.monotonic() - self._went_round_at <= seconds

    async def run(self) -> None:
        """Do rounds until cancelled; a round that fails is logged by its error's type and followed by the next."""
        while True:
            try:
                await self.round()
                self._went_round_at = time.monotonic()
            except Exception as error:  # noqa: BLE001 - the loop's boundary: the next round sees the same rows
                log.error("relay.round_failed", error=type(error).__name__)
            self.rounds_done += 1
            try:
                async with asyncio.timeout(self._seconds):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            self._hurry.clear()

    async def look_at_entries(self) -> None:
        """Hold what may be the wrong team, and let go what people have looked at (TH20)."""
        if changed := await self._rounds.entries():
            log.info("relay.entries_changed", count=changed)

    async def round(self) -> None:
        """Sweep what was left behind, raise what is overdue, forget in time, and nudge for all that is due."""
        await self.look_at_entries()
        swept = await self._rounds.sweep(Sweep(self._now.wall(), self._now.business()))
        if swept.doubted or swept.cancelled:
            log.info("relay.swept", doubted=swept.doubted, cancelled=swept.cancelled)
        while await self._rounds.watch(Watch(self._now.business(), self._now.wall())):
            pass
        while forgotten := await self._rounds.forget(Shred(self._now.business(), self._now.wall())):
            log.info("relay.forgot", count=forgotten)
        for connection_id in await self._rounds.due_deliveries():
            self._nudge(connection_id, [])
        for connection_id in await self._rounds.due_inbox():
            self._nudge(connection_id, [])
        if await self._rounds.has_due_notices():
            self._nudge_notices()
