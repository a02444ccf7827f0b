"""What a sandbox partner received and acted on, kept through its own crashes so that a test can count effects."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One arrival: `at` is POSIX seconds, `status` the HTTP status replied (0: it died before replying).

    `effect` tells that the partner acted on it: a second, deduped arrival of the same key has none.
    """

    at: float
    key: str
    case: str
    path: str
    body: bytes
    headers: dict[str, str]
    status: int
    effect: bool

    def as_json(self) -> dict[str, Any]:
        """Return the entry as JSON types, its body in base64."""
        return asdict(self) | {"body": base64.b64encode(self.body).decode()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Entry:
        """Read what `as_json` wrote."""
        return cls(**value | {"body": base64.b64decode(value["body"])})


class Ledger:
    """Arrivals in order; given a file it is JSON lines, fsynced an entry and read again at the start."""

    def __init__(self, file: Path | None = None) -> None:
        self._entries: list[Entry] = []
        self._effects: dict[str, Entry] = {}
        self._file = file
        if file is not None:
            self._reload(file)

    def append(self, entry: Entry) -> None:
        """Record an arrival; it is on disk when this returns."""
        if self._file is not None:
            with self._file.open("ab") as lines:
                lines.write(json.dumps(entry.as_json()).encode() + b"\n")
                lines.flush()
                os.fsync(lines.fileno())
        self._remember(entry)

    def entries(self) -> tuple[Entry, ...]:
        """Return every arrival, oldest first."""
        return tuple(self._entries)

    def effects(self) -> tuple[Entry, ...]:
        """Return the arrivals that the partner acted on, oldest first."""
        return tuple(entry for entry in self._entries if entry.effect)

    def find(self, key: str) -> Entry | None:
        """Return the arrival of this key that the partner acted on, if there is one."""
        return self._effects.get(key)

    def has(self, key: str) -> bool:
        """Tell whether the partner acted on this key."""
        return key in self._effects

    def _remember(self, entry: Entry) -> None:
        self._entries.append(entry)
        if entry.effect:
            self._effects.setdefault(entry.key, entry)

    def _reload(self, file: Path) -> None:
        kept = file.read_bytes() if file.exists() else b""
        whole, _, torn = kept.rpartition(b"\n")
        if torn:  # a crash in the middle of a write: that arrival was never acknowledged
            file.write_bytes(whole + b"\n" if whole else b"")
        for line in whole.splitlines():
            self._remember(Entry.from_json(json.loads(line)))
