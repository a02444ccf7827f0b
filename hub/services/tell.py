"""Tell someone: the notices that wait to be sent to champions, operators and case systems; they never carry a story."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from hub.services.ports import Row

#: Who looks after the hub; a champion's id is never this one.
OPERATOR = "operator"


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
) -> Row:
    """Return one notice, due now: `channel` is email or webhook, `recipient` an id, never an address (R45)."""
    row: dict[str, Any] = {
        "id": uuid4().hex,
        "channel": channel,
        "topic": topic,
        "recipient": recipient,
        "share_id": share_id,
        "delivery_id": delivery_id,
        "alert_id": alert_id,
        "connection_id": connection_id,
        "state": "queued",
        "created_at": wall,
        "due_at": wall,
        "attempt": 0,
    }
    return row
