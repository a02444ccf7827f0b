"""Waiting: by which receipts a partner knows what it may still answer, for those that are asked about each one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.services.pack import place
from hub.services.ports import Transaction, Vault

#: The newest so many are asked about: a service with more open work than this answers by callback as well.
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Ask for the receipts of one connection."""

    connection_id: str


def waiting(tx: Transaction, items: Sequence[Waiting], *, vault: Vault) -> list[tuple[str, ...]]:
    """Return the receipts of what arrived at each connection and is neither completed nor forgotten, newest first."""
    return [
        tuple(
            vault.unwrap(row["data_key"])
            .open(row["sealed_receipt"], place("deliveries", "receipt", row["id"]))
            .decode()
            for row in tx.waiting_receipts(item.connection_id, MOST)
        )
        for item in items
    ]
