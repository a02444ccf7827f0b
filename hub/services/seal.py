"""Seal: give audit events their place in the hash chain, and sign how far it has come (TH13)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.audit import LATE, Checkpoint, beginning, canonical, event, instant, link
from hub.services.ports import Row, Transaction
from hub.services.tell import OPERATOR, notice_row

_TOLD_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seal:
    """Seal at most `limit` events as of `wall`; `chain` names a chain that is begun here, where there is none yet."""

    wall: datetime
    chain: str
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many events were sealed, the newest checkpoint, and whether any event has waited too long."""

    count: int
    checkpoint: Checkpoint | None
    late: bool = False


Sign = Callable[[Checkpoint], Checkpoint]


def seal(tx: Transaction, items: Sequence[Seal], *, sign: Sign) -> list[Sealed]:
    """Seal what was kept and is not in the chain yet, in one process at a time, and sign one checkpoint for each item.

    Ids are given before a commit and may become visible in another order: a position is given here, after the commit.
    """
    return [_seal(tx, item, sign) for item in items]


def _seal(tx: Transaction, item: Seal, sign: Sign) -> Sealed:
    if not tx.take_log():
        since = tx.unsealed_since()
        late = since is not None and since <= item.wall - LATE
        return Sealed(0, checkpoint_of(tx.newest_checkpoint()), late)
    newest = checkpoint_of(tx.newest_checkpoint())
    if newest is None:
        newest = sign(Checkpoint(0, instant(item.wall), item.chain, beginning(item.chain).hex(), "", 0))
        tx.insert("checkpoints", [newest.document()])
    events = tx.unsealed(item.limit)
    if not events:
        return Sealed(0, newest)
    chained, places = bytes.fromhex(newest.hash), []
    for position, row in enumerate(events, newest.position + 1):
        chained = link(chained, canonical(event(row, position)))
        places.append((row["id"], position, chained.hex()))
    tx.seal_events(places)
    reached = newest.position + len(events)
    fresh = sign(Checkpoint(newest.position, instant(item.wall), newest.chain, chained.hex(), "", reached))
    tx.insert("checkpoints", [fresh.document()])
    return Sealed(len(events), fresh)


def checkpoint_of(row: Row | None) -> Checkpoint | None:
    """Return a checkpoint from its row."""
    return None if row is None else Checkpoint(**row)


@dataclass(frozen=True, slots=True)
class Unsealed:
    """The log is not being sealed, as of `wall`."""

    wall: datetime


def tell_unsealed(tx: Transaction, items: Sequence[Unsealed]) -> list[None]:
    """Tell the operator, once a day, that nothing is sent because the audit log is not being sealed."""
    for item in items:
        if tx.first_of_late("audit", "unsealed", item.wall, item.wall + _TOLD_EVERY):
            tx.insert("notices", [notice_row("email", "audit.unsealed", OPERATOR, item.wall)])
            tx.nudge_notices()
    return [None for _ in items]
