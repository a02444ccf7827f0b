"""The notifier: sends due notices, to champions by email and to case systems by signed webhook, and settles them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog

from hub.notify.mail import Mail
from hub.notify.outcome import Gone, NoticeOutcome, Refused, RetryLater, Sent, wait_after
from hub.notify.webhook import Subscription, ThinNotice
from hub.services.now import Now
from hub.services.ports import Row
from hub.services.settle_notices import ClaimNotices, NoticeSettlement, claim_notices, settle_notices

log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=60)
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Composed:
    """A notice made ready to send: a mail, a webhook, or nothing when nobody subscribed."""

    mail: Mail | None = None
    webhook: ThinNotice | None = None
    subscription: Subscription | None = None


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

    def __init__(
        self,
        run: Run,
        compose: Callable[[Row], Awaitable[Composed]],
        mailer: SendMail,
        webhooks: SendWebhook,
        now: Now,
    ) -> None:
        self._run = run
        self._compose = compose
        self._mailer = mailer
        self._webhooks = webhooks
        self._now = now
        self._wake = asyncio.Event()

    def nudge(self) -> None:
        """Look for due notices now."""
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled; what was being sent then is due again when its lease ends."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while await self._round():
                    pass
            except Exception as error:  # noqa: BLE001 - the loop's boundary: the rows stay due
                log.error("notifier.round_failed", error=type(error).__name__)

    async def _round(self) -> bool:
        wall = self._now.wall()
        notices = await self._run(claim_notices, ClaimNotices(_AT_ONCE, wall, wall + _LEASE))
        if not notices:
            return False
        await asyncio.gather(*(self._send(notice) for notice in notices))
        return len(notices) == _AT_ONCE

    async def _send(self, notice: Row) -> None:
        composed = await self._compose(notice)
        outcome: NoticeOutcome
        if composed.mail is not None:
            outcome = await self._mailer.send(composed.mail)
        elif composed.webhook is not None and composed.subscription is not None:
            outcome = await self._webhooks.send(composed.webhook, composed.subscription, self._now.wall())
        else:
            outcome = Refused("nobody-subscribed")
        await self._run(settle_notices, self._settlement(notice, outcome))

    def _settlement(self, notice: Row, outcome: NoticeOutcome) -> NoticeSettlement:
        wall = self._now.wall()
        match outcome:
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
                return NoticeSettlement(notice, "dead_lettered", wall, "gone")
