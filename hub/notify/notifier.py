"""The notifier: sends due notices, to champions by email, to case systems by webhook or file, and settles them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from hub.domain.digest import Gathering
from hub.notify.drop import Drop
from hub.notify.mail import Mail
from hub.notify.outcome import Gone, NoticeOutcome, Refused, RetryLater, Sent, wait_after
from hub.notify.webhook import Subscription, ThinNotice
from hub.services.now import Now
from hub.services.ports import Row
from hub.services.settle_notices import (
    GONE,
    NOBODY,
    ClaimNotices,
    NoticeSettlement,
    claim_notices,
    settle_notices,
)
from hub.services.tell import OPERATOR

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Lane:
    """One channel's own way out: a mail server that is slow keeps no webhook waiting, nor the other way round.

    `lease` outlives the sending of all that is claimed `at_once`: nothing is sent by two at a time.
    """

    channel: str
    at_once: int
    lease: timedelta
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    sending: set[asyncio.Task[None]] = field(default_factory=set)
    may_be_more: bool = False


#: Mails go one after another over one connection, each of its steps waiting for the server.
_MAILS, _MAIL_LEASE = 4, timedelta(minutes=10)
_WEBHOOKS, _WEBHOOK_LEASE = 32, timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Composed:
    """A notice made ready to send: a mail, a webhook or a file, or nothing when nobody subscribed."""

    mail: Mail | None = None
    webhook: ThinNotice | None = None
    subscription: Subscription | Drop | None = None
    #: Whether it says only that an answer waits for somebody who is not here: then nothing was fetched by it (R07).
    waits: bool = False


class SendMail(Protocol):
    """Sends one mail and says what became of it."""

    async def send(self, mail: Mail) -> NoticeOutcome: ...


class SendWebhook(Protocol):
    """Posts one notice and says what became of it."""

    async def send(self, notice: ThinNotice, to: Subscription, now: Any) -> NoticeOutcome: ...


class Run(Protocol):
    """Runs a verb in the writer and waits for its commit."""

    def __call__(self, verb: Callable[[Any, Sequence[Any]], Sequence[Any]], item: Any) -> Awaitable[Any]: ...


class Notifier:
    """Takes notices under a lease, sends them side by side, and keeps what became of each."""

    def __init__(  # noqa: PLR0913 - what a notifier is made of
        self,
        run: Run,
        compose: Callable[[Row], Awaitable[Composed]],
        mailer: SendMail,
        webhooks: SendWebhook,
        now: Now,
        gathering: Gathering | None = None,
    ) -> None:
        self._gathering = gathering
        self._run = run
        self._compose = compose
        self._mailer = mailer
        self._webhooks = webhooks
        self._now = now
        self._lanes = (_Lane("email", _MAILS, _MAIL_LEASE), _Lane("webhook", _WEBHOOKS, _WEBHOOK_LEASE))

    def nudge(self) -> None:
        """Look for due notices now."""
        for lane in self._lanes:
            lane.wake.set()

    async def run(self) -> None:
        """Serve until cancelled; what was being sent then is due again when its lease ends."""
        try:
            await asyncio.gather(*(self._serve(lane) for lane in self._lanes))
        finally:
            for lane in self._lanes:
                for sending in lane.sending:
                    sending.cancel()

    async def _serve(self, lane: _Lane) -> None:
        while True:
            await lane.wake.wait()
            lane.wake.clear()
            try:
                await self._fill(lane)
            except Exception as error:  # noqa: BLE001 - the loop's boundary: the rows stay due
                log.error("notifier.round_failed", channel=lane.channel, error=type(error).__name__)

    async def _fill(self, lane: _Lane) -> None:
        """Take no more than there are free slots for; whatever is sent makes room for the next."""
        lane.may_be_more = True
        while lane.may_be_more and (free := lane.at_once - len(lane.sending)) > 0:
            wall = self._now.wall()
            wanted = ClaimNotices(lane.channel, free, wall, wall + lane.lease, self._gathering)
            notices = await self._run(claim_notices, wanted)
            lane.may_be_more = len(notices) == free
            for notice in notices:
                sending = asyncio.create_task(self._send(notice))
                lane.sending.add(sending)
                sending.add_done_callback(partial(self._sent, lane))

    def _sent(self, lane: _Lane, sending: asyncio.Task[None]) -> None:
        lane.sending.discard(sending)
        if lane.may_be_more:
            lane.wake.set()
        if not sending.cancelled() and (error := sending.exception()) is not None:
            # It is sent again once its lease ends, under the same id.
            log.error("notifier.send_failed", channel=lane.channel, error=type(error).__name__)

    async def _send(self, notice: Row) -> None:
        composed = await self._compose(notice)
        settlement = replace(self._settlement(notice, await self._went(composed)), waits=composed.waits)
        await self._run(settle_notices, settlement)
        if settlement.state == "dead_lettered" and notice["recipient"] == OPERATOR:
            # Nobody is left to write to: whoever reads the log must hear of it.
            log.error(
                "notifier.operator_not_told", notice=notice["id"], topic=notice["topic"], reason=settlement.reason
            )

    async def _went(self, composed: Composed) -> NoticeOutcome | None:
        """Send what was composed, each its own way; None where there is nobody to send it to."""
        match composed:
            case Composed(mail=Mail() as mail):
                return await self._mailer.send(mail)
            case Composed(webhook=ThinNotice() as thin, subscription=Drop() as drop):
                return await drop.leave(thin)
            case Composed(webhook=ThinNotice() as thin, subscription=Subscription() as to):
                return await self._webhooks.send(thin, to, self._now.wall())
        return None

    def _settlement(self, notice: Row, outcome: NoticeOutcome | None) -> NoticeSettlement:
        wall = self._now.wall()
        match outcome:
            case None:
                return NoticeSettlement(notice, "cancelled", wall, NOBODY)
            case Sent():
                return NoticeSettlement(notice, "sent", wall, None)
            case RetryLater(reason=reason):
                wait = wait_after(notice["attempt"] + 1, outcome)
                if wait is None:
                    return NoticeSettlement(notice, "dead_lettered", wall, reason)
                return NoticeSettlement(notice, "retrying", wall + wait, reason)
            case Refused(reason=reason):
                return NoticeSettlement(notice, "dead_lettered", wall, reason)
            case Gone():
                return NoticeSettlement(notice, "dead_lettered", wall, GONE)
