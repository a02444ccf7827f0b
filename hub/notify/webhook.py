"""Sending notices to case systems: a thin signed POST through the guarded client, and what its reply means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from hub.domain.outcome import RetryLater
from hub.notify.outcome import Gone, NoticeOutcome, Sent
from hub.sdk.connector import NoReply, NotSent, Response


@dataclass(frozen=True, slots=True)
class ThinNotice:
    """One notice as bytes of JSON that hold ids only; `id` stays the same on every try."""

    id: str
    body: bytes


class Outgoing(Protocol):
    """A guarded HTTP client, such as `hub.sdk.http.GuardedClient` made for the subscribed hosts."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float | None = None,
    ) -> Response:
        """Send one request; raises `NotSent` or `NoReply`."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a case system takes notices; `secrets` are those in use, all of which sign while one is rotated.

    `via` is its own client: one partner's hosts and networks are no way in for another's address (TH17).
    """

    url: str
    secrets: tuple[str, ...] = field(repr=False)
    via: Outgoing = field(repr=False)


class Sign(Protocol):
    """Makes the headers that prove a notice, as `hub.security.webhooks.sign_webhook` does."""

    def __call__(self, notice_id: str, body: bytes, active: Sequence[str], now: datetime) -> dict[str, str]:
        """Raises `ValueError` when a secret cannot sign."""


class WebhookSender:
    """Posts notices, each through its subscription's own client, which is closed by whoever made it."""

    def __init__(self, sign: Sign, seconds: float = 15.0) -> None:
        self._sign = sign
        self._seconds = seconds

    async def send(self, notice: ThinNotice, to: Subscription, now: datetime) -> NoticeOutcome:
        """Send one notice, signed at `now`; never raises for what the receiver or the network does.

        Every failure but 410 is tried again, as Standard Webhooks asks: a receiver that answers 4xx may be mid-change.
        """
        try:
            proof = self._sign(notice.id, notice.body, to.secrets, now)
        except ValueError:
            return RetryLater("cannot-sign")
        headers = {"content-type": "application/json", **proof}
        try:
            reply = await to.via.send("POST", to.url, headers=headers, content=notice.body, seconds=self._seconds)
        except NotSent as error:
            return RetryLater(error.reason)
        except NoReply as error:
            return RetryLater(f"no-reply:{error.reason}")
        return _meaning(reply, now)


def _meaning(reply: Response, now: datetime) -> NoticeOutcome:
    """2xx is taken; 410 ends it; anything else, redirects included, is tried again."""
    if 200 <= reply.status < 300:
        return Sent()
    if reply.status == 410:
        return Gone()
    asked = reply.headers.get("retry-after", "") if reply.status in (429, 503) else ""
    return RetryLater(f"status:{reply.status}", after=retry_after(asked, now))


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds from now that a Retry-After header asks for (RFC 9110 section 10.2.3), or None when it asks nothing."""
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
