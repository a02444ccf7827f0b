"""A council's housing system made for speed: it issues tokens, takes referrals once, and notes when each arrived."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from secrets import token_hex
from typing import cast
from urllib.parse import parse_qs, urlsplit

import orjson
import uvloop
from wire import Message, Stream, reply


class Council:
    """What arrived, by idempotency key: the same key and bytes again is a duplicate, other bytes a conflict."""

    def __init__(self) -> None:
        self._token = token_hex(16)
        self._taken: dict[bytes, tuple[bytes, bytes]] = {}  # key: digest of the body, the reply's body
        self.arrivals: dict[str, float] = {}  # reference: monotonic seconds of its first arrival
        self.duplicates = 0

    def answer(self, message: Message) -> tuple[int, bytes]:
        """Return the status and body for one request."""
        method, target, _ = message.start.split(b" ", 2)
        url = urlsplit(target.decode("ascii"))
        match method, url.path:
            case b"POST", "/oauth/token":
                return self._issue(message)
            case _, "/referrals":
                return self._referrals(method, parse_qs(url.query), message)
            case b"GET", "/count":
                return 200, orjson.dumps({"arrived": len(self.arrivals), "duplicates": self.duplicates})
            case b"GET", "/arrivals":
                return 200, orjson.dumps(self.arrivals)
        return 404, b"{}"

    def _referrals(self, method: bytes, query: dict[str, list[str]], message: Message) -> tuple[int, bytes]:
        if message.headers.get(b"authorization") != b"Bearer " + self._token.encode():
            return 401, b"{}"
        return self._take(message) if method == b"POST" else self._look_up(query)

    def _issue(self, message: Message) -> tuple[int, bytes]:
        form = parse_qs(message.body.decode("ascii"))
        if form.get("grant_type") != ["client_credentials"]:
            return 400, b'{"error":"unsupported_grant_type"}'
        return 200, orjson.dumps({"access_token": self._token, "token_type": "Bearer", "expires_in": 3600})

    def _take(self, message: Message) -> tuple[int, bytes]:
        at = time.monotonic()
        key = message.headers.get(b"idempotency-key", b"")
        digest = hashlib.sha256(message.body).digest()
        earlier = self._taken.get(key)
        if earlier is not None:
            self.duplicates += 1
            return (200, earlier[1]) if earlier[0] == digest else (409, b'{"code":"conflict"}')
        try:
            reference = str(orjson.loads(message.body)["referenceNumber"])
        except (ValueError, KeyError, TypeError):
            return 422, b'{"code":"reference-missing"}'
        if not key:
            return 400, b'{"code":"idempotency-key-missing"}'
        held = {"id": token_hex(16), "idempotencyKey": key.decode("ascii"), "referenceNumber": reference}
        shown = orjson.dumps(held | {"status": "SUBMITTED"})
        self._taken[key] = (digest, shown)
        self.arrivals.setdefault(reference, at)
        return 201, shown

    def _look_up(self, query: dict[str, list[str]]) -> tuple[int, bytes]:
        held = self._taken.get(query.get("idempotencyKey", [""])[0].encode())
        return 200, b'{"referrals":[' + (held[1] if held else b"") + b"]}"


class Line(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, council: Council) -> None:
        self._council = council
        self._stream = Stream()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        assert self._transport is not None
        for message in self._stream.feed(data):
            self._transport.write(reply(*self._council.answer(message)))


async def serve() -> None:
    """Serve on a free port of this machine until told to stop."""
    loop = asyncio.get_running_loop()
    council = Council()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: Line(council), "127.0.0.1", 0, backlog=1024)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
