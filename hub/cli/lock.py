"""One serving process for one SQLite file: a lock that the kernel gives back however the process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyServed(Exception):
    """Another process serves this database file."""


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """Hold the lock beside a database file; raises `AlreadyServed` while another process holds it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(_beside(file), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed(str(file)) from None
        yield
    finally:
        os.close(handle)


def is_served(file: Path) -> bool:
    """Tell whether a process serves this database file now."""
    try:
        handle = os.open(_beside(file), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.lock")
