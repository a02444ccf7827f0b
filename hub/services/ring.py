"""Ask to be rung: a request without data goes to a named person, and one that nobody picks up is noticed (R09, R23)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.errors import HubError, NotFound
from hub.domain.ring import RingKind, RingState
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import OPERATOR, notice_row
from hub.services.withdraw import NOT_FOUND

#: The topic of a notice about a gap.
GAP = "ring.gap"


@dataclass(frozen=True, slots=True)
class Gap:
    """A need that no service of the partnership can act on, and where; of nobody (R24, R56)."""

    need: str
    area: str


@dataclass(frozen=True, slots=True)
class AskToRing:
    """A request by a partner's client, to the `recipient` (the id of a person in the partnership's file).

    `id` comes of the Idempotency-Key, so that a repeat asks nobody twice; `author` is a keyed hash. Nothing else is
    kept: no reference, no share, no person. With a `gap` it is about what is missing.
    """

    id: str
    kind: RingKind
    partner_id: str
    client_id: str
    author: str
    recipient: str
    due_at: datetime
    business: datetime
    wall: datetime
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class PickUp:
    """Whoever was asked says that they have it."""

    id: str
    business: datetime


def ask_to_ring(tx: Transaction, items: Sequence[AskToRing]) -> list[Row]:
    """Keep each request once and tell its recipient by e-mail; returns its row, the first one for a repeat."""
    known = tx.rings([item.id for item in items])
    fresh: dict[str, Row] = {}
    notices, audit = [], []
    gaps: dict[str, Gap] = {}
    for item in items:
        if item.id in known or item.id in fresh:
            continue
        fresh[item.id] = _row(item)
        topic = f"ring.{item.kind}"
        if item.gap is not None:
            topic, gaps[item.id] = GAP, item.gap
        notices.append(notice_row("email", topic, item.recipient, item.wall, ring_id=item.id))
        detail = {"kind": item.kind, "to": item.recipient}
        audit.append(audited(item.business, "ring.asked", f"client:{item.client_id}", detail=detail))
    tx.insert("rings", list(fresh.values()))
    tx.insert("gaps", [{"ring_id": ring, "need": each.need, "area": each.area} for ring, each in gaps.items()])
    tx.insert("notices", notices)
    tx.insert("audit_events", audit)
    if notices:
        tx.nudge_notices()
    return [(known | fresh)[item.id] for item in items]


def _row(item: AskToRing) -> Row:
    return {
        "id": item.id,
        "kind": item.kind,
        "partner_id": item.partner_id,
        "client_id": item.client_id,
        "author": item.author,
        "recipient": item.recipient,
        "asked_at": item.business,
        "due_at": item.due_at,
        "state": RingState.WAITING,
        "picked_up_at": None,
        "told_late_at": None,
    }


def pick_up(tx: Transaction, items: Sequence[PickUp]) -> list[HubError | None]:
    """Record that somebody has it; the first one counts, and a repeat changes nothing."""
    known = tx.rings([item.id for item in items])
    results: list[HubError | None] = []
    for item in items:
        found = known.get(item.id)
        results.append(None if found else NotFound(NOT_FOUND))
        if found is not None and tx.pick_up_ring(item.id, item.business):
            actor, detail = f"person:{found['recipient']}", {"kind": found["kind"]}
            tx.insert("audit_events", [audited(item.business, "ring.picked_up", actor, detail=detail)])
    return results


def tell_late(tx: Transaction, business: datetime, wall: datetime, limit: int) -> int:
    """Say once of each that is due that nobody has it: again to whom it was for, to the operator, and to its asker."""
    late = tx.late_rings(business, limit)
    if not late:
        return 0
    notices: list[Row] = []
    for row in late:
        told = dict.fromkeys((row["recipient"], OPERATOR))
        notices += [notice_row("email", "ring.late", each, wall, ring_id=row["id"]) for each in told]
        notices.append(notice_row("webhook", "ring.late", row["client_id"], wall, ring_id=row["id"]))
    tx.mark_rings_late([row["id"] for row in late], business)
    tx.insert("notices", notices)
    audit = [audited(business, "ring.late", "hub:sweep", detail={"kind": row["kind"]}) for row in late]
    tx.insert("audit_events", audit)
    tx.nudge_notices()
    return len(late)
