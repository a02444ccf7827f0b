"""Rehearse: in shadow mode everything is decided and made, and nothing is sent; codes and sizes stay (R75)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.errors import HubError, Unauthenticated
from hub.services.decide import Verdict
from hub.services.plan import Plan, Planned
from hub.services.ports import Row, Transaction, audited
from hub.services.refusals import REPLAYED
from hub.services.remember import OneTime, first_times, keep_used

#: Of a share of which everything was only tried.
STATUS: Final = "shadow"
WORDS: Final = "This was only tried. Nothing was sent and nothing was kept. Do not tell the person that it was sent."


def tried_words(name: str) -> str:
    """Return what is said of one service in shadow mode."""
    return f"Nothing was sent to {name}. This is what would have gone."


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A plan of which nothing goes: every service that would get something is in shadow mode."""

    plan: Plan
    once: OneTime


def rehearse(tx: Transaction, items: Sequence[Rehearsal]) -> list[HubError | None]:
    """Keep what each would have sent, as codes and sizes; the same request again is kept once."""
    results: list[HubError | None] = []
    for item, is_first in zip(items, first_times(tx, [item.once for item in items]), strict=True):
        if not is_first:
            results.append(Unauthenticated(REPLAYED))
            continue
        keep_used(tx, [item.once])
        keep_rehearsals(tx, list(rehearsal_rows(item.plan)))
        actor = f"client:{item.plan.sender.client_id}"
        detail = {"services": len(item.plan.shadows), "refused": len(item.plan.refused)}
        tx.insert("audit_events", [audited(item.plan.decided_at, "share.rehearsed", actor, detail=detail)])
        results.append(None)
    return results


def keep_rehearsals(tx: Transaction, rows: Sequence[Row]) -> None:
    """Insert what is not there yet."""
    known = tx.known_rehearsals([row["id"] for row in rows])
    if new := [row for row in rows if row["id"] not in known]:
        tx.insert("rehearsals", new)


def rehearsal_rows(planned: Plan) -> Iterator[dict[str, Any]]:
    """Yield a row for each service in shadow mode: what would have gone, or why it would have been refused."""
    for parcel in planned.shadows:
        yield _row(planned, parcel.verdict, parcel)
    for verdict in planned.refused:
        if verdict.route is not None and verdict.route.connection.shadow:
            yield _row(planned, verdict, None)


def _row(planned: Plan, verdict: Verdict, parcel: Planned | None) -> dict[str, Any]:
    assert verdict.route is not None
    sections = verdict.view.sections if verdict.view and parcel else ()
    return {
        "id": planned.ids.of("delivery", verdict.service_id).hex,
        "partner_id": planned.sender.partner.id,
        "client_id": planned.sender.client_id,
        "service_id": verdict.service_id,
        "at": planned.decided_at,
        "mapping": verdict.route.connection.mapping,
        "bytes": len(parcel.body) if parcel else 0,
        "categories": sorted({str(each.category) for each in sections}),
        "withheld": len(verdict.view.withheld) if verdict.view else 0,
        "refusals": [each.type for each in verdict.refusals],
    }
