"""The probation office that a person named: the hub invites its mailbox, and it answers on the page in codes (R72)."""

from __future__ import annotations

from hub.sdk.transports.email import EmailConnector


class Office(EmailConnector):
    """Invites the office's mailbox; nobody is looked up, and nothing leaves the hub but a link."""
