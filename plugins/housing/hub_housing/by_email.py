"""A housing team with no interface: the hub invites its mailbox, and it answers on the page (R63)."""

from __future__ import annotations

from hub.sdk.transports.email import EmailConnector


class DutyToReferByEmail(EmailConnector):
    """Invites the housing team's mailbox; nothing leaves the hub but a link."""
