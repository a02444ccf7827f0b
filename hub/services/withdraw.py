"""Withdraw: one call ends consent; nothing unclaimed goes after its commit, and what went is named plainly (R15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.consent import ConsentState
from hub.domain.delivery import MAY_HAVE_ARRIVED, WITHDRAWABLE, DeliveryState
from hub.domain.errors import HubError, NotFound, Refusal
from hub.services.ports import Row, Transaction, audited


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """End what was agreed in one record, for all its services or only those named."""

    record_id: str
    partner_id: str
    client_id: str
    author: str  # keyed hash
    services: tuple[str, ...]
    worried_about_pressure: bool
    business: datetime
    wall: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal did, as the truth that the person is told: each service is in one list (R15).

    `stopped`: nothing was ever tried. `tried`: nothing more goes, but an earlier try may have reached them, so ring to
    be sure. `served`: they have it, or may be getting it now.
    """

    share_id: str
    stopped: tuple[str, ...]
    served: tuple[str, ...]
    tried: tuple[str, ...] = ()


def withdraw(tx: Transaction, items: Sequence[Withdrawal]) -> list[Withdrawn | HubError]:
    """Withdraw each item: lock the consents, then cancel; a repeat finds nothing more to stop and says the same."""
    return [_withdraw_one(tx, item) for item in items]


def _withdraw_one(tx: Transaction, item: Withdrawal) -> Withdrawn | HubError:
    locked = tx.lock_consents(item.record_id)
    rows = [row for row in locked if not item.services or row["service_id"] in item.services]
    if not rows or any(row["partner_id"] != item.partner_id for row in rows):
        return NotFound(NOT_FOUND)
    alive = [row for row in rows if row["state"] == ConsentState.GIVEN]
    tx.end_consents([row["id"] for row in alive], ConsentState.WITHDRAWN)
    deliveries = tx.deliveries_of([row["id"] for row in rows])
    stop = [row for row in deliveries if DeliveryState(row["state"]) in WITHDRAWABLE]
    served = [row for row in deliveries if DeliveryState(row["state"]) in MAY_HAVE_ARRIVED]
    tx.cancel([row["id"] for row in stop], item.wall)
    tx.stop_all_clocks([row["id"] for row in stop])
    share_id = rows[0]["share_id"]
    if alive and not any(row["state"] == ConsentState.GIVEN for row in locked if row not in rows):
        tx.mark_withdrawn(share_id, item.business)
    if alive:
        _record(tx, item, alive, stop, served)
    return _truth(share_id, deliveries)


def _record(
    tx: Transaction, item: Withdrawal, alive: Sequence[Row], stop: Sequence[Row], served: Sequence[Row]
) -> None:
    tx.insert(
        "consent_events",
        [
            {
                "consent_id": row["id"],
                "state": ConsentState.WITHDRAWN,
                "at": item.business,
                "client_id": item.client_id,
                "author": item.author,
            }
            for row in alive
        ],
    )
    detail = {"stopped": len(stop), "served": len(served), "worried_about_pressure": item.worried_about_pressure}
    actor = f"client:{item.client_id}"
    share_id = alive[0]["share_id"]
    tx.insert(
        "audit_events",
        [
            audited(item.business, "consent.withdrawn", actor, share_id, None, detail),
            *(audited(item.business, "delivery.cancelled", actor, share_id, row["id"]) for row in stop),
        ],
    )


def _truth(share_id: str, deliveries: Sequence[Row]) -> Withdrawn:
    """Sort services by the worst that is true of any delivery to them; a try that failed may still have arrived."""
    served = {row["service_id"] for row in deliveries if DeliveryState(row["state"]) in MAY_HAVE_ARRIVED}
    tried = {row["service_id"] for row in deliveries if row["attempt"] > 0} - served
    every = tuple(dict.fromkeys(row["service_id"] for row in deliveries))
    return Withdrawn(
        share_id,
        stopped=tuple(each for each in every if each not in served | tried),
        served=tuple(each for each in every if each in served),
        tried=tuple(each for each in every if each in tried),
    )


NOT_FOUND = Refusal(
    type="not-found",
    title="There is nothing here by that name that you can see.",
    next_step="Check the address. It must come from a receipt that your own organisation was given.",
)
