"""The guarded TCP connection: to a host on the list, at an address that may be reached, for SSH alone (TH17)."""

from __future__ import annotations

import asyncio
import time
from unittest.mock import patch

import pytest

from hub.host.context import CallContext
from hub.sdk.connector import NotSent
from hub.sdk.http import GuardedClient
from hub.sdk.reach import Reach

pytestmark = pytest.mark.anyio


async def refusal(reach: Reach, url: str, deadline: float = 5) -> str:
    client = GuardedClient(reach)
    try:
        with pytest.raises(NotSent) as failure:
            await CallContext(client, {}, time.time() + deadline).connect(url)
    finally:
        await client.aclose()
    return failure.value.reason


async def test_it_reaches_a_host_on_the_list_at_an_allowed_address() -> None:
    arrived = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"sftp://localhost:{port}"
    allowed = Reach.to([f"localhost:{port}"], ["127.0.0.0/8"])
    client = GuardedClient(allowed)
    opened = await CallContext(client, {}, time.time() + 5).connect(url)
    await asyncio.wait_for(arrived.wait(), 5)
    opened.close()
    await client.aclose()
    # then neither another host or port, nor an address that is not allowed, nor another protocol, nor too late
    assert await refusal(allowed, f"sftp://127.0.0.1:{port}") == "host-refused"
    assert await refusal(allowed, "sftp://localhost") == "host-refused"
    assert await refusal(Reach.to([f"localhost:{port}"]), url) == "address-refused"
    assert await refusal(allowed, f"https://localhost:{port}") == "bad-url"
    assert await refusal(allowed, "sftp://") == "bad-url"
    assert await refusal(allowed, url, deadline=-1) == "deadline-passed"
    server.close()
    await server.wait_closed()
    assert await refusal(allowed, url) == "connection"


async def test_an_address_is_checked_once_and_that_one_is_connected_to() -> None:
    # given a name that has a public address first and one of this machine's own next
    answers = [(2, 1, 6, "", ("169.254.169.254", 22)), (2, 1, 6, "", ("127.0.0.1", 22))]
    loop = asyncio.get_running_loop()

    async def look_up(*_: object, **__: object) -> list[object]:
        return list(answers)

    with patch.object(type(loop), "getaddrinfo", look_up):
        assert await refusal(Reach.to(["drop.example:22"]), "sftp://drop.example") == "address-refused"


async def test_a_parcel_over_the_limit_or_after_the_deadline_is_not_begun() -> None:
    client = GuardedClient(Reach.to([], body_bytes=10))
    started = []

    async def report() -> None:
        started.append(1)

    context = CallContext(client, {}, time.time() + 5, report)
    with pytest.raises(NotSent, match="body-too-large"):
        await context.start(11)
    await context.start(10)
    assert (started, context.started, context.reply_bytes) == ([1], True, 1_000_000)
    late = CallContext(client, {}, time.time() - 1, report)
    with pytest.raises(NotSent, match="deadline-passed"):
        await late.start(1)
    context.over = True
    for act in (context.start(1), context.connect("sftp://a")):
        with pytest.raises(NotSent, match="call-over"):
            await act
    await client.aclose()
