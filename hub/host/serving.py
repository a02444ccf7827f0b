"""Serves the courier's calls one by one or side by side, and turns whatever a connector does into a frame."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from hub.host import wire
from hub.host.context import CallContext
from hub.sdk import CallbackRequest, Connector, Halt, InDoubt, Outcome, Rejected, RetryLater
from hub.sdk.connector import NoReply, NotSent
from hub.sdk.http import GuardedClient

#: A token end point that refuses our client: the connection is broken, whatever the connector made of it.
_HALTS = frozenset({"token-refused"})


class Serving:
    """One host's calls: those under way, and how long there has been none."""

    def __init__(
        self, connector: Connector[Any], client: GuardedClient, configure: wire.Configure, writer: asyncio.StreamWriter
    ) -> None:
        self._connector = connector
        self._client = client
        self._configure = configure
        self._writer = writer
        self._slots = asyncio.Semaphore(configure.in_flight)
        self._calls: set[asyncio.Task[None]] = set()
        self._idle_since = time.monotonic()

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Serve until the courier closes the socket or there has been nothing to do for long enough."""
        reading = asyncio.create_task(self._read(reader))
        idling = asyncio.create_task(self._wait_for_idleness())
        await asyncio.wait({reading, idling}, return_when=asyncio.FIRST_COMPLETED)
        for running in (reading, idling, *self._calls):
            running.cancel()
        if idling.done() and not reading.done():
            await self._reply(wire.Leaving())

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while (frame := await wire.read(reader)) is not None:
            if not isinstance(frame, wire.Request):
                raise wire.FrameError("not-a-request")
            call = asyncio.create_task(self._serve(frame))
            self._calls.add(call)
            call.add_done_callback(self._over)

    def _over(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._idle_since = time.monotonic()

    async def _wait_for_idleness(self) -> None:
        while True:
            left = self._idle_since + self._configure.idle_seconds - time.monotonic()
            if left <= 0 and not self._calls:
                return
            await asyncio.sleep(max(left, 0.05))

    async def _reply(self, frame: wire.Frame) -> None:
        self._writer.write(wire.encode(frame))
        await self._writer.drain()  # the buffer's limit is zero: this returns once the frame is with the kernel

    async def _serve(self, frame: wire.Request) -> None:
        match frame:
            case wire.Carry():
                async with self._slots:
                    await self._carry(frame)
            case wire.Check():
                context = CallContext(self._client, self._configure.secrets, frame.deadline)
                await self._settle(frame.call, self._connector.check(context), context, frame.deadline)
            case wire.Parse():
                await self._parse(frame)
            case wire.Collect() | wire.Acknowledge():
                await self._exchange(frame)

    async def _carry(self, frame: wire.Carry) -> None:
        async def report() -> None:
            await self._reply(wire.Started(frame.call))

        delivering = frame.verb == "deliver"
        context = CallContext(self._client, self._configure.secrets, frame.deadline, report if delivering else None)
        context.started = not delivering  # a question that breaks off leaves the doubt as it was
        if delivering and len(frame.body) > self._configure.body_bytes:  # also where it would be packed on its way
            await self._reply(wire.Settled(frame.call, Rejected("body-too-large")))
            return
        verb = self._connector.deliver if delivering else self._connector.reconcile
        await self._settle(frame.call, verb(frame.parcel(), context), context, frame.deadline)

    async def _settle(self, call: int, work: Awaitable[Outcome], context: CallContext, deadline: float) -> None:
        outcome = await outcome_of(work, context, deadline)
        try:
            encoded = wire.encode(wire.Settled(call, outcome))
            header, _ = wire.lengths(encoded[:8])
            wire.decode(encoded[8 : 8 + header], b"")  # a field of the wrong type is the connector's defect, found here
        except (wire.FrameError, TypeError, ValueError, KeyError):
            encoded = wire.encode(wire.Settled(call, _unknown(context, "connector-error")))
        self._writer.write(encoded)

    async def _parse(self, frame: wire.Parse) -> None:
        reply: wire.Reply
        try:
            inbound = self._connector.parse_callback(CallbackRequest(frame.headers, frame.body))
            encoded = wire.encode(wire.Read(frame.call, inbound))
        except ValueError:
            reply = wire.Failed(frame.call, "not-theirs")
        except Exception:  # noqa: BLE001 - the boundary to a plugin's own code; its text may hold anything
            reply = wire.Failed(frame.call, "connector-error")
        else:
            self._writer.write(encoded)
            return
        self._writer.write(wire.encode(reply))

    async def _exchange(self, frame: wire.Collect | wire.Acknowledge) -> None:
        waiting = frame.waiting if isinstance(frame, wire.Collect) else ()
        context = CallContext(self._client, self._configure.secrets, frame.deadline, waiting=waiting)
        reply: wire.Reply = wire.Done(frame.call)
        try:
            async with asyncio.timeout(max(frame.deadline - time.time(), 0)):
                if isinstance(frame, wire.Acknowledge):
                    await self._connector.acknowledge(frame.reference, context)
                else:
                    async for inbound in self._connector.collect(context):
                        await self._reply(wire.Read(frame.call, inbound))
        except (NotSent, NoReply) as error:
            reply = wire.Failed(frame.call, wire.clean_reason(error.reason))
        except TimeoutError:
            reply = wire.Failed(frame.call, "deadline")
        except Exception:  # noqa: BLE001 - the boundary to a plugin's own code; its text may hold anything
            reply = wire.Failed(frame.call, "connector-error")
        finally:
            context.over = True
        self._writer.write(wire.encode(reply))


async def outcome_of(work: Awaitable[Outcome], context: CallContext, deadline: float) -> Outcome:
    """Await a connector's work and return its outcome; whatever else it does becomes one.

    Before the start a failure is `RetryLater`; after it `InDoubt`, because the parcel may have left.
    """
    patience = asyncio.timeout(max(deadline - time.time(), 0))
    try:
        async with patience:
            outcome = await work
    except (NotSent, NoReply) as error:
        return Halt(error.reason) if error.reason in _HALTS else _unknown(context, wire.clean_reason(error.reason))
    except asyncio.CancelledError:
        if (running := asyncio.current_task()) is not None and running.cancelling():
            raise  # the host is ending, not the connector misbehaving
        return _unknown(context, "connector-error")
    except Exception:  # noqa: BLE001 - the boundary to a plugin's own code; its text may hold anything
        return _unknown(context, "deadline" if patience.expired() else "connector-error")
    finally:
        context.over = True
    return outcome if isinstance(outcome, Outcome) else _unknown(context, "connector-error")


def _unknown(context: CallContext, reason: str) -> Outcome:
    return InDoubt(reason) if context.started else RetryLater(reason)
