"""Hold entries: what is for a team that may be the wrong one waits until people have looked at its entry (TH20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.services.ports import Row, Transaction, audited
from hub.services.tell import OPERATOR, champion_of, notice_row

#: The topic of the e-mail that says so, to the operator and to the champion of the team's own organisation.
ENTRY_HELD = "entry_held"
#: What every such reason begins with, so that no other hold is ever ended with it.
REASON = "entry-"


@dataclass(frozen=True, slots=True)
class Entry:
    """One service's entry: its connection, whose team it is, and what is wrong with it, or nothing."""

    connection_id: str
    partner_id: str
    fault: str


@dataclass(frozen=True, slots=True)
class HoldEntries:
    """Let connections stand as their entries do."""

    entries: tuple[Entry, ...]
    wall: datetime


def as_they_should(entries: Iterable[Entry], held: Mapping[str, str]) -> bool:
    """Tell whether nothing has to be changed; `held` is why each held connection is."""
    return all(_stands(held.get(each.connection_id, ""), each.fault) for each in entries)


def _stands(reason: str, fault: str) -> bool:
    """A connection that is held for another reason stays so."""
    if reason and not reason.startswith(REASON):
        return True
    return reason == fault


def hold_entries(tx: Transaction, items: Sequence[HoldEntries]) -> list[int]:
    """Hold what may be the wrong team, let go what was put right; returns how many were changed, for each item.

    A connection that is held for another reason stays so, and is told of once somebody lets it go.
    """
    return [sum(_stand(tx, entry, item.wall) for entry in item.entries) for item in items]


def _stand(tx: Transaction, entry: Entry, wall: datetime) -> bool:
    held = tx.held_for(entry.connection_id)
    if entry.fault and held is None:
        tx.hold(entry.connection_id, entry.fault, wall)
        told = [
            notice_row("email", ENTRY_HELD, recipient, wall, connection_id=entry.connection_id)
            for recipient in (OPERATOR, champion_of(entry.partner_id))
        ]
        tx.insert("notices", told)
        tx.insert("audit_events", [_audit("connection.held", entry, wall, reason=entry.fault)])
        tx.nudge_notices()
        return True
    if entry.fault and held is not None and not _stands(held, entry.fault):
        tx.change_hold(entry.connection_id, entry.fault, wall)  # people know already that they have to look
        tx.insert("audit_events", [_audit("connection.held", entry, wall, reason=entry.fault, before=held)])
        return True
    if not entry.fault and held is not None and held.startswith(REASON):
        waiting = tx.resume(entry.connection_id)
        tx.insert("audit_events", [_audit("connection.resumed", entry, wall, reason=held, waiting=len(waiting))])
        tx.nudge(entry.connection_id, waiting)
        return True
    return False


def _audit(action: str, entry: Entry, wall: datetime, **detail: object) -> Row:
    return audited(wall, action, "hub:entries", detail={"connection": entry.connection_id, **detail})
