"""What the host lends a connector for one call: the time, the secrets, and the guarded way out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from hub.sdk.connector import NotSent, Response
from hub.sdk.http import GuardedClient


class CallContext:
    """One call's `Context`; it stops working when the call is over, so that nothing leaves behind the hub's back.

    `deadline` is POSIX seconds. `report` tells the courier that the first byte is about to leave; None where the call
    carries no parcel.
    """

    def __init__(
        self,
        client: GuardedClient,
        secrets: Mapping[str, str],
        deadline: float,
        report: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
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

    async def _start(self) -> None:
        if not self.started and self._report is not None:
            self.started = True  # before the report: should that fail, the parcel counts as gone
            await self._report()
