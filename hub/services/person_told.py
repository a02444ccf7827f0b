"""Person told: the trusted person records that the person heard what came of it, or could not be told (R37)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryState
from hub.domain.errors import Conflict, HubError, NotFound, Refusal
from hub.domain.status import ShareStatus, status
from hub.services.death import DIED
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import notice_row
from hub.services.withdraw import NOT_FOUND

STILL_OPEN = Refusal(
    "share-still-open",
    "Somebody still owes an answer.",
    "Wait for it, or write down what you heard by phone. Then record that you told the person.",
)


@dataclass(frozen=True, slots=True)
class PersonTold:
    """What the trusted person says: `told` is yes or could_not, `how` a code such as in_person.

    `attested` is what the partner says of the worker, as the log keeps it (R60).
    """

    share_id: str
    partner_id: str
    client_id: str
    told: str
    how: str
    business: datetime
    attested: Mapping[str, str] = field(default_factory=dict)


def person_told(tx: Transaction, items: Sequence[PersonTold]) -> list[HubError | None]:
    """Close each share whose services have all decided; saying it again changes nothing."""
    return [_one(tx, item) for item in items]


def _one(tx: Transaction, item: PersonTold) -> HubError | None:
    rows = tx.standings([item.share_id]).get(item.share_id, [])
    if not rows or rows[0]["partner_id"] != item.partner_id:
        return NotFound(NOT_FOUND)
    if rows[0]["died_at"] is not None:
        return Conflict(DIED)
    if _status(rows, told=True) is ShareStatus.OPEN:
        return Conflict(STILL_OPEN)
    if rows[0]["told_at"] is None or rows[0]["told"] != item.told:
        tx.mark_told(item.share_id, item.told, item.business)
        detail = {"told": item.told, "how": item.how, **item.attested}
        actor = f"client:{item.client_id}"
        tx.insert("audit_events", [audited(item.business, "person.told", actor, item.share_id, None, detail)])
    return None


def _status(rows: Sequence[Row], *, told: bool) -> ShareStatus:
    pairs = [(DeliveryState(row["state"]), AnswerState(row["answer_state"])) for row in rows]
    return status(pairs, ask=rows[0]["ask"], person_told=told, withdrawn=rows[0]["withdrawn_at"] is not None)


def is_answered(rows: Sequence[Row]) -> bool:
    """Tell whether every service of a share has decided, so that the person is owed the news."""
    return rows[0]["died_at"] is None and _status(rows, told=False) is ShareStatus.ANSWERED


@dataclass(frozen=True, slots=True)
class Remind:
    """Remind the senders of shares whose person may not have heard yet; at most `limit` in one transaction."""

    business: datetime
    wall: datetime
    limit: int = 500


def remind(tx: Transaction, items: Sequence[Remind]) -> list[int]:
    """Send each reminder once: a gentle notice to the case system, by which a worker may look again (R37)."""
    results = []
    for item in items:
        due = tx.due_reminders(item.business, item.limit)
        tx.end_reminders([row["id"] for row in due])
        tx.insert(
            "notices",
            [
                notice_row("webhook", "share.tell_the_person", row["client_id"], item.wall, share_id=row["id"])
                for row in due
            ],
        )
        tx.insert("audit_events", [audited(item.business, "person.reminder", "hub:clock", row["id"]) for row in due])
        if due:
            tx.nudge_notices()
        results.append(len(due))
    return results
