"""Record what was heard another way: an answer by phone, meeting or plain e-mail counts as the answer (R64)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.domain.answer import Answer
from hub.domain.errors import HubError, NotFound
from hub.services.ports import Transaction, Vault, audited
from hub.services.respond import Said, keep_answers, settle_by_answer
from hub.services.tell import notice_row
from hub.services.withdraw import NOT_FOUND


@dataclass(frozen=True, slots=True)
class Heard:
    """What a worker or champion was told about one delivery: by whom, how, when, and what the service said."""

    delivery_id: str
    partner_id: str
    client_id: str
    answer: Answer
    how: str
    said_by: str
    told_to: str
    on: date
    business: datetime
    wall: datetime


def record_heard(tx: Transaction, items: Sequence[Heard], *, vault: Vault) -> list[HubError | None]:
    """Keep what was heard as the answer, stop the clocks, and send the service a copy that it can correct."""
    results: list[HubError | None] = []
    for item in items:
        # Taken one by one: what was heard twice of one delivery is judged the second time against the first.
        row = tx.lock_deliveries([item.delivery_id]).get(item.delivery_id)
        if row is None or row["partner_id"] != item.partner_id:
            results.append(NotFound(NOT_FOUND))
            continue
        settle_by_answer(tx, row, item.business, item.wall)
        told = (("to", item.told_to), ("by", item.said_by), ("how", item.how), ("on", item.on.isoformat()))
        keep_answers(tx, [Said(row, item.answer, item.business, item.wall, "heard", told)], vault=vault)
        ids = {"share_id": row["share_id"], "delivery_id": row["id"]}
        tx.insert(
            "audit_events",
            [audited(item.business, "delivery.heard", f"client:{item.client_id}", detail={"how": item.how}, **ids)],
        )
        tx.insert("notices", [notice_row("email", "heard_copy", f"service:{row['service_id']}", item.wall, **ids)])
        tx.nudge_notices()
        results.append(None)
    return results
