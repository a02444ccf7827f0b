"""A connector's context for tests: real requests on real sockets, without the host's guards."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

import httpx

from hub.sdk.connector import NoReply, NotSent, Response
from hub.sdk.reach import SANDBOX_ADDRESSES, Reach, host_and_port
from hub.sdk.tcp import connect

#: The failures in which no byte of the request can have left.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

#: What the host allows where a manifest says nothing, of a parcel and of a reply.
_MOST = 1_000_000


class PlainContext:
    """Lends a connector what the host would, and counts in `started` how often a parcel left.

    `timeout` is in seconds and covers each phase of a request. Use it as an asynchronous context manager.
    """

    def __init__(
        self,
        *,
        secrets: Mapping[str, str] | None = None,
        now: datetime | None = None,
        timeout: float = 5.0,
        waiting: Sequence[str] = (),
    ) -> None:
        self.waiting = waiting
        self._secrets = MappingProxyType(dict(secrets or {}))
        self._now = now
        self._client = httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)
        self.started = 0

    @property
    def now(self) -> datetime:
        """The instant given, else the machine's time, UTC."""
        return self._now or datetime.now(UTC)

    @property
    def secrets(self) -> Mapping[str, str]:
        """The connection's secrets by name."""
        return self._secrets

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        starts: bool = True,
    ) -> Response:
        """Send one request; raises `NotSent` and `NoReply` as the guarded client does."""
        self.started += starts
        try:
            reply = await self._client.request(method, url, headers=headers, content=content)
        except _NOT_SENT as failure:
            self.started -= starts
            raise NotSent("no-connection") from failure
        except httpx.HTTPError as failure:
            raise NoReply("no-whole-reply") from failure
        return Response(reply.status_code, dict(reply.headers), reply.content)

    async def connect(self, url: str) -> socket.socket:
        """Open a TCP connection; raises `NotSent`."""
        return await connect(Reach.to([host_and_port(url)], SANDBOX_ADDRESSES), url, 5)

    async def start(self, size: int) -> None:
        """Count a parcel that leaves by another way than `send`; raises `NotSent` for one that is too large."""
        if size > _MOST:
            raise NotSent("body-too-large")
        self.started += 1

    @property
    def reply_bytes(self) -> int:
        """What the host allows where a manifest says nothing."""
        return _MOST

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> PlainContext:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
