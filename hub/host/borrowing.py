"""How a host that has no network gets its connections: it asks the hub for each, and is passed an open socket."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from itertools import count

import orjson

from hub.host.wire import clean_reason
from hub.sdk.connector import NotSent

#: Bytes of one question or answer; each is a packet of its own. The longest name that there is has 253 characters.
MAX_PACKET = 512


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: a connection to this host and port, and whether it will be encrypted."""

    number: int
    host: str
    port: int
    encrypted: bool


def encode_ask(ask: Ask) -> bytes:
    """Return a question's packet."""
    return orjson.dumps([ask.number, ask.host, ask.port, ask.encrypted])


def decode_ask(packet: bytes) -> Ask | None:
    """Return the question in a packet; None for anything that is none."""
    match _parsed(packet):
        case [int(number), str(host), int(port), bool(encrypted)] if 0 < port < 65536:
            return Ask(number, host, port, encrypted)
        case _:
            return None


def encode_answer(number: int, code: str) -> bytes:
    """Return an answer's packet; the code is empty where a socket comes with it."""
    return orjson.dumps([number, code])


class Borrower:
    """Asks over the inherited socket; made, called and closed within one running loop."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._channel.setblocking(False)
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[socket.socket]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel, self._hear)

    async def __call__(self, host: str, port: int, *, encrypted: bool) -> socket.socket:
        """Return a socket connected to this host and port; raises `NotSent` with the hub's code."""
        number = next(self._numbers)
        answer = self._waiting[number] = self._loop.create_future()
        try:
            self._channel.send(encode_ask(Ask(number, host, port, encrypted)))
        except OSError:
            del self._waiting[number]
            raise NotSent("connection") from None
        try:
            lent: socket.socket = await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                answer.result().close()  # it came in the very moment that nobody waited any more
            raise
        else:
            return lent
        finally:
            del self._waiting[number]

    def close(self) -> None:
        """Ask nothing more; whoever waits is told that there is no connection."""
        if self._channel.fileno() >= 0:
            self._loop.remove_reader(self._channel)
            self._channel.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(NotSent("connection"))

    def _hear(self) -> None:
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._channel, MAX_PACKET, 1)
        except BlockingIOError:
            return
        except OSError:
            packet, descriptors = b"", []
        if not packet:
            self.close()
            return
        lent = [socket.socket(fileno=each) for each in descriptors]
        number, code = _parsed(packet) or (0, "")
        answer = self._waiting.get(number) if isinstance(number, int) else None
        if answer is None or answer.done():
            for each in lent:
                each.close()
        elif lent:
            lent[0].setblocking(False)
            answer.set_result(lent[0])
        else:
            answer.set_exception(NotSent(clean_reason(code)))


def _parsed(packet: bytes) -> list[object] | None:
    try:
        found = orjson.loads(packet)
    except ValueError:
        return None
    return found if isinstance(found, list) else None
