"""A front door with no form interface: the hub invites its mailbox, and it answers on the page."""

from __future__ import annotations

from hub.sdk.transports.email import EmailConnector


class FrontDoorByEmail(EmailConnector):
    """Invites the front door's mailbox; nothing leaves the hub but a link."""
