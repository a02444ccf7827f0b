"""The hub's side of a host that has no network: it opens what that connection may reach, and passes the socket over.

The hub sees no byte of what follows: the host encrypts on that socket by itself, and proves the server there.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

import structlog

from hub.host.borrowing import MAX_PACKET, Ask, decode_ask, encode_answer
from hub.host.wire import Configure
from hub.sdk.connector import NotSent
from hub.sdk.reach import Reach
from hub.sdk.tcp import look_up, open_first

log = structlog.get_logger(__name__)

#: Seconds within which a name is looked up and a connection opened; a call's own deadline may be shorter.
_SECONDS = 10.0


class Lender:
    """Opens connections for one host, by the rules of its connection alone (TH07, TH17).

    It takes over `channel`, is made within a running loop, and opens no more at a time than the host may have in
    flight. Whatever is no question ends it: such a host gets no more connections.
    """

    def __init__(self, configure: Configure, channel: socket.socket) -> None:
        self._connection = configure.connection
        self._reach = _reach_of(configure)
        self._seconds = min(_SECONDS, configure.deadline_seconds)
        self._most = configure.in_flight + 4  # as many as the host's own pool holds
        self._looking = asyncio.Semaphore(1)  # a name server that is slow holds up its own connection alone
        self._opening: set[asyncio.Task[None]] = set()
        self._channel = channel
        self._channel.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel, self._hear)

    def close(self) -> None:
        """Open nothing more, and give up what is being opened."""
        for opening in self._opening:
            opening.cancel()
        if self._channel.fileno() >= 0:
            self._loop.remove_reader(self._channel)
            self._channel.close()

    def _hear(self) -> None:
        try:
            packet = self._channel.recv(MAX_PACKET + 1)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        ask = decode_ask(packet) if len(packet) <= MAX_PACKET else None
        if ask is None:
            if packet:
                log.error("host.asked_nonsense", connection=self._connection)
            self.close()
        elif len(self._opening) >= self._most:
            self._answer(ask, "too-many", None)
        else:
            opening = self._loop.create_task(self._lend(ask))
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)

    async def _lend(self, ask: Ask) -> None:
        code, opened = "", None
        try:
            async with asyncio.timeout(self._seconds):
                opened = await self._open(ask)
        except NotSent as refusal:
            code = refusal.reason
        except TimeoutError:
            code = "deadline"
        except (OSError, ValueError):  # ValueError, too, of a name that cannot be one
            code = "connection"
        if code in {"host-refused", "address-refused"}:
            log.warning("host.refused_connection", connection=self._connection, reason=code)
        self._answer(ask, code, opened)

    async def _open(self, ask: Ask) -> socket.socket:
        if not self._reach.names(ask.host, ask.port):
            raise NotSent("host-refused")
        async with self._looking:
            found = await look_up(self._reach, ask.host, ask.port, encrypted=ask.encrypted)
        return await open_first(found)

    def _answer(self, ask: Ask, code: str, opened: socket.socket | None) -> None:
        """Send the answer, with the socket where there is one; our own end of that is closed in any case."""
        # A host that reads no answers gets none: what it was to get is closed.
        with contextlib.suppress(OSError), opened or contextlib.nullcontext():
            descriptors = [opened.fileno()] if opened is not None else []
            socket.send_fds(self._channel, [encode_answer(ask.number, code)], descriptors)


def _reach_of(configure: Configure) -> Reach:
    try:
        return Reach.to(configure.hosts, configure.allow_addresses)
    except ValueError:
        return Reach.to(())  # the host itself says that its configuration is wrong; until then nothing is opened
