"""Leaving notices as files in a folder that a case system looks in, for one that can take no webhook (R36)."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hub.domain.outcome import RetryLater
from hub.notify.outcome import NoticeOutcome, Sent
from hub.notify.webhook import ThinNotice


@dataclass(frozen=True, slots=True)
class Drop:
    """The folder of one case system; whoever reads it there takes away each file that it has taken in."""

    folder: Path

    async def leave(self, notice: ThinNotice) -> NoticeOutcome:
        """Leave one notice, named by its id, so that a second try is the same file; never half of one."""
        return await asyncio.to_thread(self._leave, notice)

    def _leave(self, notice: ThinNotice) -> NoticeOutcome:
        target = self.folder / f"{notice.id}.json"
        # A reader looks for names that end in .json, and never sees a file that is still being written.
        part = target.with_suffix(".part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640), "wb") as file:
                file.write(notice.body)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            return RetryLater(f"folder:{type(error).__name__}")
        return Sent()
