"""The mailbox connector: the hub invites a team by e-mail, and the team answers on the hub's page (R64, R75)."""

from __future__ import annotations

from hub import sdk
from hub.sdk.transports.email import EmailConnector


@sdk.hookimpl
def register_connectors(register: sdk.Register) -> None:
    """Offer the connector under the id that the manifest uses."""
    register("answer-page", EmailConnector)
