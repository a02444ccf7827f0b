"""Recover: once at the start of the only process that writes a store, every lease found there is a dead process's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.services.ports import Transaction, audited


@dataclass(frozen=True, slots=True)
class Recover:
    """Let every lease end at `wall`, so that the next sweep need not wait for it.

    Safe only where nobody else can hold one: on SQLite under the lock on its file, which the kernel gives back when its
    holder dies and not before; a host ends when its hub's end of their socket closes. Where several processes share a
    database this would end the leases of those that are alive, so there a lease runs out by itself.
    Ending a lease early never sends blindly: what was being sent is in doubt, and is asked about.
    """

    wall: datetime


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many leases of each kind a dead process left behind."""

    deliveries: int
    notices: int
    messages: int

    def __bool__(self) -> bool:
        """Tell whether there was any."""
        return bool(self.deliveries or self.notices or self.messages)


def recover(tx: Transaction, items: Sequence[Recover]) -> list[Recovered]:
    """End the leases for each item; what they were for is then found by the ordinary rounds."""
    return [_recover(tx, item.wall) for item in items]


def _recover(tx: Transaction, wall: datetime) -> Recovered:
    found = Recovered(tx.end_leases("deliveries", wall), tx.end_leases("notices", wall), tx.end_leases("inbox", wall))
    if found:
        detail = {"deliveries": found.deliveries, "notices": found.notices, "messages": found.messages}
        tx.insert("audit_events", [audited(wall, "hub.recovered", "hub:start", detail=detail)])
    return found
