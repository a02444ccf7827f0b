"""Tell someone: the notices that wait to be sent to champions, operators and case systems; they never carry a story."""

from __future__ import annotations

from datetime import datetime
from os import urandom
from typing import Any

from hub.domain.digest import Pace
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
#: To the operator, once: a mail server will not have mail for one of the readers.
UNREADABLE = "mailbox.refused"
#: One mail for what became due for a reader together; the last that this hour has room for; and the one that says that
#: what could not be reached can be again. What is in it are the notices that bear its id.
DIGEST, LAST_DIGEST, OUTAGE_ENDED = "digest", "digest.last", "outage.ended"
DIGESTS = frozenset({DIGEST, LAST_DIGEST, OUTAGE_ENDED})
#: The topic of a webhook that says that a service has answered.
ANSWERED = "delivery.answered"

#: What may go together with other mail (TH15); all else goes by itself, and at once. Topics of alerts, but for an asked
#: team's, and what an operator puts right.
_TOGETHER = frozenset(
    {
        *("alert.unanswered", "alert.undelivered", "alert.early", "alert.signposted", "alert.uncollected"),
        *("alert.away", "alert.left", "alert.passed_on", "alert.escalated", "alert.informed", "alert.taken_over"),
        *("alert.woken", "alert.still_open", "alert.unsent", "dead_lettered", "in_doubt", "webhook.gone"),
        *("message_refused", "share.sent_on", "share.handover"),
    }
)


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
    pressing: bool = False,
) -> Row:
    """Return one notice, due now: `channel` is email or webhook, `recipient` an id, never an address (R45).

    What is `pressing`, such as of an urgent share or of somebody at risk, waits for no other.
    """
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
        "pace": Pace.TOGETHER if channel == "email" and topic in _TOGETHER and not pressing else Pace.NOW,
        "digest_id": None,
    }
    return row
