"""The floor: what any careful Python service must do for a share, and nothing that makes the hub a hub.

It checks a share's shape, commits it in a group to SQLite as safely as the hub does, posts it to the same partner, and
commits the outcome in a group. It knows no consent, minimising, mapping, encryption, audit, clocks or isolation; it
is no product, only what the hub is held against.

Run as `floor.py PORT PARTNER_URL DATABASE`.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pysqlite3
import uvicorn
from fastapi import FastAPI
from httpx_aiohttp import HttpxAiohttpClient
from pydantic import BaseModel

_IN_FLIGHT = 16  # as many as the housing connector's manifest allows
_INSERT = "INSERT INTO floor (id, body, state) VALUES (?, ?, 'queued')"
_SETTLE = "UPDATE floor SET state = 'delivered' WHERE id = ?"


class Said(BaseModel):
    """Who said it, how and when."""

    by: str
    how: str
    on: str


class Section(BaseModel):
    """A labelled part."""

    id: str
    category: str
    fields: dict[str, Any] = {}
    text: str = ""
    said: Said | None = None
    words_checked: bool = False


class Consent(BaseModel):
    """A grant."""

    reference: str
    service: str
    categories: list[str]
    purpose: str
    agreed: dict[str, Any]
    until: str
    returns: list[str]
    may_see_other_recipients: bool
    location_ok: bool
    facts: dict[str, Any]


class Share(BaseModel):
    """The shape of a share."""

    reference: str
    person: dict[str, str]
    trusted_person: dict[str, Any]
    choice: dict[str, Any]
    ask: str
    urgent: bool
    at_risk_now: bool
    three_of_five: str
    like_a_hand: bool
    sections: list[Section]
    consents: list[Consent]


class Writer:
    """One thread that commits whatever waits in one transaction, then tells the loop once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[tuple[str, tuple[Any, ...], asyncio.Future[None]]] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, daemon=True).start()

    async def run(self, sql: str, values: tuple[Any, ...]) -> None:
        """Run one statement and return once it is committed."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((sql, values, future))
        await future

    def _run(self) -> None:
        database = pysqlite3.connect(self._path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE floor (id TEXT PRIMARY KEY, body BLOB, state TEXT) WITHOUT ROWID")
        while True:
            batch = [self._queue.get()]
            while len(batch) < 256:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            database.execute("BEGIN IMMEDIATE")
            for sql in (_INSERT, _SETTLE):
                database.executemany(sql, [values for wanted, values, _ in batch if wanted is sql])
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_tell, [future for _, _, future in batch])


def _tell(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


def create_app(partner: str, path: str) -> FastAPI:
    """Return the app."""
    waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    holder: dict[str, Writer] = {}

    async def send(client: HttpxAiohttpClient, token: str) -> None:
        while True:
            key, body = await waiting.get()
            headers = {"authorization": token, "idempotency-key": key, "content-type": "application/json"}
            reply = await client.post(f"{partner}/referrals", content=body, headers=headers)
            reply.raise_for_status()
            settling.add(settled := asyncio.create_task(holder["writer"].run(_SETTLE, (key,))))
            settled.add_done_callback(settling.discard)

    settling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        holder["writer"] = Writer(path)
        limits = httpx.Limits(max_connections=_IN_FLIGHT, max_keepalive_connections=_IN_FLIGHT)
        async with HttpxAiohttpClient(limits=limits, trust_env=False) as client:
            form = {"grant_type": "client_credentials"}
            reply = await client.post(f"{partner}/oauth/token", data=form)
            token = f"Bearer {reply.raise_for_status().json()['access_token']}"
            senders = [asyncio.create_task(send(client, token)) for _ in range(_IN_FLIGHT)]
            yield
            for each in senders:
                each.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/shares", status_code=202)
    async def accept(share: Share) -> dict[str, str]:
        key = str(uuid.uuid4())
        body = orjson.dumps(share.model_dump() | {"referenceNumber": key})
        await holder["writer"].run(_INSERT, (key, body))
        waiting.put_nowait((key, body))
        return {"reference": key}

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {}

    return app


if __name__ == "__main__":
    port, partner_url, database_path = sys.argv[1:]
    uvicorn.run(
        create_app(partner_url, database_path),
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
