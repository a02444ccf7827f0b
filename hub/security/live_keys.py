"""The key folder as it is now: a running hub uses a key from the moment it is made the one in use."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Protocol

import structlog

from hub.security.keys import KeyFolderError, KeyRing

log = structlog.get_logger(__name__)

#: Written anew whenever a key is added or retired; each replaces its file, so that a look at it shows the change.
_SIGNS = ("kek/active", "signing/active", "checkpoint.pem")


class Keys(Protocol):
    """Where the keys in use come from; a `KeyRing` stands still."""

    def current(self, *, anew: bool = False) -> KeyRing: ...


class LiveKeys:
    """Reads the folder again once one of its signs has changed; for any thread.

    A share asks for the keys some five times, so that `looks_every` seconds pass between two looks at the files.
    """

    def __init__(self, folder: Path, looks_every: float = 0.0) -> None:
        self._looks_every = looks_every
        self._next_look = 0.0
        self._signs = [folder / name for name in _SIGNS]
        self._folder = folder
        self._reading = threading.Lock()
        self._seen = self._look()
        self._ring = KeyRing.load(folder)

    def current(self, *, anew: bool = False) -> KeyRing:
        """Return the keys in use now; while the folder cannot be read, those that were. `anew` looks at it first."""
        now = time.monotonic()
        if anew or now >= self._next_look:
            self._next_look = now + self._looks_every
            if self._look() != self._seen:
                with self._reading:
                    self._read_again()
        return self._ring

    def _read_again(self) -> None:
        seen = self._look()  # before reading: what changes meanwhile is seen at the next look
        if seen == self._seen:
            return
        try:
            self._ring = KeyRing.load(self._folder)
        except (KeyFolderError, OSError) as error:
            log.error("keys.not_read", error=type(error).__name__)
            return
        self._seen = seen
        log.info("keys.read_again")

    def _look(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_sign(path) for path in self._signs)


def _sign(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
