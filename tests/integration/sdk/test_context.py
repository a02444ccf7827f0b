"""The plain context against real sockets: what never left, and what may have."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hub.sdk.connector import NoReply, NotSent
from hub.sdk.testing.context import PlainContext

pytestmark = pytest.mark.anyio


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def answer_once(listener: socket.socket, reply: bytes) -> threading.Thread:
    """Read one whole request, write `reply`, hang up."""

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            seen = b""
            while b"parcel" not in seen:
                seen += peer.recv(65536)
            peer.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/parcels"


async def test_nobody_listening_is_not_sent_and_has_not_started(listener: socket.socket) -> None:
    url = address(listener)
    listener.close()
    async with PlainContext() as context:
        with pytest.raises(NotSent):
            await context.send("POST", url, content=b"parcel")
        assert context.started == 0


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\nhalf"])
async def test_a_partner_that_hangs_up_may_have_it(listener: socket.socket, reply: bytes) -> None:
    thread = answer_once(listener, reply)
    async with PlainContext() as context:
        with pytest.raises(NoReply):
            await context.send("POST", address(listener), content=b"parcel")
        assert context.started == 1
    thread.join()


async def test_a_partner_that_says_nothing_in_time_may_have_it(listener: socket.socket) -> None:
    async with PlainContext(timeout=0.2) as context:
        with pytest.raises(NoReply):
            await context.send("POST", address(listener), content=b"parcel")


async def test_a_reply_is_read_whole_and_a_look_up_starts_nothing(listener: socket.socket) -> None:
    thread = answer_once(
        listener, b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example\r\nContent-Length: 2\r\n\r\n{}"
    )
    async with PlainContext(secrets={"key": "s"}, now=datetime(2026, 11, 20, tzinfo=UTC)) as context:
        reply = await context.send("GET", address(listener), content=b"parcel", starts=False)
        # then a redirect is shown, not followed
        assert (reply.status, reply.headers["location"], reply.json()) == (302, "http://elsewhere.example", {})
        assert context.started == 0
        assert (context.secrets["key"], context.now.year) == ("s", 2026)
    thread.join()
