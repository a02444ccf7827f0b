"""Rotate: wrap every stored data key anew under the key in use, a batch at a time, while the hub goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.errors import Undecipherable
from hub.services.ports import Transaction, Vault


@dataclass(frozen=True, slots=True)
class Rewrap:
    """Wrap anew at most `limit` keys of one table, of rows after an id."""

    table: str
    after: str
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many keys were wrapped anew, how many could not be, and the last row's id; none at the table's end."""

    count: int
    damaged: int
    last: str | None


def rewrap(tx: Transaction, items: Sequence[Rewrap], *, vault: Vault) -> list[Rewrapped]:
    """Wrap data keys anew under the key in use; what they seal is left as it is. An interrupted run is begun anew."""
    return [_rewrap(tx, item, vault) for item in items]


def _rewrap(tx: Transaction, item: Rewrap, vault: Vault) -> Rewrapped:
    rows = tx.lock_wrapped(item.table, item.after, vault.header, item.limit)
    wrapped = {row["id"]: anew for row in rows if (anew := _anew(vault, row["data_key"])) is not None}
    tx.replace_wrapped(item.table, wrapped)
    return Rewrapped(len(wrapped), len(rows) - len(wrapped), rows[-1]["id"] if rows else None)


def _anew(vault: Vault, wrapped: bytes) -> bytes | None:
    """One that does not open, such as after a restore of the wrong keys, stops no other."""
    try:
        return vault.rewrap(wrapped)
    except Undecipherable:
        return None
