"""Offers signed requests over kept connections, as fast as they are taken or at a fixed rate, and notes each reply.

Run as `sender.py HOST:PORT PLAN RESULT`: PLAN is a pickle of (connections, rate or None, requests), RESULT gets a
pickle of (offered, replied, status, body) for each request; both are our own files. Times are monotonic seconds.
At a fixed rate `offered` is when the request was due, so that waiting for a free connection counts as waiting.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
import time
from collections import deque
from pathlib import Path
from typing import cast

import uvloop
from wire import Stream


class Load:
    """The requests that are left, the connections that are free, and what came back."""

    def __init__(self, requests: list[bytes]) -> None:
        self.requests = requests
        self.results: list[tuple[float, float, int, bytes] | None] = [None] * len(requests)
        self.done = asyncio.get_running_loop().create_future()
        self.free: deque[Line] = deque()
        self._due: deque[tuple[int, float]] = deque()
        self._left = len(requests)

    def offer(self, index: int, at: float) -> None:
        """Send a request now, or as soon as a connection is free."""
        self._due.append((index, at))
        self._match()

    def keep(self, line: Line, index: int, result: tuple[float, float, int, bytes]) -> None:
        """Note a reply; its connection is free again."""
        self.results[index] = result
        self._left -= 1
        self.free.append(line)
        self._match()
        if not self._left:
            self.done.set_result(None)

    def fail(self, error: Exception | None) -> None:
        """End the run: a connection was lost, and with it the count."""
        if not self.done.done():
            self.done.set_exception(ConnectionError("a connection was lost") if error is None else error)

    def _match(self) -> None:
        while self._due and self.free:
            index, at = self._due.popleft()
            self.free.popleft().send(index, at, self.requests[index])


class Line(asyncio.Protocol):
    """One kept connection, with one request at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._stream = Stream()
        self._index = -1
        self._at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the free connections."""
        self._transport = cast("asyncio.Transport", transport)
        self._load.free.append(self)

    def send(self, index: int, at: float, request: bytes) -> None:
        """Send one request."""
        assert self._transport is not None
        self._index, self._at = index, at or time.monotonic()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note the reply once it is whole."""
        for message in self._stream.feed(data):
            status = int(message.start.split(b" ")[1])
            self._load.keep(self, self._index, (self._at, time.monotonic(), status, message.body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so."""
        self._load.fail(exc)


async def run(address: str, connections: int, rate: float | None, requests: list[bytes]) -> list[object]:
    """Offer every request and return what came back, in their order."""
    loop = asyncio.get_running_loop()
    host, _, port = address.partition(":")
    load = Load(requests)
    for _ in range(connections):
        await loop.create_connection(lambda: Line(load), host, int(port))
    start = time.monotonic() + 0.01
    if rate is None:
        for index in range(len(requests)):
            load.offer(index, 0.0)
    else:
        for index in range(len(requests)):
            due = start + index / rate
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            load.offer(index, due)
    await load.done
    return list(load.results)


def main() -> None:
    """Read the plan, run it, write the result."""
    address, plan, result = sys.argv[1:]
    connections, rate, requests = pickle.loads(Path(plan).read_bytes())
    found = uvloop.run(run(address, connections, rate, requests))
    Path(result).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main()
