"""Tell someone: the notices that wait to be sent to champions, operators and case systems; they never carry a story."""

from __future__ import annotations

from datetime import datetime
from os import urandom
from typing import Any

from hub.services.ports import Row

#: Who looks after the hub; a champion's id is never this one.
OPERATOR = "operator"

#: To the sender's champion: a worker is not sure that someone could decide today (R12).
LOOK_TOGETHER = "look_together"
#: To the partnership's senior contact alone: ring whoever recorded a stop, in private. It says no more, for whatever
#: is in a notice's row may be read by many (R15).
RING_IN_PRIVATE = "ring_in_private"
#: A new link to the answer page, for the team whose mailbox is on file; the recipient is `invite:` and the link's id.
INVITE = "invite"
#: To the operator: a team said on its page that this should not have come to it, and switched the link off.
WRONG_TEAM = "wrong_team"
#: The topic of a webhook that says that a service has answered.
ANSWERED = "delivery.answered"


def champion_of(partner_id: str) -> str:
    """Return the recipient that stands for whoever is champion of a partner when the notice goes (R50)."""
    return f"champion:{partner_id}"


def notice_row(  # noqa: PLR0913 - a notice is made of ids alone
    channel: str,
    topic: str,
    recipient: str,
    wall: datetime,
    *,
    share_id: str | None = None,
    delivery_id: str | None = None,
    alert_id: str | None = None,
    connection_id: str | None = None,
    ring_id: str | None = None,
    service_id: str | None = None,
) -> Row:
    """Return one notice, due now: `channel` is email or webhook, `recipient` an id, never an address (R45)."""
    row: dict[str, Any] = {
        "id": urandom(16).hex(),
        "channel": channel,
        "topic": topic,
        "recipient": recipient,
        "share_id": share_id,
        "delivery_id": delivery_id,
        "alert_id": alert_id,
        "connection_id": connection_id,
        "ring_id": ring_id,
        "service_id": service_id,
        "state": "queued",
        "created_at": wall,
        "due_at": wall,
        "attempt": 0,
    }
    return row
