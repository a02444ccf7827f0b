"""Tell that a consent ends soon: once, to the case system of a share that somebody is still busy with (R16)."""

from __future__ import annotations

from datetime import datetime

from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryState
from hub.domain.status import FINAL
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import notice_row

ENDING = "consent.ending"


def tell_ending(tx: Transaction, business: datetime, until: datetime, wall: datetime, limit: int) -> None:
    """Queue a notice for each living consent that ends by `until`, unless nothing of its share is open any more.

    At most `limit` are looked at, each once: what was closed by then needs no new agreement.
    """
    rows = tx.ending_consents(business, until, limit)
    if not rows:
        return
    tx.mark_ending_told([row["id"] for row in rows], business)
    still = list({row["id"]: row for row in rows if _is_open(row)}.values())  # one that was sent again has two rows
    notices = [
        notice_row("webhook", ENDING, row["client_id"], wall, share_id=row["share_id"], delivery_id=row["delivery_id"])
        for row in still
    ]
    tx.insert("notices", notices)
    tx.insert("audit_events", [_audit(row, business) for row in still])
    if notices:
        tx.nudge_notices()


def _is_open(row: Row) -> bool:
    """Something of it is under way, or it waits for a champion: an update may still be wanted, and would be refused."""
    if row["delivery_id"] is None:
        return True
    state, answer = DeliveryState(row["delivery_state"]), AnswerState(row["answer_state"])
    return state is not DeliveryState.CANCELLED and answer not in FINAL


def _audit(row: Row, at: datetime) -> Row:
    return audited(at, ENDING, "hub:sweep", row["share_id"], row["delivery_id"], {"service": row["service_id"]})
