"""A host that is killed while it starts says nothing of its connector: it is started again, and not for ever."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from hub.courier.host_process import HostBroken, HostProcess, HostResult
from hub.sdk import Delivered

pytestmark = pytest.mark.anyio


def hosts() -> list[int]:
    """Return the hosts that this process started."""
    found = []
    for listing in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for pid in listing.read_text().split():
            with suppress(OSError):
                if b"hub.host" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
    return found


async def kill_next(number: int, others: set[int]) -> None:
    """Kill the next hosts as soon as they are there, before they can have said that they are ready."""
    deadline = time.monotonic() + 20
    while number:
        assert time.monotonic() < deadline, "no host was started"
        for pid in set(hosts()) - others:
            os.kill(pid, signal.SIGKILL)
            others.add(pid)
            number -= 1
        await asyncio.sleep(0.002)


async def test_a_host_killed_while_it_starts_is_started_again(configure, parcel) -> None:
    # given a host that is killed twice before it is ready
    host = HostProcess(configure)
    killing = asyncio.create_task(kill_next(2, set(hosts())))
    # when a parcel is given to it
    result = await host.deliver(parcel("echo"))
    await killing
    # then it goes all the same, by the third
    assert isinstance(result, HostResult)
    assert result.outcome == Delivered("the story")
    await host.close()


async def test_a_host_that_never_starts_is_given_up(configure, parcel) -> None:
    # given a host that is killed whenever it starts
    host = HostProcess(configure)
    killing = asyncio.create_task(kill_next(3, set(hosts())))
    # when a parcel is given to it, then the connection is said to be broken
    assert await host.deliver(parcel("echo")) == HostBroken("did-not-start")
    await killing
