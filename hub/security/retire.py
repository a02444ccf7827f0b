"""Retiring keys: what each key of the folder is for and since when, and destroying one that nothing needs any more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from hub.security.keys import KeyFolderError, KeyRing, activate, sync_folder

#: What was begun under the old key has ended by then: a share that waits for its commit, and any access token.
GRACE = timedelta(minutes=15)

Kind = Literal["kek", "signing"]
_SUFFIX: dict[Kind, str] = {"kek": ".key", "signing": ".pem"}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One key of the folder; `since` is when it was made."""

    kind: Kind
    kid: str
    since: datetime
    in_use: bool


def listed(folder: Path) -> list[KeyFile]:
    """Return the keys that wrap data keys, and those that sign access tokens, oldest first."""
    ring = KeyRing.load(folder)
    return [*_of(folder, "kek", ring.active_kid), *_of(folder, "signing", ring.signing_kid)]


def _of(folder: Path, kind: Kind, active: str) -> Iterator[KeyFile]:
    found = sorted((folder / kind).glob(f"*{_SUFFIX[kind]}"), key=lambda path: path.stat().st_mtime_ns)
    for path in found:
        yield KeyFile(kind, path.stem, _made(path), path.stem == active)


def _made(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def retire(folder: Path, kid: str, now: datetime) -> KeyFile:
    """Destroy a key that is not in use; raises `KeyFolderError` for one that is, or was until a moment ago.

    The caller makes sure that nothing is wrapped under it.
    """
    key = next((each for each in listed(folder) if each.kid == kid), None)
    if key is None:
        raise KeyFolderError("key-unknown", "run `hub keys ls` to see which keys there are")
    if key.in_use:
        raise KeyFolderError("key-in-use", "run `hub keys rotate` first: it makes another one the one in use")
    place = folder / key.kind
    ends = _made(place / "active") + GRACE
    if now < ends:
        raise KeyFolderError(
            "key-too-fresh", f"try again at {ends:%H:%M:%S} UTC: until then something may still be under way with it"
        )
    active = (place / "active").read_text(encoding="ascii").strip()
    _destroy(place / f"{kid}{_SUFFIX[key.kind]}")
    activate(place, active)  # the same key: so that a running hub reads the folder again and lets go of the old one
    return key


def _destroy(path: Path) -> None:
    """Overwrite a file before it is unlinked; where the disk keeps old blocks, only the disk's own erasure helps."""
    with path.open("r+b") as stream:
        stream.write(bytes(path.stat().st_size))
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()
    sync_folder(path.parent)
