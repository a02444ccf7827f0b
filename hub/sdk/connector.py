"""The connector contract, version 1: what a plugin implements and what the host hands it (architecture section 7)."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import pluggy

from hub.domain.answer import Answer, Level
from hub.domain.delivery import DeliveryKind
from hub.domain.outcome import InDoubt, Outcome
from hub.sdk.settings import Settings

#: Plugins for another major version are refused before import.
SDK_VERSION = "1"
PROJECT = "trusted-person-hub"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class Parcel:
    """The exact bytes for one delivery, and nothing about the person beside them.

    `idempotency_key` is a UUID that stays the same on every attempt; `case` is an opaque UUID shared by all parcels of
    one share to one service (BaRS X-Correlation-Id). `deadline` is POSIX seconds.
    """

    token: str
    kind: DeliveryKind
    attempt: int
    idempotency_key: str
    case: str
    body: bytes
    content_type: str
    address: str
    deadline: float


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What a partner sent us, after the hub has verified who it is from; header names are lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a partner's message means: which delivery, what it proves, what was said.

    `reference` names the delivery by our idempotency key, or by the receipt the partner gave us. `level` is the rung
    that the message itself proves when it holds no answer (a technical receipt). `look` says that the message says
    nothing by itself: something changed at the partner, and the hub collects now; its `reference` is then the receipt
    to look at, empty for all.
    """

    message_id: str
    reference: str
    level: Level | None = None
    answers: tuple[Answer, ...] = ()
    look: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """A partner's HTTP reply, read whole under a byte cap; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """Parse the body; raises `ValueError` on anything that is not JSON."""
        import json  # noqa: PLC0415 - a connector that never reads JSON should not pay for it

        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deep") from None


class Context(Protocol):
    """What the host lends a connector for one call."""

    @property
    def now(self) -> datetime:
        """The hub's wall time, UTC."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """The connection's secrets by the names its manifest gives."""

    @property
    def waiting(self) -> Sequence[str]:
        """While collecting: the receipts of what the partner has and may still answer; else nothing."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        starts: bool = True,
    ) -> Response:
        """Send one request through the guarded client and read the reply.

        `starts=True` reports that the parcel has left, before its first byte does; use False for what carries no
        parcel (a token, a look-up). Raises `NotSent` when no byte can have left and `NoReply` when one may have.
        """

    async def connect(self, url: str) -> socket.socket:
        """Open a TCP connection to an `sftp` URL's host, for a protocol that encrypts by itself.

        It goes through the same guards as `send`: only to a host of a setting in `hosts`, every address checked. The
        caller closes it. Raises `NotSent`.
        """

    async def start(self, size: int) -> None:
        """Report that a parcel of so many bytes is about to leave by a way that is not `send`, before its first byte.

        Raises `NotSent` when it is larger than `limits.body_bytes`.
        """

    @property
    def reply_bytes(self) -> int:
        """The most bytes that may be read of one thing of the partner's (`limits.reply_bytes`)."""


class NotSent(Exception):
    """No byte of the request left (refused address, no connection): safe to try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoReply(Exception):
    """The request may have arrived, and no whole reply came back."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


S = TypeVar("S", bound=Settings)


class Connector(Generic[S]):
    """Base of every connector: one instance a connection, made and used inside the host only.

    Exceptions mean a defect: before the start the parcel is tried again, after it the outcome is in doubt.
    """

    settings_type: ClassVar[type[Settings]] = Settings

    def __init__(self, settings: S) -> None:
        self.settings = settings

    async def check(self, context: Context) -> Outcome:
        """Say whether the connection works, without sending a parcel."""
        raise NotImplementedError

    async def deliver(self, parcel: Parcel, context: Context) -> Outcome:
        """Send the parcel and say what became of it."""
        raise NotImplementedError

    async def reconcile(self, parcel: Parcel, context: Context) -> Outcome:
        """Find out whether a parcel in doubt arrived: Delivered, RetryLater (it did not), or InDoubt still."""
        return InDoubt("cannot-reconcile")

    def parse_callback(self, request: CallbackRequest) -> Inbound:
        """Read a verified message from the partner; raise `ValueError` when it is not one of theirs."""
        raise NotImplementedError

    async def collect(self, context: Context) -> AsyncIterator[Inbound]:
        """Fetch what waits at the partner, for those that are polled."""
        nothing: tuple[Inbound, ...] = ()
        for inbound in nothing:
            yield inbound

    async def acknowledge(self, reference: str, context: Context) -> None:
        """Tell the partner that a collected message is safe, after the hub's commit."""


class Register(Protocol):
    """Called by a plugin with each connector it offers, by the id its manifest uses."""

    def __call__(self, connector_id: str, connector: type[Connector[Any]]) -> None: ...


class Hooks:
    """The hooks a plugin may implement; a hook never carries a share (TH06)."""

    @hookspec
    def register_connectors(self, register: Register) -> None:
        """Offer this plugin's connectors."""
