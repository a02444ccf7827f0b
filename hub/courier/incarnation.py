"""One life of a host process: the calls it has in flight, from its first frame to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from hub.courier.spawn import Child
from hub.host import wire

Why = Literal["exited", "deadline", "protocol", "idle", "closed"]


@dataclass(frozen=True, slots=True)
class HostDied:
    """The host ended under this call; "idle" and "closed" are no deaths.

    `started` says whether the call's first byte may have left.
    """

    started: bool
    why: Why


@dataclass(slots=True)
class Call:
    """One call that a host owes a reply; `replies` ends with the reply that ends the call, or a death."""

    number: int
    token: str = ""
    many: bool = False  #: several reads come before the last reply
    started: bool = False
    replies: asyncio.Queue[wire.Reply | HostDied] = field(default_factory=asyncio.Queue)


class Incarnation:
    """One running host. `on_started` gets a parcel's token before its first byte leaves; `on_death` how
    many were in flight, the bytes it had printed, and why.
    """

    def __init__(
        self,
        child: Child,
        ready: wire.Ready,
        on_started: Callable[[str], None],
        on_death: Callable[[int, int, Why], None],
    ) -> None:
        self.child = child
        self.ready = ready
        self.leaving = False
        self._on_started = on_started
        self._on_death = on_death
        self._why: Why = "exited"
        self._numbers = count(1)
        self._calls: dict[int, Call] = {}
        self._reading = asyncio.create_task(self._read())

    @property
    def usable(self) -> bool:
        """Tell whether a new call may be given to it."""
        return not self.leaving and not self._reading.done()

    def call(self, frame: Callable[[int], wire.Request], token: str = "", *, many: bool = False) -> Call:
        """Send a request under a fresh number; raises `FrameError` when it is too large for the wire."""
        call = Call(next(self._numbers), token, many)
        encoded = wire.encode(frame(call.number))
        self._calls[call.number] = call
        self.child.writer.write(encoded)
        return call

    def kill(self, why: Why) -> None:
        """End the process now; every call in flight is told."""
        self.leaving, self._why = True, why
        self.child.kill()

    async def close(self) -> None:
        """End it in an orderly way and wait until it is gone."""
        if not self._reading.done():
            self.leaving, self._why = True, "closed"
            self.child.writer.close()
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        try:
            while (frame := await wire.read(self.child.reader)) is not None:
                self._take(frame)
        except wire.FrameError:
            self.kill("protocol")
        self.leaving = True
        await self.child.gone()
        self._tell_all()

    def _take(self, frame: wire.Frame) -> None:
        if isinstance(frame, wire.Leaving):
            self.leaving, self._why = True, "idle"
            return
        call = self._calls.get(frame.call) if isinstance(frame, wire.Reply) else None
        if call is None or not isinstance(frame, wire.Reply):
            raise wire.FrameError("unknown-call")  # a connector speaks of its own calls only (TH09)
        if isinstance(frame, wire.Started):
            if not call.started:
                call.started = True
                self._on_started(call.token)
            return
        if not (call.many and isinstance(frame, wire.Read)):
            del self._calls[frame.call]  # its last reply: it is not in flight any more
        call.replies.put_nowait(frame)

    def _tell_all(self) -> None:
        if self._why not in {"idle", "closed"}:
            in_flight = sum(bool(call.token) for call in self._calls.values())
            self._on_death(in_flight, self.child.printed, self._why)
        for call in self._calls.values():
            call.replies.put_nowait(HostDied(call.started, self._why))
        self._calls.clear()
