"""The statements of a transaction that concern answers which nobody has fetched yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, select, update

from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, rows

_N, _D, _S = tables.answers, tables.deliveries, tables.shares


class CollectStatements:
    """An answer is to be fetched by an instant, until it is; once that was told, it is told no more."""

    _connection: Connection

    def uncollected(self, now: datetime, limit: int) -> list[Row]:
        """Take answers that were to be fetched by now, one for each delivery, the longest waiting first."""
        found = rows(self._connection, _DUE, {"now": now, "limit": limit})
        return list({each["delivery_id"]: each for each in reversed(found)}.values())

    def uncollected_of(self, share_ids: Sequence[str]) -> list[Row]:
        """Return what answers to these shares nobody has fetched, told of or not."""
        return rows(self._connection, _OF_SHARES, {"ids": list(share_ids)})

    def uncollected_at(self, delivery_ids: Sequence[str]) -> list[Row]:
        """Return what answers to these deliveries nobody has fetched, told of or not."""
        return rows(self._connection, _OF_DELIVERIES, {"ids": list(delivery_ids)})

    def end_collecting(self, delivery_ids: Sequence[str], *, keep: bool = False) -> None:
        """Note that the answers to deliveries were fetched, or, to `keep` them as they are, only told of."""
        if delivery_ids:
            self._connection.execute(_TOLD if keep else _FETCHED, {"ids": list(delivery_ids)})


_ids: BindParameter[str] = bindparam("ids", expanding=True)
_WAITING = (
    select(
        _N.c.delivery_id, _N.c.collect_by, _D.c.share_id, _D.c.service_id, _S.c.partner_id, _S.c.client_id, _S.c.urgent,
        _S.c.safety,
    )
    .join(_D, _D.c.id == _N.c.delivery_id)
    .join(_S, _S.c.id == _D.c.share_id)
)  # fmt: skip
_DUE = (
    _WAITING.where(_N.c.collect_by <= bindparam("now", type_=Instant()), _S.c.died_at.is_(None))
    .order_by(_N.c.collect_by)
    .limit(bindparam("limit"))
    .with_for_update(of=_N, skip_locked=True)
)
_OF_SHARES = _WAITING.where(_D.c.share_id.in_(_ids), _N.c.is_collected.is_(False))
_OF_DELIVERIES = _WAITING.where(_N.c.delivery_id.in_(_ids), _N.c.is_collected.is_(False))
_TOLD = update(_N).where(_N.c.delivery_id.in_(_ids)).values(collect_by=None)
_FETCHED = update(_N).where(_N.c.delivery_id.in_(_ids)).values(collect_by=None, is_collected=True)
