"""What a partner's own system says of a parcel that it fetched: that it has it, and later what the service answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.answer import Answer, Level
from hub.domain.delivery import DeliveryState
from hub.domain.errors import Conflict, HubError, NotFound, Refusal
from hub.domain.outcome import Delivered
from hub.services.acknowledge import Acknowledged, acknowledge
from hub.services.ports import Transaction, Vault
from hub.services.refusals import FORGOTTEN
from hub.services.respond import Said, incomplete, keep_answers, settle_by_answer
from hub.services.settle import Settlement, settle
from hub.services.tell_service import Incomplete
from hub.services.withdraw import NOT_FOUND

#: How long the same answer under the same key is known for the same.
_SAME_WITHIN = timedelta(days=30)
_FETCH_AGAIN = Refusal(
    type="fetch-again",
    title="This attempt is over: it was not acknowledged in time.",
    next_step="Fetch again. What is still to be delivered comes again under the same key; take it once.",
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A partner has a parcel safely. `connections` are those of the services that its client acts for."""

    delivery_id: str
    connections: frozenset[str]
    attempt: int
    receipt: str
    level: Level
    wall: datetime
    business: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What a service says through its own client; `key` makes the same answer sent twice one."""

    delivery_id: str
    connections: frozenset[str]
    answer: Answer
    client_id: str
    key: str
    wall: datetime
    business: datetime


def acknowledge_fetched(tx: Transaction, items: Sequence[Fetched], *, vault: Vault) -> list[HubError | None]:
    """Settle fetched parcels as delivered; said twice it is one, said of an attempt that is over it is refused."""
    results: list[HubError | None] = []
    for item in items:
        row = tx.lock_deliveries([item.delivery_id]).get(item.delivery_id)
        if row is None or row["connection_id"] not in item.connections:
            results.append(NotFound(NOT_FOUND))
            continue
        outcome = Delivered(item.receipt, min(item.level, Level.L2))
        settlement = Settlement(row["id"], item.attempt, outcome, item.wall, item.business, rand=0.0)
        if settle(tx, [settlement], vault=vault) == [True]:
            results.append(None)
        elif row["state"] == DeliveryState.DELIVERED:
            if item.level >= Level.L2:  # it was opened after it was fetched
                acknowledge(tx, [Acknowledged(row["id"], Level.L2, item.business, "message")])
            results.append(None)
        else:
            results.append(Conflict(_FETCH_AGAIN))
    return results


def answer_fetched(tx: Transaction, items: Sequence[Answered], *, vault: Vault) -> list[HubError | Incomplete]:
    """Keep answers as any other way in does (R35); one that comes again under its key is kept once.

    Returns what each lacks, and what of it was held back: whoever answered reads that at once (R21, R35).
    """
    results: list[HubError | Incomplete] = []
    for item in items:
        row = tx.lock_deliveries([item.delivery_id]).get(item.delivery_id)
        if row is None or row["connection_id"] not in item.connections:
            results.append(NotFound(NOT_FOUND))
            continue
        if row["data_key"] is None:
            results.append(Conflict(FORGOTTEN))
            continue
        token = vault.digest("answer", f"{item.client_id}|{row['id']}|{item.key}")
        if tx.first_of_late("answer", token, item.wall, item.wall + _SAME_WITHIN):
            settle_by_answer(tx, row, item.business, item.wall)
            actor = f"client:{item.client_id}"
            keep_answers(tx, [Said(row, item.answer, item.business, item.wall, "message", actor=actor)], vault=vault)
        results.append(incomplete(row, item.answer, item.business, item.wall))
    return results
