"""Claim what is due on one connection: a send begins when its claim commits, under living consent (R12, TH10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.domain.audit import LATE
from hub.domain.delivery import DeliveryEvent, DeliveryState, move
from hub.services.ports import Row, Transaction, audited

#: A lease outlives the connector's own deadline by this much, so that a slow reply is still settled by its own attempt.
LEASE_GRACE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claim:
    """Ask for at most `limit` parcels of a connection; `wall` drives leases, `business` judges consent.

    `asks_only` says that its connector finds out about a doubt without sending the parcel again: such a question may be
    put whatever became of consent. While any audit event has waited longer than `unsealed_for` for its place in the
    chain, nothing is claimed: no audit, no send (TH13).
    """

    connection_id: str
    limit: int
    wall: datetime
    business: datetime
    deadline: timedelta
    asks_only: bool = False
    unsealed_for: timedelta = LATE


@dataclass(frozen=True, slots=True)
class Claimed:
    """One claimed parcel, still sealed; `attempt` fences every later settlement of it."""

    delivery_id: str
    share_id: str
    kind: str
    attempt: int
    key: str
    case: str
    address: str
    content_type: str
    parcel: bytes
    data_key: bytes
    deaths: int
    in_doubt: bool
    receipt: bytes | None
    claimed_at: datetime


def claim(tx: Transaction, items: Sequence[Claim]) -> list[list[Claimed]]:
    """Claim parcels for each item; rows whose consent is not alive, or is being withdrawn, are passed over.

    One slot is kept for parcels in doubt, and what slots are left go to them: they are only asked about. `in_doubt`
    says so, and nothing is sent.
    """
    results = []
    for item in items:
        doubts = _doubts(tx, item, 1, only_one=True)
        due = _due(tx, item, item.limit - len(doubts))
        if (left := item.limit - len(doubts) - len(due)) > 0:
            doubts += _doubts(tx, item, left, only_one=False)
        if due:
            tx.insert("audit_events", [_audit(row, item) for row in due])
        results.append([_claimed(row, item.wall) for row in (*due, *doubts)])
    return results


def _doubts(tx: Transaction, item: Claim, limit: int, *, only_one: bool) -> list[Row]:
    until = item.wall + item.deadline + LEASE_GRACE
    return tx.claim_doubts(
        item.connection_id,
        limit,
        item.wall,
        item.business,
        until,
        asks_only=item.asks_only,
        only_one=only_one,
        unsealed_before=item.wall - item.unsealed_for,
    )


def _due(tx: Transaction, item: Claim, limit: int) -> list[Row]:
    if limit < 1:
        return []
    until = item.wall + item.deadline + LEASE_GRACE
    return tx.claim(
        item.connection_id,
        limit,
        item.wall,
        item.business,
        until,
        asks_only=item.asks_only,
        unsealed_before=item.wall - item.unsealed_for,
    )


def _audit(row: Row, item: Claim) -> Row:
    # The claim statement moves rows itself, under its locks; this asserts that the table of moves allows it.
    move(DeliveryState(row["from_state"]), DeliveryEvent.CLAIMED)
    detail: dict[str, Any] = {"attempt": row["attempt"], "connection": item.connection_id}
    return audited(item.wall, "delivery.claimed", "hub:courier", row["share_id"], row["id"], detail)


def _claimed(row: Row, wall: datetime) -> Claimed:
    return Claimed(
        delivery_id=row["id"],
        share_id=row["share_id"],
        kind=row["kind"],
        attempt=row["attempt"],
        key=row["key"],
        case=row["case"],
        address=row["address"],
        content_type=row["content_type"],
        parcel=row["parcel"],
        data_key=row["data_key"],
        deaths=row["deaths"],
        in_doubt=row["from_state"] == DeliveryState.IN_DOUBT,
        receipt=row["sealed_receipt"],
        claimed_at=wall,
    )
