"""Forgetting that reaches the disk: SQLite's log keeps old pages until it is wiped, so it is wiped after a shred."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from hub.services.shred import Shred, ShredAgain, shred_again

#: A wipe waits for nobody longer than this: writers stand still meanwhile, and the next round tries again.
_BUSY_MS = 200
#: So many ids are looked for at once.
_MOST = 500


def wipe_log(engine: Engine) -> bool:
    """Copy SQLite's log into the file and empty it; False while somebody reads from it. PostgreSQL's is its own."""
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        (waits,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        (is_busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout={waits}")
        return not is_busy
    finally:
        connection.close()


class Eraser:
    """Runs the verb that forgets, and wipes the log after it: at most once in `seconds`, and until it was wiped."""

    def __init__(
        self,
        run: Callable[[Any, Any], Awaitable[int]],
        shred: Callable[[Any, Sequence[Shred]], list[int]],
        shredded: Callable[[], Sequence[str]],
        engine: Engine,
        seconds: float = 60.0,
    ) -> None:
        self._run = run
        self._shred = shred
        self._shredded = shredded
        self._engine = engine
        self._seconds = seconds
        self._is_dirty = False
        self._wiped_at = -math.inf

    async def __call__(self, item: Shred) -> int:
        """Forget what is due; returns how much there was, 0 when all of it is forgotten."""
        count = await self._run(self._shred, item)
        self._is_dirty = self._is_dirty or count > 0
        if not count and self._is_dirty and time.monotonic() - self._wiped_at >= self._seconds:
            self._is_dirty = not await asyncio.to_thread(wipe_log, self._engine)
            if not self._is_dirty:
                self._wiped_at = time.monotonic()
        return count

    async def forget_again(self, business: datetime, wall: datetime) -> int:
        """Forget what was forgotten before and a restored database brought back; returns how many shares it was."""
        share_ids, count = self._shredded(), 0
        for start in range(0, len(share_ids), _MOST):
            item = ShredAgain(tuple(share_ids[start : start + _MOST]), business, wall)
            count += await self._run(shred_again, item)
        self._is_dirty = self._is_dirty or count > 0
        return count
