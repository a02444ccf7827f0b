"""Who leaves, and what they have open: for a partner's own system, and for whoever follows up (R08)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BindParameter, Engine, bindparam, or_, select

from hub.store import tables
from hub.store.fetch import Row, rows
from hub.store.transaction_absences import IS_OPEN

_B, _S = tables.absences, tables.shares
_partners: BindParameter[str] = bindparam("partners", expanding=True)

_OPEN = (
    select(_S)
    .where(_S.c.partner_id == bindparam("partner"), _S.c.trusted_person == bindparam("whose"), IS_OPEN)
    .order_by(_S.c.sent_at, _S.c.id)
)
_LAST = select(_B.c.first).where(
    _B.c.partner_id == bindparam("partner"),
    _B.c.trusted_person == bindparam("whose"),
    _B.c.person == "",
    _B.c.kind == "left",
)
#: One row for each share whose trusted person is away, leaves, or has left.
_FOLLOWED = (
    select(_S.c.id, _S.c.reference, _S.c.partner_id, _S.c.sent_at, _S.c.cover, _B.c.kind, _B.c.first, _B.c.last)
    .select_from(_B)
    .join(
        _S,
        (_B.c.partner_id == _S.c.partner_id)
        & (_B.c.trusted_person == _S.c.trusted_person)
        & or_(_B.c.person == "", _B.c.person == _S.c.person),
    )
    .where(_B.c.partner_id.in_(_partners), IS_OPEN)
    .order_by(_B.c.kind.desc(), _B.c.first, _S.c.sent_at, _S.c.id)
    .limit(bindparam("limit"))
)


def open_shares(engine: Engine, partner_id: str, trusted_person: str) -> list[Row]:
    """Return the shares of one trusted person (a keyed hash) that are not closed, the oldest first."""
    with engine.connect() as connection:
        return rows(connection, _OPEN, {"partner": partner_id, "whose": trusted_person})


def last_day(engine: Engine, partner_id: str, trusted_person: str) -> str | None:
    """Return their last day for everybody who chose them, in London, where it was said."""
    with engine.connect() as connection:
        first = connection.scalar(_LAST, {"partner": partner_id, "whose": trusted_person})
    return None if first is None else _day_before(first)


def of_absent(engine: Engine, partners: Collection[str], limit: int = 500) -> list[dict[str, Any]]:
    """Return the open shares of these partners whose trusted person is not, or soon not, there.

    Each with its reference, `kind` (away, left), `from_day` and `to_day`, and whether the person named a cover for it.
    Those of people who leave come first.
    """
    with engine.connect() as connection:
        found = rows(connection, _FOLLOWED, {"partners": sorted(partners), "limit": limit})
    return [
        {
            "share_id": each["id"],
            "reference": each["reference"],
            "partner_id": each["partner_id"],
            "sent_at": each["sent_at"],
            "kind": each["kind"],
            "from_day": each["first"],
            "to_day": each["last"],
            "has_cover": each["cover"] is not None,
        }
        for each in found
    ]


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
