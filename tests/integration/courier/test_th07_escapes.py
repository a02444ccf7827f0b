"""TH07: what a rogue connector may try against the hub and its other connections, and which measure stops each."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.host import isolation, seccomp

pytestmark = pytest.mark.anyio

#: By trick: the measure that stops it, and what the kernel then says.
STOPPED_BY = {
    "read the data folder": ("landlock", "EACCES"),
    "list the data folder": ("landlock", "EACCES"),
    "read the password file": ("landlock", "EACCES"),
    "read the hub's environment": ("landlock", "EACCES"),
    "read the hub's memory": ("landlock", "EACCES"),
    "write a file": ("landlock", "EACCES"),
    "write beside the code": ("landlock", "EACCES"),
    "start a program": ("seccomp", "EPERM"),
    "leave a process behind": ("no-processes", "EPERM"),
    "signal the hub": ("landlock", "EPERM"),
    "trace the hub": ("seccomp", "EPERM"),
    "take a descriptor of the hub's": ("seccomp", "EPERM"),
    "listen": ("landlock", "EACCES"),
    "listen without a name": ("seccomp", "EPERM"),
    "connect elsewhere": ("landlock", "EACCES"),
    "reach the machine's own services": ("seccomp", "EPERM"),
    "ask a name server": ("no-udp", "EPERM"),
    "raise a limit": ("no-capabilities", "EPERM"),
    "use another descriptor": ("closed", "EBADF"),
}
#: What some machine may refuse to anybody at all.
_NEEDS_MORE = {"trace the hub", "take a descriptor of the hub's", "raise a limit", "use another descriptor"}

_seen: dict[str, Any] = {}


@pytest.fixture
async def tried(rig: Any, parcel: Any, configure: Any) -> dict[str, Any]:
    """What came of every trick, in a host and where nothing holds them; they are tried once for all."""
    if not _seen:
        elsewhere = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = elsewhere.sockets[0].getsockname()[1]
        result = await rig.host.deliver(parcel("escape", str(port).encode()))
        _seen["held"] = json.loads(result.outcome.receipt)
        _seen["measures"] = set(rig.host._current.ready.measures)
        _seen["free"] = json.loads(_unheld(Path(configure.paths[0]), configure.settings, port))
        elsewhere.close()
    return _seen


@pytest.mark.parametrize("trick", STOPPED_BY)
async def test_th07_a_rogue_connector_is_stopped_by_a_measure_that_has_a_name(tried: Any, trick: str) -> None:
    if isolation.landlock_version() < 6 or not seccomp.available():
        pytest.skip("this kernel does not hold processes in")
    # given a trick that works where nothing stops it
    measure, code = STOPPED_BY[trick]
    assert tried["free"][trick] == "done" or trick in _NEEDS_MORE
    # when a connector tries it in its host, then that measure is in force there, and the kernel refuses it
    assert measure == "closed" or measure in tried["measures"]
    assert tried["held"][trick] == code


async def test_th07_every_trick_that_is_tried_has_what_stops_it(tried: Any) -> None:
    assert set(tried["held"]) == set(STOPPED_BY)
    assert len(STOPPED_BY) >= 12
    assert sum(found == "done" for found in tried["free"].values()) >= 12


def _unheld(site: Path, settings: dict[str, str], port: int) -> str:
    """Run the same tricks in a plain process, as the control; returns what the connector would report."""
    code = (
        "import asyncio, sys, types; sys.path.insert(0, sys.argv[1]); from hub_probe.connector import *\n"
        "probe = Probe(ProbeSettings(base_url=sys.argv[2], secret_file=sys.argv[3]))\n"
        "print(asyncio.run(probe.escape(types.SimpleNamespace(body=sys.argv[4].encode()), None)).receipt)"
    )
    words = [sys.executable, "-B", "-c", code, str(site), settings["base_url"], settings["secret_file"], str(port)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
