"""The courier of one connection: claims what is due, hands it to the host, and settles what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog

from hub.courier.collecting import kept, read_already
from hub.courier.deaths import treatment
from hub.courier.host_process import CollectError, HostBroken, HostProcess, HostResult
from hub.courier.incarnation import HostDied
from hub.domain.answer import Level
from hub.domain.delivery import DeliveryKind
from hub.domain.errors import Unavailable
from hub.domain.outcome import Delivered, Halt, InDoubt, Invite, Outcome, Rejected, RetryLater
from hub.sdk.connector import CallbackRequest, Inbound, Parcel
from hub.services.claim import Claim, Claimed, claim
from hub.services.follow_up import FollowUps
from hub.services.now import Now
from hub.services.pack import place
from hub.services.ports import Vault
from hub.services.read_inbox import Looked, ReadInbox, Unread, give_up_reading, looked, read_inbox
from hub.services.receive import Message, receive
from hub.services.respond import Response, respond
from hub.services.settle import Died, Settlement, settle
from hub.services.waiting import Waiting, waiting

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")

#: No claim takes more than this at once, so that one connection cannot fill the writer's batch.
_MOST = 128


class Run(Protocol):
    """Runs a verb in the writer and waits for its commit."""

    def __call__(self, verb: Callable[[Any, Sequence[T]], Sequence[R]], item: T) -> Awaitable[R]: ...


#: Sends a claimed delivery's link to an address, and says what became of the e-mail.
SendInvite = Callable[[Claimed, str], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Verbs:
    """The verbs that need a vault, bound once by bootstrap, so that items of one verb share a transaction."""

    settle: Callable[[Any, Sequence[Settlement]], Sequence[bool]]
    respond: Callable[[Any, Sequence[Response]], Sequence[bool]]
    receive: Callable[[Any, Sequence[Message]], Sequence[Any]]
    waiting: Callable[[Any, Sequence[Waiting]], Sequence[tuple[str, ...]]]
    invite: SendInvite | None = None  #: none: the service has no answer page, and an invite is refused

    @classmethod
    def bound(cls, vault: Vault, follow_ups: FollowUps | None = None) -> Verbs:
        """Bind the hub's own verbs to its vault, and to what tells a service of its own answer (R21, R35)."""
        return cls(
            partial(settle, vault=vault, follow_ups=follow_ups),
            partial(respond, vault=vault, follow_ups=follow_ups),
            partial(receive, vault=vault),
            partial(waiting, vault=vault),
        )


class Courier:
    """Feeds one host. It never claims more than the host has free slots for, so a slow partner fills only its own.

    `may_send` tells, before each claim, whether people have looked at the service's entry (TH20).
    `deadline` is how long one parcel may take, `capacity` how many the host carries at once; `asks_only` as in `Claim`.
    `proves` is the highest rung that its manifest names: the connector's own word counts no higher. `polls` is how
    often the partner is asked what waits there; None for one that is never asked.
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
        polls: timedelta | None = None,
        may_send: Callable[[], bool] = lambda: True,
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
        self._polls = polls
        self._hurried = asyncio.Event()
        self._may_send = may_send
        self._carrying = 0
        self._sending: set[asyncio.Task[None]] = set()
        self._may_be_more = False
        self._may_be_unread = False

    def nudge(self) -> None:
        """Look for due parcels and unread messages now; any number of nudges are one look."""
        self._may_be_unread = True
        self._wake.set()

    def hurry(self) -> None:
        """Ask the partner for what waits there now, not when its interval is over."""
        self._hurried.set()

    async def run(self) -> None:
        """Serve until cancelled; parcels in flight are then left to their leases."""
        polling = asyncio.create_task(self._poll(self._polls)) if self._polls is not None else None
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
            for sending in (*self._sending, *([polling] if polling is not None else [])):
                sending.cancel()
            await self._host.close()

    async def _poll(self, every: timedelta) -> None:
        while True:
            try:
                await self.collect()
            except CollectError as broken:
                log.warning("courier.collect_failed", connection=self.connection_id, reason=str(broken))
            except Exception as error:  # noqa: BLE001 - the loop's boundary: what waits there is asked for again
                log.error("courier.collect_failed", connection=self.connection_id, error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurried.wait(), every.total_seconds())
            self._hurried.clear()

    async def collect(self, receipt: str = "") -> int:
        """Fetch what waits at the partner; each is acknowledged there after it is kept here. Returns how many were.

        With `receipt`, only what the partner knows by it is looked at, where it is asked about each. Raises
        `CollectError` where the partner could not be asked; what came before that is kept.
        """
        about = (receipt,) if receipt else await self._run(self._verbs.waiting, Waiting(self.connection_id))
        count = 0
        async for inbound in self._host.collect(about):
            await self._run(self._verbs.receive, kept(self.connection_id, inbound, self._vault, self._now.wall()))
            await self._host.acknowledge(inbound.message_id)
            count += 1
        if count:
            self.nudge()
        return count

    async def _claim(self) -> None:
        while (free := min(self._capacity - self._carrying, _MOST)) > 0 and self._may_send():
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
                if isinstance(outcome, Invite):
                    # Where the e-mail is in doubt too: whoever has the link could read what it opens.
                    outcome, started = await self._invite(claimed, outcome.address), True
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

    async def _invite(self, claimed: Claimed, address: str) -> Outcome:
        if self._verbs.invite is None:
            return Rejected("no-answer-page")
        return await self._verbs.invite(claimed, address)

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
        read = read_already(request.headers, request.body) or await self._host.parse(request)
        if isinstance(read, Inbound) and read.look:
            await self._look(message, read.reference)
        elif isinstance(read, Inbound):
            if read.level is not None:
                read = replace(read, level=min(read.level, self._proves))
            wall, business = self._now.wall(), self._now.business()
            response = Response(message.id, self.connection_id, read, wall, business, message.received, message.attempt)
            await self._run(self._verbs.respond, response)
        else:
            await self._run(give_up_reading, message.failed(read.code, self._now.wall()))

    async def _look(self, message: Unread, receipt: str) -> None:
        """Look at the partner because it says that something changed; where it cannot be asked, look again later."""
        try:
            await self.collect(receipt)
        except CollectError as broken:
            log.warning("courier.collect_failed", connection=self.connection_id, reason=str(broken))
            await self._run(give_up_reading, message.failed("cannot-be-asked", self._now.wall()))
        else:
            await self._run(looked, Looked(message.id, self._now.wall()))
