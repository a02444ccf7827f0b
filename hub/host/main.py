"""The host's life: read who it is, give up what it does not need, load its connector, serve, and end."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import ssl
import sys
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from io import RawIOBase
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hub.host import isolation, wire
from hub.host.borrowing import Borrower
from hub.host.loader import LoadError, load, locate
from hub.host.serving import Serving
from hub.sdk.connector import Connector
from hub.sdk.http import GuardedClient, make_ssl_context
from hub.sdk.reach import Reach

#: Secrets with these names are the guarded client's: PEM text for mutual TLS and for a partner's own authority.
TLS_SECRETS = ("client_certificate", "client_key", "certificate_authorities")

_BROKEN = 3  #: exit status of a host that cannot run its connector


def main(arguments: list[str]) -> int:
    """Run a host over inherited sockets, given by number; returns the exit status.

    The first carries frames. A second is there where the hub lends it connections (see `hub.host.borrowing`).
    """
    channel, *asking = (socket.socket(fileno=int(each)) for each in arguments)
    configure = _receive_configure(channel)
    if configure is None:
        return 0
    try:
        loaded = _prepare(configure, [each.fileno() for each in (channel, *asking)])
    except LoadError as error:
        channel.sendall(wire.encode(wire.Broken(wire.clean_reason(error.reason))))
        return _BROKEN
    threading.Thread(target=_end_with_the_courier, args=(channel.fileno(),), daemon=True).start()
    _run(_serve(loaded, configure, channel, asking[0] if asking else None))
    return 0


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A host that is ready to serve."""

    connector: Connector[Any]
    reach: Reach
    tls: ssl.SSLContext
    held: isolation.Isolation


def _prepare(configure: wire.Configure, kept: list[int]) -> _Loaded:
    """Do everything that needs the open system first, then isolate, and only then import the plugin."""
    entry, folder = locate(configure)
    try:
        reach = Reach.to(
            configure.hosts,
            configure.allow_addresses,
            in_flight=configure.in_flight,
            body_bytes=configure.body_bytes,
            reply_bytes=configure.reply_bytes,
            deadline_seconds=configure.deadline_seconds,
        )
        tls = make_ssl_context(*(configure.secrets.get(name, "") for name in TLS_SECRETS))
        ports = _ports(configure.hosts)
    except (ValueError, OSError):  # a certificate that cannot be read is an OSError
        raise LoadError("connection-invalid") from None
    room = isolation.Room(tuple(map(Path, configure.folders)), configure.body_bytes)
    udp = _has_names(configure.hosts)
    try:
        held = isolation.apply(
            dict(configure.parent), [folder], ports, kept, udp=udp, room=room, strict=configure.strict
        )
    except isolation.CannotHold as error:
        raise LoadError(str(error)) from None
    return _Loaded(load(entry, configure), reach, tls, held)


async def _serve(
    loaded: _Loaded, configure: wire.Configure, channel: socket.socket, asking: socket.socket | None
) -> None:
    borrower = Borrower(asking) if asking is not None else None
    client = GuardedClient(loaded.reach, loaded.tls, borrower)
    reader, writer = await asyncio.open_connection(sock=channel)
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(wire.encode(wire.Ready(loaded.held.level, loaded.held.measures)))
    await Serving(loaded.connector, client, configure, writer).run(reader)
    await client.aclose()
    if borrower is not None:
        borrower.close()


def _receive_configure(channel: socket.socket) -> wire.Configure | None:
    """Read the first frame; None when the courier has gone already."""
    with channel.makefile("rb", buffering=0) as stream:
        prefix = _exactly(stream, 8)
        if prefix is None:
            return None
        header_bytes, body_bytes = wire.lengths(prefix)
        header, body = _exactly(stream, header_bytes), _exactly(stream, body_bytes)
    frame = wire.decode(header or b"", body or b"")
    if not isinstance(frame, wire.Configure):
        raise wire.FrameError("not-configured")
    return frame


def _exactly(stream: RawIOBase, size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        chunk = stream.read(size - len(received))
        if not chunk:
            return None
        received += chunk
    return bytes(received)


def _ports(hosts: tuple[str, ...]) -> set[int] | None:
    """Return the TCP ports the hosts use, with the resolver's; None (any) unless every host names its own."""
    ports = [urlsplit("//" + host).port for host in hosts]
    return None if None in ports else {53, *(port for port in ports if port is not None)}


def _has_names(hosts: tuple[str, ...]) -> bool:
    """Tell whether any host has to be looked up; addresses alone need no resolver."""
    for host in hosts:
        try:
            ip_address(urlsplit("//" + host).hostname or "")
        except ValueError:
            return True
    return False


def _end_with_the_courier(channel: int) -> None:
    """End the process when the courier closes its end, even while a connector blocks the event loop."""
    poll = select.poll()
    poll.register(channel, select.POLLRDHUP if hasattr(select, "POLLRDHUP") else select.POLLHUP)
    poll.poll()
    os._exit(0)


def _run(serving: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(serving)
        return
    import uvloop  # noqa: PLC0415 - not made for every platform

    uvloop.run(serving)
