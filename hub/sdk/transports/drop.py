"""What files are dropped into: the few things that a folder of this machine and one on an SFTP server both can do."""

from __future__ import annotations

import secrets
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

#: How a file that is not whole yet ends; it begins with a dot, so that nothing that watches for files takes it.
PARTIAL = ".part"


class DropRefused(Exception):
    """The drop works, and does not let us: our key, its own key, a folder; `reason` is a code for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One plain file of a folder: its size in bytes, and when it was last written, in POSIX seconds."""

    name: str
    size: int
    modified: float


class Drop(Protocol):
    """An open drop. Folders are paths as the settings name them; every name in them is a plain file's.

    Each verb raises `DropRefused`, or `hub.sdk.connector.NotSent` where the drop cannot be reached.
    """

    async def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a file whole under a name of its own, then give it its final one; never over another file.

        Raises `NotSent` when nothing stands under the final name, for certain, and `NoReply` when something may.
        """

    async def find(self, folder: str, name: str) -> Entry | None:
        """Return a file by name; None where there is none."""

    async def list(self, folder: str) -> list[Entry]:
        """Return every plain file of a folder; neither links, nor folders, nor pipes."""

    async def read(self, folder: str, name: str, most: int) -> bytes:
        """Return a file's first `most` + 1 bytes, so that one that is too large shows."""

    async def remove(self, folder: str, name: str) -> None:
        """Remove a file; one that is gone already is none to remove."""

    async def move(self, folder: str, name: str, to: str) -> None:
        """Move a file to another folder, never over another file: a name that is taken there gets an addition."""


OpenDrop = AbstractAsyncContextManager[Drop]


def partial_name(name: str) -> str:
    """Return a name of its own for a file that is not whole yet: no two tries share one."""
    return f".{name}.{secrets.token_hex(6)}{PARTIAL}"


def is_partial_of(found: str, name: str) -> bool:
    """Tell whether a file is what a try to write this one left behind."""
    return found.startswith(f".{name}.") and found.endswith(PARTIAL)


def another_name(name: str) -> str:
    """Return a name for a file whose own is taken."""
    return f"{name}.{secrets.token_hex(4)}"
