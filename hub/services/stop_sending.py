"""Stop sending: what has not gone under consents that ended is cancelled, and nobody waits for what went (R12, R15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.delivery import WITHDRAWABLE, DeliveryKind, DeliveryState
from hub.services.final import note_final
from hub.services.ports import Row, Transaction
from hub.services.stop_waiting import stop_waiting


@dataclass(frozen=True, slots=True)
class Stopped:
    """The deliveries under these consents as they stood before: what was shared or followed it, and what asks to stop.

    Of those `sent`, the `cancelled` had not begun to be. A correction that shows nothing is in neither: it still goes.
    """

    sent: Sequence[Row]
    asking: Sequence[Row]
    cancelled: Sequence[Row]


def stop_sending(tx: Transaction, consent_ids: Sequence[str], business: datetime, wall: datetime) -> Stopped:
    """Cancel what waits under consents that are locked already, of every kind but a request to stop using it."""
    every = tx.deliveries_of(consent_ids)
    sent = [row for row in every if not row["bare"]]
    cancelled = [row for row in sent if DeliveryState(row["state"]) in WITHDRAWABLE]
    tx.cancel([row["id"] for row in cancelled], wall)
    # Nobody waits for an answer to it any more: a request to stop has clocks of its own.
    stop_waiting(tx, [row["id"] for row in sent], business)
    note_final(tx, [row["id"] for row in cancelled], business)
    return Stopped(sent, [row for row in every if row["kind"] == DeliveryKind.PLEASE_STOP_USING], cancelled)
