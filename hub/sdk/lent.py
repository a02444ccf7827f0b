"""The HTTP client's connections where a host has no network: the hub opens each, and TLS is done on it here."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.client_proto import ResponseHandler

from hub.sdk.tcp import Lend

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.tracing import Trace


class LentConnector(aiohttp.BaseConnector):
    """A pool of connections that were lent; what the hub sees of an encrypted one is its ciphertext."""

    def __init__(self, lend: Lend, tls: ssl.SSLContext, *, limit_per_host: int, keepalive_timeout: float) -> None:
        super().__init__(limit=0, limit_per_host=limit_per_host, keepalive_timeout=keepalive_timeout)
        self._lend = lend
        self._tls = tls

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],  # noqa: ARG002 - they are told of the whole by whoever calls
        timeout: ClientTimeout,  # noqa: ARG002 - one deadline covers the whole exchange
    ) -> ResponseHandler:
        host, port, encrypted = (req.url.raw_host or "").rstrip("."), req.port or 0, req.is_ssl()
        lent = await self._lend(host, port, encrypted=encrypted)
        try:
            _, protocol = await asyncio.get_running_loop().create_connection(
                self._factory,
                sock=lent,
                ssl=self._tls if encrypted else None,
                server_hostname=host if encrypted else None,
            )
        except BaseException:
            lent.close()
            raise
        return protocol
