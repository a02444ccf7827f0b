"""The guarded way out for protocols that encrypt by themselves: one TCP connection, every address checked (TH17)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import urlsplit

from hub.sdk.connector import NotSent
from hub.sdk.reach import Reach, host_and_port

#: What encrypts and proves its server by itself; anything else goes through the HTTP client.
_SCHEMES = frozenset({"sftp"})


class Lend(Protocol):
    """How a host without a network gets a connection: the hub opens it, and lends it. Raises `NotSent` with a code."""

    async def __call__(self, host: str, port: int, *, encrypted: bool) -> socket.socket:
        """Return a socket that is connected to this host and port, and does not block."""


async def connect(reach: Reach, url: str, seconds: float, lend: Lend | None = None) -> socket.socket:
    """Return a connected socket to an `sftp` URL's host within so many seconds; raises `NotSent` with a code.

    A name is looked up once, each address it has is checked, and only the address that was checked is connected to. By
    the hub, where there is one who lends (`lend`).
    """
    host, port = _split(url)
    if not reach.names(host, port):
        raise NotSent("host-refused")
    limit = min(seconds, reach.deadline_seconds)
    if limit <= 0:
        raise NotSent("deadline-passed")
    try:
        async with asyncio.timeout(limit):
            if lend is not None:
                return await lend(host, port, encrypted=True)
            return await open_first(await look_up(reach, host, port, encrypted=True))
    except TimeoutError:
        raise NotSent("deadline") from None
    except OSError:
        raise NotSent("connection") from None


async def look_up(reach: Reach, host: str, port: int, *, encrypted: bool) -> list[tuple[Any, ...]]:
    """Return the addresses of a host that may be connected to, as `getaddrinfo` gives them.

    Raises `NotSent` where none may, `OSError` for a name that is not known.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    allowed = [each for each in found if reach.allows(str(each[4][0]), encrypted=encrypted)]
    if not allowed:
        raise NotSent("address-refused")
    return allowed


async def open_first(addresses: Iterable[tuple[Any, ...]]) -> socket.socket:
    """Return a socket that is connected to the first of these addresses that answers; raises `NotSent`."""
    loop = asyncio.get_running_loop()
    for family, kind, protocol, _, address in addresses:
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        try:
            await loop.sock_connect(opened, address)
        except OSError:
            opened.close()
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise NotSent("connection")


def _split(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit("//" + host_and_port(url))
        host, port = parts.hostname, parts.port
    except ValueError:
        raise NotSent("bad-url") from None
    if urlsplit(url).scheme not in _SCHEMES or not host or not port:
        raise NotSent("bad-url")
    return host, port
