"""The kit's own receiver: stands before a pack's sandbox on a real socket, keeps every byte, misbehaves on order."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:[ \t]*chunked")
_PERSISTENT = re.compile(rb"(?im)^(connection|keep-alive):[^\r]*\r\n")
#: The largest head that is read, in bytes.
_HEAD = 65_536


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it stood on the wire; header names are lower case, `raw` is every byte of it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def content(self) -> bytes:
        """The body as it was before it was packed for its way; as it came where it cannot be unpacked."""
        if self.headers.get("content-encoding", "").lower() != "gzip":
            return self.body
        try:
            return gzip.decompress(self.body)
        except (OSError, EOFError, zlib.error):
            return self.body


class Exchange:
    """One parcel's request, and what may be done with it."""

    def __init__(self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: str) -> None:
        self.seen = seen
        self.echoed: dict[str, str] = {}  #: headers that this partner's protocol sends back
        self._reader, self._writer, self._upstream = reader, writer, upstream

    async def write(self, reply_bytes: bytes) -> None:
        """Send these bytes to the connector."""
        self._writer.write(reply_bytes)
        await self._writer.drain()

    async def forward(self) -> bytes:
        """Hand the request to the sandbox, byte for byte but for how long the connection lasts; return its reply."""
        parts = urlsplit(self._upstream)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            head, _, rest = self.seen.raw.partition(b"\r\n\r\n")
            writer.write(_PERSISTENT.sub(b"", head + b"\r\n") + b"Connection: close\r\n\r\n" + rest)
            return await reader.read(-1)
        finally:
            writer.close()

    async def gone(self) -> None:
        """Wait until the connector has gone away."""
        await self._reader.read(-1)

    def tear(self) -> None:
        """Tear the connection down."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Treat = Callable[[Exchange], Awaitable[None]]


async def pass_on(exchange: Exchange) -> None:
    """Let the sandbox reply."""
    await exchange.write(await exchange.forward())


class Gateway:
    """A server between connector and sandbox; used within one running loop."""

    def __init__(self, is_parcel: Callable[[Seen], bool], echoes: Sequence[str] = ()) -> None:
        self.echoes = echoes
        self.seen: list[Seen] = []
        self.upstream = ""
        self.now_open = 0  #: parcels' requests under way now
        self.most_open = 0  #: the most there were at once
        self._is_parcel = is_parcel
        self._treat: Treat = pass_on
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def parcels(self) -> list[Seen]:
        """Every request that carried a parcel, oldest first."""
        return [each for each in self.seen if self._is_parcel(each)]

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD)

    async def stop(self) -> None:
        """Stop listening and end every exchange."""
        if self._server is not None:
            self._server.close()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            await self._server.wait_closed()

    @contextlib.contextmanager
    def treating(self, treat: Treat) -> Iterator[list[Seen]]:
        """Treat parcels' requests so meanwhile; gives a list that holds those that came."""
        before, came = self._treat, len(self.seen)
        fresh: list[Seen] = []
        self._treat = treat
        try:
            yield fresh
        finally:
            self._treat = before
            fresh.extend(each for each in self.seen[came:] if self._is_parcel(each))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running = asyncio.current_task()
        assert running is not None
        self._clients.add(running)
        try:
            await self._exchange(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the other side went away, or we are closing: the check looks at what was kept
        finally:
            self._clients.discard(running)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read(reader)
        self.seen.append(request)
        exchange = Exchange(request, reader, writer, self.upstream)
        exchange.echoed = {name: request.headers.get(name, "") for name in self.echoes}
        if not self._is_parcel(request):
            await pass_on(exchange)
            return
        self.now_open += 1
        self.most_open = max(self.most_open, self.now_open)
        try:
            await self._treat(exchange)
        finally:
            self.now_open -= 1


async def _read(reader: asyncio.StreamReader) -> Seen:
    head = await reader.readuntil(b"\r\n\r\n")
    raw, body = head, b""
    if _CHUNKED.search(head):
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            chunk = await reader.readexactly(size + 2)
            raw, body = raw + line + chunk, body + chunk[:-2]
            if not size:
                break
    elif length := _LENGTH.search(head):
        body = await reader.readexactly(int(length[1]))
        raw += body
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    return Seen(method, target, {name.lower(): value.strip() for name, _, value in pairs}, body, raw)


def reply(status: int, body: bytes = b"", **headers: str) -> Treat:
    """Answer so, without asking the sandbox; header names are written with underscores."""

    async def treat(exchange: Exchange) -> None:
        lines = [f"HTTP/1.1 {status} .", f"content-length: {len(body)}", "connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in (exchange.echoed | headers).items()]
        await exchange.write("\r\n".join([*lines, "", ""]).encode() + body)

    return treat


async def stall(exchange: Exchange) -> None:
    """Take the request and say nothing until the client goes away."""
    await exchange.gone()


async def drip(exchange: Exchange) -> None:
    """Begin a reply and never end it."""
    await exchange.write(b"HTTP/1.1 200 .\r\ncontent-length: 1000\r\n\r\n{")
    await exchange.gone()


async def cut(exchange: Exchange) -> None:
    """Promise more bytes than come."""
    head = b"HTTP/1.1 200 .\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    await exchange.write(head + b'{"id": "')


async def reset(exchange: Exchange) -> None:
    """Take the request and tear the connection down."""
    exchange.tear()


async def lose_reply(exchange: Exchange) -> None:
    """Let the partner act, and lose what it says."""
    await exchange.forward()
    exchange.tear()
