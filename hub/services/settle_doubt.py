"""Settle a doubt by hand: where no connector can find out, an operator asks the service and records what it said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.answer import Level
from hub.domain.delivery import DeliveryEvent, DeliveryState, move
from hub.domain.errors import Conflict, HubError, Malformed, NotFound, Refusal
from hub.services.acknowledge import Acknowledged, acknowledge
from hub.services.ports import Row, Transaction, audited
from hub.services.settled import settled
from hub.services.tell import OPERATOR, notice_row


@dataclass(frozen=True, slots=True)
class DoubtSettled:
    """What became of one delivery in doubt, `by` whom (an id) and why (a code such as `asked-the-service`)."""

    delivery_id: str
    arrived: bool
    by: str
    reason: str
    business: datetime
    wall: datetime


_CODE = re.compile(r"[a-z][a-z0-9-]{0,59}")
UNKNOWN = Refusal(
    type="not-found",
    title="There is no delivery by that id.",
    next_step="Run `hub trace` with the share's reference: it names each delivery.",
    origin="hub",
)
NOT_IN_DOUBT = Refusal(
    type="not-in-doubt",
    title="This delivery is not in doubt, and nothing was changed.",
    next_step="Run `hub trace` with its id to see where it stands.",
    origin="hub",
)
NOT_A_CODE = Refusal(
    type="not-a-code",
    title="Who and why are codes of lower case letters, digits and -.",
    next_step="Write no name of a person: the audit keeps it.",
    origin="hub",
)


def settle_doubt(tx: Transaction, items: Sequence[DoubtSettled]) -> list[DeliveryState | HubError]:
    """Move each delivery in doubt to delivered, or back to be tried; returns where it stands, or why nothing was done.

    What had not arrived goes again under the same key, and under living consent alone: otherwise the next sweep cancels
    it. A question that is under way is overruled: its report is then stale.
    """
    return [_settle(tx, item) for item in items]


def _settle(tx: Transaction, item: DoubtSettled) -> DeliveryState | HubError:
    if not (_CODE.fullmatch(item.by) and _CODE.fullmatch(item.reason)):
        return Malformed(NOT_A_CODE)
    row = tx.lock_deliveries([item.delivery_id]).get(item.delivery_id)
    if row is None:
        return NotFound(UNKNOWN)
    if row["state"] != DeliveryState.IN_DOUBT:
        return Conflict(NOT_IN_DOUBT)
    after = move(DeliveryState.IN_DOUBT, DeliveryEvent.FOUND if item.arrived else DeliveryEvent.NOT_FOUND)
    changed: dict[str, Any] = {"delivered_at": item.business} if item.arrived else {}
    tx.update_deliveries([settled(row, after, item.wall, item.reason, **changed)])
    if row["data_key"] is None and not item.arrived:
        after = move(after, DeliveryEvent.WITHDRAWN)  # forgotten: there is nothing left to send
        tx.cancel([row["id"]], item.wall)
    elif item.arrived:
        acknowledge(tx, [Acknowledged(row["id"], Level.L1, item.business, "operator")])
    else:
        tx.nudge(row["connection_id"], [row["id"]])
    detail = {"state": after, "arrived": item.arrived, "reason": item.reason}
    actor = f"operator:{item.by}"
    tx.insert("audit_events", [audited(item.business, "doubt.settled", actor, row["share_id"], row["id"], detail)])
    return after


def doubt_notice(row: Row, wall: datetime) -> Row:
    """Return the notice by which the operator hears, once, that the hub asks no more about a delivery in doubt."""
    return notice_row("email", "in_doubt", OPERATOR, wall, share_id=row["share_id"], delivery_id=row["id"])
