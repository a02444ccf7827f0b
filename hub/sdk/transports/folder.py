"""A folder of this machine as a drop: plain files only, no link followed, none written over."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from hub.sdk.connector import NoReply, NotSent
from hub.sdk.transports.drop import Drop, DropRefused, Entry, another_name, partial_name

T = TypeVar("T")

_REFUSED = {
    errno.ENOENT: "folder-missing",
    errno.ENOTDIR: "folder-missing",
    errno.EACCES: "folder-refused",
    errno.EPERM: "folder-refused",
    errno.EROFS: "folder-refused",
}


class Folder:
    """Folders of this machine; each verb runs in a thread, so that a share that hangs holds up nothing else."""

    async def put(self, folder: str, name: str, content: bytes) -> None:
        """Write it whole, safe on the disk, then link it to its name, which fails where the name is taken."""
        await _in_thread(_put, Path(folder), name, content)

    async def find(self, folder: str, name: str) -> Entry | None:
        """Return a file by name."""
        return await _in_thread(_find, Path(folder), name)

    async def list(self, folder: str) -> list[Entry]:
        """Return every plain file."""
        return await _in_thread(_list, Path(folder))

    async def read(self, folder: str, name: str, most: int) -> bytes:
        """Return a file's first bytes."""
        return await _in_thread(_read, Path(folder), name, most)

    async def remove(self, folder: str, name: str) -> None:
        """Remove a file."""
        await _in_thread(_remove, Path(folder), name)

    async def move(self, folder: str, name: str, to: str) -> None:
        """Move a file."""
        await _in_thread(_move, Path(folder), name, Path(to))


@asynccontextmanager
async def open_folder() -> AsyncIterator[Drop]:
    """Open the folders of this machine: there is nothing to open."""
    yield Folder()


async def _in_thread(act: Callable[..., T], *given: object) -> T:
    try:
        return await asyncio.to_thread(partial(act, *given))
    except OSError as error:
        reason = _REFUSED.get(error.errno or 0)
        raise (DropRefused(reason) if reason else NotSent("folder-failed")) from None


def _put(folder: Path, name: str, content: bytes) -> None:
    unfinished = folder / partial_name(name)
    try:
        _write(unfinished, content)
        try:
            os.link(unfinished, folder / name, follow_symlinks=False)  # fails where the name is taken: nothing is lost
        except FileExistsError:
            raise NotSent("name-taken") from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
    try:
        _sync(folder)
    except OSError:
        raise NoReply("not-safe-on-disk") from None


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o660)
    with open(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _find(folder: Path, name: str) -> Entry | None:
    try:
        found = (folder / name).lstat()
    except FileNotFoundError:
        os.stat(folder)  # a folder that is gone says nothing of its files
        return None
    return Entry(name, found.st_size, found.st_mtime)


def _list(folder: Path) -> list[Entry]:
    found = []
    with os.scandir(folder) as entries:
        for each in entries:
            if each.is_file(follow_symlinks=False):
                about = each.stat(follow_symlinks=False)
                found.append(Entry(each.name, about.st_size, about.st_mtime))
    return found


def _read(folder: Path, name: str, most: int) -> bytes:
    # Neither a link nor a pipe: both may have been put there after the folder was listed.
    descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DropRefused("not-a-file")
        return stream.read(most + 1)


def _remove(folder: Path, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        (folder / name).unlink()


def _move(folder: Path, name: str, to: Path) -> None:
    source = folder / name
    for target in (to / name, to / another_name(name)):
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            continue
        source.unlink()
        return
    raise NotSent("name-taken")
