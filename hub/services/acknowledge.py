"""Record rungs of the ladder: append the history, stop the clocks that a rung satisfies, close their alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.answer import Level
from hub.services.ports import Transaction


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A delivery reached a rung at an instant; `source` is how the hub knows (sync, callback, message, heard).

    `answered` says that an answer proves it, `arrived` that the parcel is known to be there as well.
    """

    delivery_id: str
    level: Level
    at: datetime
    source: str
    answered: bool = False
    arrived: bool = True


#: A connector may say that something was received; that something was decided, only an answer says (R35).
_MOST_UNANSWERED = Level.L2


def acknowledge(tx: Transaction, items: Sequence[Acknowledged]) -> None:
    """Append acknowledgements; every clock at or below the rung stops and its open alert is closed (R43, R44).

    Where the parcel itself is not known to be there, the clocks and alerts of its way (L0, L1) are left alone (R64).
    """
    if not items:
        return
    tx.insert(
        "acknowledgements",
        [
            {"delivery_id": item.delivery_id, "level": int(_proved(item)), "at": item.at, "source": item.source}
            for item in items
        ],
    )
    at = max(item.at for item in items)
    for arrived in (True, False):
        rungs = [(item.delivery_id, int(_proved(item))) for item in items if item.arrived is arrived]
        tx.stop_clocks(rungs, above=passed_over(arrived))
        tx.close_alerts(rungs, at, above=passed_over(arrived))


def passed_over(arrived: bool) -> int:
    """Return the rung up to which clocks go on: those of the way there, where nobody knows that it arrived."""
    return -1 if arrived else int(Level.L1)


def _proved(item: Acknowledged) -> Level:
    return item.level if item.answered else min(item.level, _MOST_UNANSWERED)
