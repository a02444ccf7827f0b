"""What the host lends a connector for one call: the time, the secrets, and the guarded way out."""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from hub.sdk.connector import NotSent, Response
from hub.sdk.http import GuardedClient
from hub.sdk.tcp import connect


class CallContext:
    """One call's `Context`; it stops working when the call is over, so that nothing leaves behind the hub's back.

    `deadline` is POSIX seconds. `report` tells the courier that the first byte is about to leave; None where the call
    carries no parcel. `waiting` holds, while collecting, the receipts of what may still be answered.
    """

    def __init__(
        self,
        client: GuardedClient,
        secrets: Mapping[str, str],
        deadline: float,
        report: Callable[[], Awaitable[None]] | None = None,
        waiting: Sequence[str] = (),
    ) -> None:
        self.waiting = waiting
        self._client = client
        self._secrets = secrets
        self._deadline = deadline
        self._report = report
        self.started = False
        self.over = False

    @property
    def now(self) -> datetime:
        """The hub's wall time, UTC."""
        return datetime.now(UTC)

    @property
    def secrets(self) -> Mapping[str, str]:
        """The connection's secrets by the names its manifest gives."""
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
        """Send one request through the guarded client: see `hub.sdk.connector.Context.send`."""
        if self.over:
            raise NotSent("call-over")
        return await self._client.send(
            method,
            url,
            headers=headers,
            content=content,
            seconds=self._deadline - time.time(),
            on_start=self._start if starts and self._report is not None else None,
        )

    async def connect(self, url: str) -> socket.socket:
        """Open a guarded TCP connection: see `hub.sdk.connector.Context.connect`."""
        if self.over:
            raise NotSent("call-over")
        return await connect(self._client.reach, url, self._deadline - time.time(), self._client.lend)

    async def start(self, size: int) -> None:
        """Report a parcel that leaves by another way than `send`: see `hub.sdk.connector.Context.start`."""
        if self.over:
            raise NotSent("call-over")
        if size > self._client.reach.body_bytes:
            raise NotSent("body-too-large")
        if self._deadline <= time.time():
            raise NotSent("deadline-passed")
        await self._start()

    @property
    def reply_bytes(self) -> int:
        """The most bytes that may be read of one thing of the partner's."""
        return self._client.reach.reply_bytes

    async def _start(self) -> None:
        if not self.started and self._report is not None:
            self.started = True  # before the report: should that fail, the parcel counts as gone
            await self._report()
