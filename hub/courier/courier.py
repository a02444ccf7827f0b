"""The courier of one connection: claims what is due, hands it to the host, and settles what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import structlog

from hub.courier.deaths import treatment
from hub.courier.host_process import HostBroken, HostProcess, HostResult
from hub.courier.incarnation import HostDied
from hub.domain.answer import Level
from hub.domain.delivery import DeliveryKind
from hub.domain.errors import Unavailable
from hub.domain.outcome import Delivered, Halt, InDoubt, Outcome, Rejected, RetryLater
from hub.sdk.connector import CallbackRequest, Inbound, Parcel
from hub.services.claim import Claim, Claimed, claim
from hub.services.now import Now
from hub.services.pack import place
from hub.services.ports import Vault
from hub.services.read_inbox import ReadInbox, Unread, give_up_reading, read_inbox
from hub.services.respond import Response
from hub.services.settle import Died, Settlement

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")

#: No claim takes more than this at once, so that one connection cannot fill the writer's batch.
_MOST = 128


class Run(Protocol):
    """Runs a verb in the writer and waits for its commit."""

    def __call__(self, verb: Callable[[Any, Sequence[T]], Sequence[R]], item: T) -> Awaitable[R]: ...


@dataclass(frozen=True, slots=True)
class Verbs:
    """The verbs that need a vault, bound once by bootstrap, so that items of one verb share a transaction."""

    settle: Callable[[Any, Sequence[Settlement]], Sequence[bool]]
    respond: Callable[[Any, Sequence[Response]], Sequence[bool]]


class Courier:
    """Feeds one host. It never claims more than the host has free slots for, so a slow partner fills only its own.

    `deadline` is how long one parcel may take, `capacity` how many the host carries at once; `asks_only` as in `Claim`.
    `proves` is the highest rung that its manifest names: the connector's own word counts no higher.
    """

    def __init__(  # noqa: PLR0913 - what the composition root hands it
        self,
        connection_id: str,
        host: HostProcess,
        run: Run,
        verbs: Verbs,
        vault: Vault,
        now: Now,
        deadline: timedelta,
        capacity: int,
        *,
        asks_only: bool,
        proves: Level = Level.L4,
    ) -> None:
        self.connection_id = connection_id
        self._host = host
        self._run = run
        self._verbs = verbs
        self._vault = vault
        self._now = now
        self._deadline = deadline
        self._wake = asyncio.Event()
        self._capacity = capacity
        self._asks_only = asks_only
        self._proves = proves
        self._carrying = 0
        self._sending: set[asyncio.Task[None]] = set()
        self._may_be_more = False
        self._may_be_unread = False

    def nudge(self) -> None:
        """Look for due parcels and unread messages now; any number of nudges are one look."""
        self._may_be_unread = True
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled; parcels in flight are then left to their leases."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    if self._may_be_unread:  # a slot that came free says nothing of the inbox
                        self._may_be_unread = False
                        await self._read_inbox()
                    await self._claim()
                except Exception as error:  # noqa: BLE001 - the loop's boundary: the rows stay due, the poll nudges again
                    log.error("courier.look_failed", connection=self.connection_id, error=type(error).__name__)
        finally:
            for sending in self._sending:
                sending.cancel()
            await self._host.close()

    async def _claim(self) -> None:
        while (free := min(self._capacity - self._carrying, _MOST)) > 0:
            wanted = Claim(
                self.connection_id, free, self._now.wall(), self._now.business(), self._deadline, self._asks_only
            )
            claimed = await self._run(claim, wanted)
            self._carrying += len(claimed)
            for each in claimed:
                sending = asyncio.create_task(self._send(each))
                self._sending.add(sending)
                sending.add_done_callback(self._sent)
            self._may_be_more = len(claimed) == free
            if not self._may_be_more:
                break

    def _sent(self, sending: asyncio.Task[None]) -> None:
        self._sending.discard(sending)
        if not sending.cancelled() and (error := sending.exception()) is not None:
            # The lease runs out and the sweep puts the parcel in doubt: nothing is lost, and nothing is sent blindly.
            log.error("courier.send_failed", connection=self.connection_id, error=type(error).__name__)

    async def _send(self, claimed: Claimed) -> None:
        try:
            outcome, started = await self._carry(claimed)
        finally:
            self._carrying -= 1
            if self._may_be_more:
                self._wake.set()
        settlement = Settlement(
            claimed.delivery_id,
            claimed.attempt,
            outcome,
            self._now.wall(),
            self._now.business(),
            random.random(),  # noqa: S311 - jitter, not a secret
            started,
        )
        if not await self._run(self._verbs.settle, settlement):
            log.info("courier.settled_already", connection=self.connection_id, delivery=claimed.delivery_id)

    async def _carry(self, claimed: Claimed) -> tuple[Outcome | Died, bool]:
        """Return what became of a parcel, and whether a byte of it may have left."""
        how = treatment(claimed.deaths)
        # What is in doubt is asked about, never sent blindly and never given up, however often its host died.
        if claimed.in_doubt:
            carry = self._host.reconcile if how == "normal" else self._host.reconcile_alone
        elif how == "give_up":
            return Rejected("host-died-again"), False
        else:
            carry = self._host.deliver_alone if how == "alone" else self._host.deliver
        match await carry(self._parcel(claimed)):
            case HostResult(outcome=outcome, started=started):
                if isinstance(outcome, Delivered):
                    outcome = replace(outcome, level=min(outcome.level, self._proves))
                return outcome, started
            case HostDied(started=False, why=("idle" | "closed")) if claimed.in_doubt:
                return InDoubt("host-closed"), False  # to try later would say that it had not arrived
            case HostDied(started=False, why=("idle" | "closed")):
                return RetryLater("host-closed", counts=False), False
            case HostDied(started=started):
                return Died(started), started
            case HostBroken(reason=reason):
                return Halt(reason), False

    def _parcel(self, claimed: Claimed) -> Parcel:
        data_key = self._vault.unwrap(claimed.data_key)
        return Parcel(
            token=f"{claimed.delivery_id}.{claimed.attempt}",
            kind=DeliveryKind(claimed.kind),
            attempt=claimed.attempt,
            idempotency_key=claimed.key,
            case=claimed.case,
            body=data_key.open(claimed.parcel, place("deliveries", "parcel", claimed.delivery_id)),
            content_type=claimed.content_type,
            address=claimed.address,
            deadline=time.time() + self._deadline.total_seconds(),
        )

    async def _read_inbox(self) -> None:
        """Have the host read what the partner sent, one after another; one that cannot be kept stops no other."""
        while unread := await self._run(
            read_inbox, ReadInbox(self.connection_id, 50, self._now.wall(), self._deadline)
        ):
            for message in unread:
                try:
                    await self._respond(message)
                except Unavailable:
                    raise  # the store's trouble and not the message's: each lease runs out, and all are read again
                except Exception as error:  # noqa: BLE001 - one message's boundary: those behind it are not its fault
                    log.error("courier.message_failed", connection=self.connection_id, error=type(error).__name__)
                    await self._run(give_up_reading, message.failed("cannot-be-kept", self._now.wall()))

    async def _respond(self, message: Unread) -> None:
        data_key = self._vault.unwrap(message.data_key)
        request = CallbackRequest(*message.open(data_key))
        read = await self._host.parse(request)
        if isinstance(read, Inbound):
            if read.level is not None:
                read = replace(read, level=min(read.level, self._proves))
            wall, business = self._now.wall(), self._now.business()
            response = Response(message.id, self.connection_id, read, wall, business, message.received, message.attempt)
            await self._run(self._verbs.respond, response)
        else:
            await self._run(give_up_reading, message.failed(read.code, self._now.wall()))
