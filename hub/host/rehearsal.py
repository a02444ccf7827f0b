"""Tries, in a process that is thrown away, what a host started alike would reach: it isolates itself, and says how.

`python -I -B -m hub.host.rehearsal ARGUMENT`, by the courier only. No plugin is imported, no connection made.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from hub.host import isolation


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is tried: `parent` is the hub's `isolation.facts()`, `readable` what a host reads, `writable` its folders.

    `whole` also imports all of a host's own code, which another user id than the hub's may not be able to read.
    """

    parent: Mapping[str, str]
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    strict: bool = False
    whole: bool = False


def rehearse(rehearsal: Rehearsal) -> isolation.Isolation:
    """Isolate this process, for good; raises `CannotHold` with a code, `ImportError` and `OSError`."""
    if not all(map(_readable, map(Path, rehearsal.readable))):
        raise isolation.CannotHold("code-unreadable")
    if not all(os.access(folder, os.R_OK | os.W_OK | os.X_OK) for folder in rehearsal.writable):
        raise isolation.CannotHold("folder-not-writable")
    if rehearsal.whole:
        import hub.host.main  # noqa: F401, PLC0415 - it is what takes the time, and only another user id asks it
    return isolation.apply(dict(rehearsal.parent), ports=(), keep=(), udp=False, strict=rehearsal.strict)


def _readable(folder: Path) -> bool:
    """Tell whether all of a plugin's package can be read, wherever it lies."""
    if not os.access(folder, os.R_OK | os.X_OK):
        return False
    return all(os.access(each, os.R_OK | (os.X_OK if each.is_dir() else 0)) for each in folder.rglob("*"))


def main(arguments: Iterable[str]) -> int:
    """Rehearse what the only argument says, and print the level with its measures, or a code."""
    (argument,) = arguments
    try:
        reached = rehearse(Rehearsal(**orjson.loads(argument)))
        said: dict[str, Any] = {"level": reached.level, "measures": reached.measures}
    except isolation.CannotHold as error:
        said = {"why": str(error)}
    os.write(1, orjson.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
