"""The list of what was forgotten: kept beside the keys, so that a restored database cannot bring a story back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from hub.security.keys import sync_folder

_LINE = re.compile(r"([0-9a-f]{32}) \d{4}-\d\d-\d\d")


class ShreddedLog:
    """Ids of shares and the day each was forgotten, one a line; only ever added to, and on disk before `add` returns.

    It belongs in no backup of the database: restored with it, it would have forgotten what was forgotten.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "shredded.log"

    def add(self, share_ids: Iterable[str], on: date) -> None:
        """Write ids down; raises `OSError` when they are not on disk, and then nothing may be destroyed."""
        # The first line break ends a line that a crash cut short.
        lines = "\n" + "".join(f"{share_id} {on.isoformat()}\n" for share_id in share_ids)
        is_new = not self._path.exists()
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(lines.encode("ascii"))
            stream.flush()
            os.fsync(stream.fileno())
        if is_new:
            sync_folder(self._path.parent)

    def ids(self) -> list[str]:
        """Return every id that was written down whole, each once, oldest first."""
        try:
            lines = self._path.read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return list(dict.fromkeys(found[1] for line in lines if (found := _LINE.fullmatch(line))))
