"""Stop waiting: nobody waits for an answer to a delivery any more, so its clocks stop and its alerts close (R44)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.domain.answer import Level
from hub.services.ports import Transaction


def stop_waiting(tx: Transaction, delivery_ids: Sequence[str], at: datetime) -> None:
    """Stop every clock of these deliveries, and close what alerts are open about them, `at` in business time."""
    tx.stop_all_clocks(delivery_ids)
    tx.close_alerts([(each, int(Level.L4)) for each in delivery_ids], at)
