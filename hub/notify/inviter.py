"""The inviter: sends a team its link when a connector asks for it, and says what became of the e-mail (R45)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.domain.answer import Level
from hub.domain.outcome import Delivered, Outcome, Rejected, RetryLater
from hub.notify import words
from hub.notify.mail import Mail, MailOutcome
from hub.notify.outcome import Refused, Sent
from hub.services.claim import Claimed
from hub.services.invite import Invited, MakeInvite, token_of
from hub.services.now import Now
from hub.services.ports import Vault


@dataclass(frozen=True, slots=True)
class Inviter:
    """Invites the team of one service: `agreed` are the addresses that may be written to, `lasts` a link's life.

    A mail server that took the e-mail proves L1 and no more: whether anybody read it, only the page can tell.
    `deadline` is how long one may take in all, so that it is settled before the lease of its delivery ends.
    """

    make: Callable[[MakeInvite], Awaitable[Invited]]
    send: Callable[[Mail], Awaitable[MailOutcome]]
    vault: Vault
    public_url: str
    now: Now
    agreed: frozenset[str]
    lasts: timedelta
    deadline: timedelta

    async def __call__(self, claimed: Claimed, address: str) -> Outcome:
        """Send the link of a claimed delivery; `Rejected` for an address that nobody agreed, or that is refused."""
        if address not in self.agreed:
            return Rejected("mailbox-not-agreed")
        wanted = MakeInvite(claimed.delivery_id, claimed.share_id, 0, address, self.now.wall(), self.lasts)
        invited = await self.make(wanted)
        said = words.invite(invited.reference, invited.expires_at, self._link(claimed))
        try:
            async with asyncio.timeout(self.deadline.total_seconds()):
                sent = await self.send(Mail(invited.id, address, said.subject, said.text, invited.created_at))
        except TimeoutError:
            return RetryLater("mail-timed-out")  # a second e-mail would hold the same link, under the same Message-ID
        return _outcome(sent)

    def _link(self, claimed: Claimed) -> str:
        return answer_link(self.public_url, self.vault, claimed.delivery_id, 0)


def answer_link(public_url: str, vault: Vault, delivery_id: str, number: int) -> str:
    """Return the address of the answer page for one delivery's link: random letters and nothing of anyone."""
    return f"{public_url.rstrip('/')}/answer/{token_of(vault, delivery_id, number)}"


def _outcome(sent: Any) -> Outcome:
    match sent:
        case Sent():
            return Delivered(level=Level.L1)
        case Refused(reason=reason):
            return Rejected(reason)
        case RetryLater() as later:
            return later
    raise TypeError("not what became of a mail")
