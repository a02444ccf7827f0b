"""The guarded HTTP client: the only way out of a host, with every address checked at the moment of connecting."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import aiohttp
import httpx
import yarl
from httpx_aiohttp import AiohttpTransport

from hub.sdk.connector import NoReply, NotSent, Response
from hub.sdk.lent import LentConnector
from hub.sdk.reach import Reach
from hub.sdk.tcp import Lend

#: Shorter than what servers usually keep an idle connection open, so that a request seldom meets one just closed.
KEEP_ALIVE_SECONDS = 4.0

OnStart = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Exchange:
    """What is known of one request while the transport has it."""

    encrypted: bool
    on_start: OnStart | None
    refused: bool = False  #: the address check turned an address down
    carried: bool = False  #: a connection is there to carry it: from now on a byte may have left


_current: ContextVar[_Exchange] = ContextVar("hub_exchange")


def make_ssl_context(certificate: str = "", key: str = "", authorities: str = "") -> ssl.SSLContext:
    """Return the TLS context of one connection; all three are PEM text, empty means none (or the usual authorities)."""
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities:
        context.load_verify_locations(cadata=authorities)
    if certificate:
        _load_certificate(context, f"{certificate}\n{key}\n".encode())
    return context


def _load_certificate(context: ssl.SSLContext, pem: bytes) -> None:
    # The ssl module reads a key from a path only: give it one that never is on a disk.
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("certificate"), "wb", buffering=0) as file:
            file.write(pem)
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
        return
    with tempfile.NamedTemporaryFile() as named:
        named.write(pem)
        named.flush()
        context.load_cert_chain(named.name)


class GuardedClient:
    """One connection's HTTP client: pooled, without cookies, redirects, retries or proxies from the environment.

    It is used within one running loop, made lazily there, and closed with `aclose`. Where `lend` is given the hub opens
    each connection, and checks its address.
    """

    def __init__(self, reach: Reach, tls: ssl.SSLContext | None = None, lend: Lend | None = None) -> None:
        self._reach = reach
        self._lend = lend
        self._tls = tls or make_ssl_context()
        self._client = httpx.AsyncClient(
            transport=AiohttpTransport(verify=self._tls, trust_env=False, client=self._open_session),
            headers={"accept-encoding": "gzip", "user-agent": "trusted-person-hub"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # nothing of one parcel travels with another
            timeout=None,  # noqa: S113 - one deadline covers the whole exchange, in `send`
            trust_env=False,
            follow_redirects=False,
        )

    @property
    def reach(self) -> Reach:
        """Where this connection may send, and how much."""
        return self._reach

    @property
    def lend(self) -> Lend | None:
        """Who opens its connections, where it is not this process."""
        return self._lend

    async def send(  # noqa: PLR0913 - it is one HTTP request
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float | None = None,
        on_start: OnStart | None = None,
    ) -> Response:
        """Send one request and read its whole reply within `seconds` (never more than the reach's own deadline).

        `on_start` is awaited once a connection is there and before the first byte. Raises `NotSent` when no byte can
        have left and `NoReply` when one may have; their reasons are codes.
        """
        request = self._build(method, url, headers, content)
        exchange = _Exchange(encrypted=request.url.scheme == "https", on_start=on_start)
        limit = self._reach.deadline_seconds if seconds is None else min(seconds, self._reach.deadline_seconds)
        if limit <= 0:
            raise NotSent("deadline-passed")
        token = _current.set(exchange)
        try:
            async with asyncio.timeout(limit):
                return await self._exchange(request)
        except TimeoutError:
            raise _failure(exchange, "deadline") from None
        except (httpx.TransportError, aiohttp.ClientError, OSError, ValueError):
            raise _failure(exchange, "connection") from None
        finally:
            _current.reset(token)

    async def aclose(self) -> None:
        """Close every pooled connection."""
        await self._client.aclose()

    def _build(self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None) -> httpx.Request:
        try:
            request = self._client.build_request(method, url, headers=dict(headers or {}), content=content)
            seen = yarl.URL(str(request.url))  # what the transport will make of it: both readings must agree
            port = request.url.port or {"https": 443, "http": 80}[request.url.scheme]
        except (httpx.InvalidURL, ValueError, KeyError, TypeError):
            raise NotSent("bad-url") from None
        host = request.url.raw_host.decode("ascii")
        if request.url.userinfo or (seen.raw_host or "").strip("[]") != host or seen.port != port:
            raise NotSent("bad-url")
        if not self._reach.names(host, port):
            raise NotSent("host-refused")
        if content is not None and len(content) > self._reach.body_bytes:
            raise NotSent("body-too-large")
        return request

    async def _exchange(self, request: httpx.Request) -> Response:
        response = await self._client.send(request, stream=True)
        try:
            body = await self._read(response)
        finally:
            await response.aclose()
        headers = {name: value for name, value in response.headers.items() if name != "content-encoding"}
        return Response(status=response.status_code, headers=headers, body=body)

    async def _read(self, response: httpx.Response) -> bytes:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "gzip", "deflate", ""}:
            raise NoReply("encoding-refused")
        packed = encoding in {"gzip", "deflate"}
        chunks = _inflate(response.aiter_raw(), self._reach.reply_bytes) if packed else response.aiter_raw()
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) > self._reach.reply_bytes:
                raise NoReply("reply-too-large")
        return bytes(body)

    def _open_session(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_about_to_carry)
        trace.on_connection_reuseconn.append(_about_to_carry)
        session = aiohttp.ClientSession(
            connector=self._make_connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            trace_configs=[trace],
        )
        # aiohttp repeats a PUT or DELETE by itself when a pooled connection drops; only the hub decides to send again.
        session._retry_connection = False
        return session

    def _make_connector(self) -> aiohttp.BaseConnector:
        most = self._reach.in_flight + 4  # a token may be fetched while every parcel is under way
        if self._lend is not None:
            return LentConnector(self._borrow, self._tls, limit_per_host=most, keepalive_timeout=KEEP_ALIVE_SECONDS)
        return aiohttp.TCPConnector(
            ssl=self._tls,
            socket_factory=self._open_socket,
            limit=0,
            limit_per_host=most,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
        )

    async def _borrow(self, host: str, port: int, *, encrypted: bool) -> socket.socket:
        assert self._lend is not None
        try:
            return await self._lend(host, port, encrypted=encrypted)
        except NotSent as refusal:
            _current.get().refused = refusal.reason == "address-refused"
            raise OSError(refusal.reason) from None

    def _open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Open the socket for one resolved address, or refuse it: nothing was connected before this check."""
        family, kind, protocol, _, address = info
        exchange = _current.get()
        if not self._reach.allows(str(address[0]), encrypted=exchange.encrypted):
            exchange.refused = True
            raise OSError("address refused")
        return socket.socket(family=family, type=kind, proto=protocol)


async def _about_to_carry(*_: object) -> None:
    exchange = _current.get()
    exchange.carried = True
    if exchange.on_start is not None:
        await exchange.on_start()


async def _inflate(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Unpack gzip or deflate, never making more than `limit` + 1 bytes at a time out of one chunk."""
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    begun = False
    async for chunk in chunks:
        begun = True
        try:
            yield unpack.decompress(chunk, limit + 1)
        except zlib.error:
            raise NoReply("encoding-broken") from None
    if begun and not unpack.eof:
        raise NoReply("encoding-broken")


def _failure(exchange: _Exchange, code: str) -> NotSent | NoReply:
    if exchange.carried:
        return NoReply(code)
    return NotSent("address-refused" if exchange.refused else code)
