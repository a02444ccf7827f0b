"""Record rungs of the ladder: append the history, stop the clocks that a rung satisfies, close their alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.answer import Level
from hub.services.ports import Transaction


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A delivery reached a rung at an instant; `source` is how the hub knows (sync, callback, message, heard)."""

    delivery_id: str
    level: Level
    at: datetime
    source: str


def acknowledge(tx: Transaction, items: Sequence[Acknowledged]) -> None:
    """Append acknowledgements; every clock at or below the rung stops and its open alert is closed (R43, R44)."""
    if not items:
        return
    tx.insert(
        "acknowledgements",
        [
            {"delivery_id": item.delivery_id, "level": int(item.level), "at": item.at, "source": item.source}
            for item in items
        ],
    )
    rungs = [(item.delivery_id, int(item.level)) for item in items]
    tx.stop_clocks(rungs)
    tx.close_alerts(rungs, max(item.at for item in items))
