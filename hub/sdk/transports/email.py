"""E-mail with the answer page: the connector says to whom, and the hub itself sends a link that names nobody (R45)."""

from __future__ import annotations

import re
from typing import ClassVar

from hub.domain.answer import Level
from hub.domain.outcome import Delivered, Halt, Invite, Outcome, Rejected
from hub.sdk.connector import Connector, Context, Parcel
from hub.sdk.settings import Settings

#: One mailbox, and nothing that could begin another header.
MAILBOX = re.compile(r"(?=.{3,254}\Z)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")


class EmailSettings(Settings):
    """What partner IT fills in: the team's mailbox, where it is not the service's `address`."""

    mailbox: str = ""


class EmailConnector(Connector[EmailSettings]):
    """Base of every connector whose service reads its mail and answers on the hub's page; override `mailbox_of`.

    It sends nothing and reaches no host. The parcel stays in the hub: the page shows it to who proves the team's code.
    The hub sends only to an address that the partnership wrote down for the service.
    """

    settings_type: ClassVar[type[Settings]] = EmailSettings

    def mailbox_of(self, parcel: Parcel) -> str:
        """Return the mailbox that this parcel's link goes to."""
        return self.settings.mailbox or parcel.address

    async def check(self, context: Context) -> Outcome:
        """There is nothing to reach: a mailbox in the settings must look like one."""
        wrong = self.settings.mailbox and not MAILBOX.fullmatch(self.settings.mailbox)
        return Halt("mailbox-malformed") if wrong else Delivered(level=Level.L0)

    async def deliver(self, parcel: Parcel, context: Context) -> Outcome:
        """Ask the hub to invite the team; `Rejected` where what is named is not one mailbox."""
        mailbox = self.mailbox_of(parcel)
        return Invite(mailbox) if MAILBOX.fullmatch(mailbox) else Rejected("mailbox-malformed")

    async def reconcile(self, parcel: Parcel, context: Context) -> Outcome:
        """Invite again: the link is the same one, so a second e-mail harms nobody."""
        return await self.deliver(parcel, context)
