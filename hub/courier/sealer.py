"""The sealer: seals the audit log round after round, and tells the operator when it cannot (TH13)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import structlog

from hub.domain.audit import LATE, Checkpoint
from hub.services.now import Now
from hub.services.seal import Seal, Sealed, Unsealed

log = structlog.get_logger(__name__)


class Sealer:
    """Does a round every `seconds`, so that an event is sealed within a second of its commit.

    Any number of processes may run one on the same database: each round is one process's. `newest` is the newest
    checkpoint that this process knows of.
    """

    def __init__(
        self,
        seal: Callable[[Seal], Awaitable[Sealed]],
        tell: Callable[[Unsealed], Awaitable[None]],
        now: Now,
        seconds: float = 0.4,
        late: timedelta = LATE,
    ) -> None:
        self._seal = seal
        self._tell = tell
        self._now = now
        self._seconds = seconds
        self._late = late.total_seconds()
        self._went_round_at = time.monotonic()  #: by the process's own steady clock
        self._well = False
        self.newest: Checkpoint | None = None

    def went_round(self, seconds: float) -> bool:
        """Tell whether a round went well within the last `seconds`."""
        return self._well and time.monotonic() - self._went_round_at <= seconds

    async def run(self) -> None:
        """Do rounds until cancelled; one that fails is logged by its error's type and followed by the next."""
        while True:
            try:
                await self.round()
                if time.monotonic() - self._went_round_at > self._late:
                    await self._tell(Unsealed(self._now.wall()))
            except Exception as error:  # noqa: BLE001 - the loop's boundary: the next round sees the same rows
                log.error("sealer.told_nobody", error=type(error).__name__)
            await asyncio.sleep(self._seconds)

    async def round(self) -> None:
        """Seal all that waits, a batch at a time, so that what else is to be kept comes in between."""
        try:
            sealed = await self._batch()
        except Exception as error:  # noqa: BLE001 - whatever it is, sending stops until a round goes well
            log.error("sealer.round_failed", error=type(error).__name__)
            return
        if sealed.late:
            log.error("sealer.late")
            return
        self._went_round_at, self._well = time.monotonic(), True

    async def _batch(self) -> Sealed:
        while True:
            wanted = Seal(self._now.wall(), uuid4().hex)
            sealed = await self._seal(wanted)
            self.newest = sealed.checkpoint or self.newest
            if sealed.count < wanted.limit:
                return sealed
