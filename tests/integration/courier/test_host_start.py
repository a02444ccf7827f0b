"""A host that is killed while it starts says nothing of its connector: it is started again, and not for ever."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from hub.courier.host_process import HostBroken, HostResult
from hub.sdk import Delivered, InDoubt, RetryLater

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


async def test_a_host_killed_while_it_starts_is_started_again(open_host, configure, parcel) -> None:
    # given a host that is killed twice before it is ready
    host = open_host(configure)
    killing = asyncio.create_task(kill_next(2, set(hosts())))
    # when a parcel is given to it
    result = await host.deliver(parcel("echo"))
    await killing
    # then it goes all the same, by the third
    assert isinstance(result, HostResult)
    assert result.outcome == Delivered("the story")
    await host.close()


async def test_a_host_that_never_starts_is_waited_for_and_then_given_up(open_host, configure, parcel) -> None:
    # given a host that is killed whenever it starts
    host = open_host(configure, pause=0)
    killing = asyncio.create_task(kill_next(3 * 6, set(hosts())))
    # when parcels are given to it, then each waits without having cost a try, and a doubt stays one
    later = HostResult(RetryLater("host-could-not-start", 0, counts=False), started=False)
    assert [await host.deliver(parcel("echo")) for _ in range(4)] == [later] * 4
    assert await host.reconcile(parcel("echo")) == HostResult(InDoubt("host-could-not-start"), started=False)
    # and only after the fifth in a row is the connection said to be broken
    assert await host.deliver(parcel("echo")) == HostBroken("did-not-start")
    await killing


async def test_a_machine_short_of_descriptors_holds_no_connection(open_host, configure, parcel) -> None:
    # given a hub that may open no more files: none has a number below three that is free, whatever else was closed
    host = open_host(configure, pause=0.2)
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        # when many parcels come at once
        try:
            results = [await host.deliver(parcel("echo")) for _ in range(12)]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        # then one start was tried for all of them, every one waits, and the next goes once there are files again
        assert {type(result.outcome) for result in results} == {RetryLater}
        deadline = time.monotonic() + 20
        while (result := await host.deliver(parcel("echo"))).outcome != Delivered("the story"):
            assert time.monotonic() < deadline, result
            await asyncio.sleep(0.05)
    finally:
        await host.close()
