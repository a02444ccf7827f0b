"""Keep an absence: a partner says that a trusted person is away, or which day is their last (R07, R08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.domain.absence import WRONG_DAYS, Absence, first_day_gone
from hub.domain.alert import AlertKind
from hub.domain.calendar import london_date
from hub.domain.errors import HubError, Malformed, Unauthenticated
from hub.services.ports import Row, Transaction, audited
from hub.services.refusals import REPLAYED
from hub.services.remember import OneTime, first_times, keep_used


@dataclass(frozen=True, slots=True)
class KeepAbsence:
    """A trusted person is away from `first` (to `last`, if that is known), or `first` is the day after their last one.

    `trusted_person` and `author` are keyed hashes. With no `first` they are there again, or stay after all.
    """

    partner_id: str
    trusted_person: str
    kind: Absence
    first: date | None
    last: date | None
    client_id: str
    author: str
    business: datetime
    once: OneTime


def leaving(last_day: date) -> tuple[date, None]:
    """Return the days of somebody who leaves."""
    return first_day_gone(last_day), None


def keep_absence(tx: Transaction, items: Sequence[KeepAbsence]) -> list[HubError | None]:
    """Keep each; what was said before of the same is replaced, and who is told is the next look's matter."""
    results: list[HubError | None] = []
    for item, is_first in zip(items, first_times(tx, [item.once for item in items]), strict=True):
        if not is_first:
            results.append(Unauthenticated(REPLAYED))
            continue
        keep_used(tx, [item.once])
        results.append(_keep(tx, item))
    return results


def _keep(tx: Transaction, item: KeepAbsence) -> HubError | None:
    whose: Row = {"partner_id": item.partner_id, "trusted_person": item.trusted_person, "person": ""}
    if item.first is None:
        tx.drop_absence(item.partner_id, item.trusted_person, "", item.kind)
        close_told(tx, {**whose, "kind": item.kind}, item.business)
    elif _is_wrong(item, item.first):
        return Malformed(WRONG_DAYS)
    else:
        last = item.last.isoformat() if item.last else None
        tx.keep_absence({**whose, "kind": item.kind, "first": item.first.isoformat(), "last": last})
    action = f"trusted_person.{item.kind if item.first else 'back'}"
    detail = {"trusted_person": item.trusted_person, "author": item.author, "kind": str(item.kind)}
    detail |= {name: day.isoformat() for name, day in (("first", item.first), ("last", item.last)) if day}
    tx.insert("audit_events", [audited(item.business, action, f"client:{item.client_id}", detail=detail)])
    return None


def _is_wrong(item: KeepAbsence, first: date) -> bool:
    """A stretch that is over says nothing; a last day that is past is still a last day."""
    if item.kind is Absence.LEFT or item.last is None:
        return False
    return item.last < max(first, london_date(item.business))


def close_told(tx: Transaction, absence: Row, at: datetime) -> None:
    """Close what champions were told of an absence that is over."""
    shares = [row["id"] for row in tx.open_shares_of(absence)]
    if shares:
        ids = [row["id"] for row in tx.deliveries_of_shares(shares)]
        kind = AlertKind.AWAY if absence["kind"] == Absence.AWAY else AlertKind.LEFT
        tx.close_alerts_of(ids, [kind], at)
