"""Final: since when nothing more is expected of any service, from where forgetting is counted (R59)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryState
from hub.domain.forget import is_final
from hub.services.ports import Transaction


def note_final(tx: Transaction, delivery_ids: Sequence[str], at: datetime) -> None:
    """Note it for the shares of these deliveries, `at` in business time; an answer that was taken back unnotes it."""
    if not delivery_ids:
        return
    standing = tx.lock_standing(delivery_ids)
    final = {
        share_id: is_final((DeliveryState(row["state"]), AnswerState(row["answer_state"])) for row in rows)
        for share_id, rows in standing.items()
    }
    tx.set_final([share_id for share_id, over in final.items() if over], at)
    tx.set_final([share_id for share_id, over in final.items() if not over], None)
