"""How strongly each connection's host would be held here: tried in a process that is thrown away, not guessed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import orjson

from hub.host import isolation
from hub.host.rehearsal import Rehearsal

#: Seconds for one try: a machine that is busy when the hub starts must not leave it the weaker for it.
_SECONDS = 60

#: How many are tried at once: each starts an interpreter.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """How one connection's host is to be held: `uid` is a user id of its own, where one is set aside for it.

    `readable` are folders of its code, `writable` the folders that the connection may write to.
    """

    connection: str
    strict: bool = False
    uid: int | None = None
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """What its host reaches: started as user `run_as` (None is the hub's own); `why` it is weaker than asked, a code.

    A host that is to be strict and cannot be does not start at all: its level is then "none".
    """

    run_as: int | None
    level: isolation.IsolationLevel
    measures: tuple[str, ...] = ()
    why: str = ""


#: Of a connection that nobody tried: its host is started as the hub's own user.
UNTRIED = Reached(None, "none", why="untried")


def reached_by(asked: Iterable[Asked]) -> dict[str, Reached]:
    """Return what each connection's host would reach on this machine, by the connection's id.

    Where nothing beyond the usual is asked for, nothing is started.
    """
    with ThreadPoolExecutor(_AT_ONCE) as trying:
        wanted = list(asked)
        return dict(zip((each.connection for each in wanted), trying.map(_reached, wanted), strict=True))


@cache
def as_the_hub(*, strict: bool = False) -> Reached:
    """Return what a host reaches that is started as the hub's own user; alike for every connection."""
    if strict:
        return _tried(Rehearsal(isolation.facts(), strict=True), None)
    plain = isolation.expected()
    return Reached(None, plain.level, plain.measures)


def _reached(asked: Asked) -> Reached:
    if asked.uid is None:
        return as_the_hub(strict=asked.strict)
    if os.getuid() != 0:
        return replace(as_the_hub(strict=asked.strict), why="hub-is-not-root")
    rehearsal = Rehearsal(isolation.facts(), asked.readable, asked.writable, asked.strict, whole=True)
    tried = _tried(rehearsal, asked.uid)
    if tried.run_as is not None or tried.why in {"no-namespaces", "no-seccomp"}:
        return tried
    return replace(as_the_hub(strict=asked.strict), why=tried.why)


def _tried(rehearsal: Rehearsal, uid: int | None) -> Reached:
    identity: dict[str, Any] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    words = [sys.executable, "-I", "-B", "-m", "hub.host.rehearsal", orjson.dumps(asdict(rehearsal)).decode()]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module, and an argument of our own making
            words, capture_output=True, timeout=_SECONDS, check=True, cwd="/", env={"LANG": "C.UTF-8"}, **identity
        )
        said = orjson.loads(done.stdout)
    except PermissionError:  # the interpreter cannot be started by that user: a virtual environment in root's home
        return Reached(None, "none", why="interpreter-unreadable")
    except subprocess.TimeoutExpired:
        return Reached(None, "none", why="too-slow")
    except (OSError, subprocess.SubprocessError, ValueError):
        return Reached(None, "none", why="code-unreadable" if uid is not None else "cannot-start")
    if "why" in said:
        return Reached(None, "none", why=said["why"])
    return Reached(uid, said["level"], tuple(said["measures"]))
