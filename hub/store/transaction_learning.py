"""The statements of a transaction that count a month, from coded states that stay when a story is forgotten (R54)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select

from hub.domain.answer import Level
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row, rows


class LearningStatements:
    """Each count has what is counted, a name of it, its partner or service, and how often; nothing else leaves here."""

    _connection: Connection

    def month_counts(self, month: str, begins: datetime, ends: datetime) -> list[Row]:
        """Return what is counted of a month (2026-11), which begins and is over at these instants; `of` says what.

        Of answers no name is told but when each was sent, due and decided: how long is long is a rule of the domain.
        """
        values: dict[str, Any] = {"month": month, "begins": begins, "ends": ends}
        return [
            {**each, "of": of}
            for of, statement in _COUNTS.items()
            for each in rows(self._connection, statement, values)
        ]

    def learned(self, month: str) -> Row | None:
        """Return the newest version of a month that was published; None where it was not."""
        return row(self._connection, NEWEST, {"month": month})


_S, _D, _K, _T = tables.shares, tables.deliveries, tables.clocks, tables.tallies
_L = tables.learned
NEWEST = select(_L).where(_L.c.month == bindparam("month")).order_by(_L.c.version.desc()).limit(1)


def _within(column: Any) -> Any:
    return (column >= bindparam("begins", type_=Instant)) & (column < bindparam("ends", type_=Instant))


#: How many services each share went to, as it was sent; what was sent again to one is the same recipient.
_SENT = (
    select(
        _S.c.partner_id,
        case((_S.c.urgent | _S.c.safety, "urgent"), else_="planned").label("how"),
        func.count(func.distinct(_D.c.service_id)).label("recipients"),
    )
    .join(_D, _D.c.share_id == _S.c.id)
    .where(_within(_S.c.sent_at), _D.c.kind == DeliveryKind.SHARE)
    .group_by(_S.c.id, _S.c.partner_id, _S.c.urgent, _S.c.safety)
    .subquery()
)
_TELLINGS = select(
    _SENT.c.partner_id.label("place"), _SENT.c.how.label("name"), _SENT.c.recipients, func.count().label("number")
).group_by(_SENT.c.partner_id, _SENT.c.how, _SENT.c.recipients)

_DECIDED = (
    select(func.min(tables.acknowledgements.c.at))
    .where(tables.acknowledgements.c.delivery_id == _D.c.id, tables.acknowledgements.c.level >= int(Level.L3))
    .correlate(_D)
    .scalar_subquery()
)
#: Every answer that came due; what was taken back before anybody decided owes none.
_ANSWERS = (
    select(
        _D.c.service_id.label("place"),
        _K.c.due_at,
        _S.c.sent_at,
        _DECIDED.label("decided_at"),
    )
    .join(_D, _D.c.id == _K.c.delivery_id)
    .join(_S, _S.c.id == _D.c.share_id)
    .where(
        *(_within(_K.c.due_at), _K.c.level == int(Level.L3), _D.c.kind == DeliveryKind.SHARE),
        (_D.c.state != DeliveryState.CANCELLED) | _DECIDED.is_not(None),
    )
)
_TOLD = (
    select(_S.c.partner_id.label("place"), _S.c.told.label("name"), func.count().label("number"))
    .where(_within(_S.c.told_at), _S.c.told.is_not(None))
    .group_by(_S.c.partner_id, _S.c.told)
)
_TALLIES = (
    select(_T.c.what, _T.c.service_id.label("place"), _T.c.name, func.sum(_T.c.number).label("number"))
    .where(func.substr(_T.c.day, 1, 7) == bindparam("month"))
    .group_by(_T.c.what, _T.c.service_id, _T.c.name)
)
_M, _B = tables.barrier_moves, tables.barriers
_MOVES = (
    select(_B.c.service_id.label("place"), _M.c.state.label("name"), func.count().label("number"))
    .join(_B, _B.c.id == _M.c.barrier_id)
    .where(_within(_M.c.at))
    .group_by(_B.c.service_id, _M.c.state)
)
_G, _R = tables.gaps, tables.rings
_GAPS = (
    select(_G.c.need.label("name"), func.count().label("number"))
    .join(_R, _R.c.id == _G.c.ring_id)
    .where(_within(_R.c.asked_at))
    .group_by(_G.c.need)
)
_COUNTS = {
    "tellings": _TELLINGS, "answers": _ANSWERS, "told": _TOLD, "tallies": _TALLIES, "barriers": _MOVES, "gaps": _GAPS,
}  # fmt: skip
