"""The folders of this machine that a connection may write to: named in its settings, there, and nobody else's."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: What a setting may never open, nor anything above it or in it: the interpreter, the hub's own code, the system.
_NEVER = (Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1])
_SYSTEM = tuple(map(Path, ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr")))


class CannotUse(Exception):
    """A setting names a folder that a connector may not have; the message says which setting, why, and what to do."""


def folders_of(names: Iterable[str], settings: Mapping[str, Any], instance: Path) -> tuple[str, ...]:
    """Return the folders that these settings hold, each once; a setting that is empty or left out holds none.

    `instance` is the hub's own folder: its configuration, secrets and data. Raises `CannotUse`.
    """
    given = {name: str(settings[name]) for name in names if settings.get(name)}
    for name, text in given.items():
        if why := _fault(Path(text), instance.resolve()):
            raise CannotUse(f"the setting {name} {why}")
    return tuple(dict.fromkeys(given.values()))


def _fault(folder: Path, instance: Path) -> str:
    if not folder.is_absolute() or ".." in folder.parts:
        return "is not a whole path: write it from / on"
    if folder.resolve() != folder:
        return "leads through a symbolic link: write where it leads to"
    if not folder.is_dir():
        return "names a folder that is not there: make it, for the user that connectors run as"
    own = [*(path.resolve() for path in _NEVER), instance]
    if any(folder.is_relative_to(path) or path.is_relative_to(folder) for path in own):
        return "names a folder with the hub's own files in or above it: use a folder apart"
    if any(folder.is_relative_to(path) for path in _SYSTEM) or folder == Path("/"):
        return "names a folder of the system: use a folder apart"
    return ""
