"""The statements of a transaction that concern forgetting, legal holds, and the wrapping of data keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, Connection, Integer, LargeBinary, bindparam, func, select, union_all, update

from hub.domain.consent import LIVING
from hub.domain.delivery import WITHDRAWABLE, DeliveryKind, DeliveryState
from hub.domain.notice import InboxState
from hub.domain.retry import NEVER
from hub.store import forgotten, tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row, rows
from hub.store.statements import STATE


class ForgettingStatements:
    """A share is forgotten once its data key is gone; its row stays, with coded states and digests."""

    _connection: Connection

    # When

    def lock_standing(self, delivery_ids: Sequence[str]) -> dict[str, list[Row]]:
        """Take the shares of these deliveries, then return how all that was shared with each stands."""
        # The share first: of two answers that come at once, the second then sees the first.
        shares = list(self._connection.scalars(_SHARES_OF, {"ids": list(delivery_ids)}))
        found: dict[str, list[Row]] = {each: [] for each in shares}
        for each in rows(self._connection, _STANDING, {"ids": shares}):
            found[each["share_id"]].append(each)
        return found

    def set_final(self, share_ids: Sequence[str], at: datetime | None) -> None:
        """Note since when nothing more is expected, where it is not noted; with None, that something is again."""
        if share_ids:
            self._connection.execute(_FINAL if at else _NOT_FINAL, {"ids": list(share_ids), "b_at": at})

    # Forgetting

    def lock_forgettable(self, sent_before: datetime, final_before: datetime, limit: int) -> list[Row]:
        """Take shares whose time has come; none under a legal hold, and none that another process is forgetting."""
        values = {"sent_before": sent_before, "final_before": final_before, "limit": limit}
        return rows(self._connection, _FORGETTABLE, values)

    def lock_remembered(self, share_ids: Sequence[str]) -> list[Row]:
        """Take those of these shares that are not forgotten; none under a legal hold."""
        return rows(self._connection, _REMEMBERED, {"ids": list(share_ids)})

    def forget_shares(self, share_ids: Sequence[str]) -> list[Row]:
        """Destroy keys and words of shares for good; returns their deliveries, and which of them wait."""
        values = {"ids": list(share_ids)}
        for statement in _FORGET:
            self._connection.execute(statement, values)
        self._connection.execute(_ASK_NO_MORE, values)
        found = rows(self._connection, _DELIVERIES, values)
        return [{**each, "is_waiting": each["state"] in WITHDRAWABLE} for each in found]

    def forget_messages(self, inbox_ids: Sequence[str]) -> None:
        """Destroy keys and words of partners' messages."""
        if inbox_ids:
            self._connection.execute(_FORGET_MESSAGES, {"ids": list(inbox_ids)})
            self._connection.execute(_READ_NO_MORE, {"ids": list(inbox_ids)})

    def forget_messages_before(self, received: datetime, limit: int) -> int:
        """Destroy what partners sent before an instant, and no share under a legal hold owns; returns how many."""
        found = list(self._connection.scalars(_OLD_MESSAGES, {"received": received, "limit": limit}))
        self.forget_messages(found)
        return len(found)

    # Legal holds

    def lock_share(self, share_id: str) -> Row | None:
        """Take a share, and tell whether it is forgotten, and since when it is under a legal hold."""
        return row(self._connection, _SHARE, {"b_id": share_id})

    def set_legal_hold(self, share_id: str, since: datetime | None, officer: str | None, reason: str | None) -> None:
        """Put a share under a legal hold, or with three times None lift it."""
        values = {"b_id": share_id, "since": since, "officer": officer, "why": reason}
        self._connection.execute(_LEGAL_HOLD, values)

    # Keys

    def lock_wrapped(self, table: str, after: str, header: bytes, limit: int) -> list[Row]:
        """Take rows after an id, in its order, whose data key is not wrapped under the key of this header."""
        values = {"after": after, "header": header, "length": len(header), "limit": limit}
        return rows(self._connection, _WRAPPED[table], values)

    def replace_wrapped(self, table: str, wrapped: Mapping[str, bytes]) -> None:
        """Write data keys that were wrapped anew."""
        if wrapped:
            values = [{"b_id": row_id, "b_key": data_key} for row_id, data_key in wrapped.items()]
            self._connection.execute(_REWRAP[table], values)

    def live_consents(self, share_ids: Sequence[str]) -> list[str]:
        """Return the consents of shares that are still living."""
        return list(self._connection.scalars(_LIVE_CONSENTS, {"ids": list(share_ids)}))


_S, _D, _C, _I = tables.shares, tables.deliveries, tables.consents, tables.inbox
_ids: BindParameter[str] = bindparam("ids", expanding=True)

_SHARES_OF = (
    select(_S.c.id)
    .where(_S.c.id.in_(select(_D.c.share_id).where(_D.c.id.in_(_ids))))
    .order_by(_S.c.id)
    .with_for_update()
)
_STANDING = select(_D.c.share_id, _D.c.state, _D.c.answer_state).where(
    _D.c.share_id.in_(_ids), _D.c.kind == DeliveryKind.SHARE
)
_FINAL = (
    update(_S).where(_S.c.id.in_(_ids), _S.c.final_at.is_(None)).values(final_at=bindparam("b_at", type_=Instant()))
)
_NOT_FINAL = (
    update(_S).where(_S.c.id.in_(_ids), _S.c.final_at.is_not(None)).values(final_at=bindparam("b_at", type_=Instant()))
)
_KEPT = (_S.c.data_key.is_not(None), _S.c.legal_hold_since.is_(None))
#: Each date by its own index: either of two is found by reading every share.
_PAST_ITS_TIME = union_all(
    select(_S.c.id).where(*_KEPT, _S.c.sent_at <= bindparam("sent_before", type_=Instant())),
    select(_S.c.id).where(*_KEPT, _S.c.final_at <= bindparam("final_before", type_=Instant())),
)
_FORGETTABLE = (
    select(_S.c.id, _S.c.client_id)
    .where(_S.c.id.in_(_PAST_ITS_TIME), *_KEPT)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_REMEMBERED = select(_S.c.id).where(_S.c.id.in_(_ids), *_KEPT).with_for_update()
_FORGET = forgotten.statements()
_DELIVERIES = select(_D.c.id, _D.c.share_id, _D.c.state).where(_D.c.share_id.in_(_ids)).order_by(_D.c.id)
_ASK_NO_MORE = (
    update(_D)
    .where(_D.c.share_id.in_(_ids), _D.c.state == DeliveryState.IN_DOUBT)
    .values(due_at=NEVER, lease_until=None)
)
_FORGET_MESSAGES = update(_I).where(_I.c.id.in_(_ids)).values(forgotten.emptied(_I))
_READ_NO_MORE = (
    update(_I)
    .where(_I.c.id.in_(_ids), _I.c.state == InboxState.PENDING)
    .values(state=InboxState.REFUSED, reason="forgotten", lease_until=None)
)
_OLD_MESSAGES = (
    select(_I.c.id)
    .outerjoin(_S, _S.c.id == _I.c.share_id)
    .where(
        _I.c.data_key.is_not(None),
        _I.c.received_at <= bindparam("received", type_=Instant()),
        _S.c.legal_hold_since.is_(None),
    )
    .limit(bindparam("limit"))
    .with_for_update(of=_I, skip_locked=True)
)
_LIVE_CONSENTS = select(_C.c.id).where(_C.c.share_id.in_(_ids), STATE.in_(LIVING)).order_by(_C.c.id).with_for_update()
_SHARE = (
    select(_S.c.id, _S.c.data_key.is_(None).label("is_forgotten"), _S.c.legal_hold_since)
    .where(_S.c.id == bindparam("b_id"))
    .with_for_update()
)
_LEGAL_HOLD = (
    update(_S)
    .where(_S.c.id == bindparam("b_id"))
    .values(
        legal_hold_since=bindparam("since", type_=Instant()),
        legal_hold_by=bindparam("officer"),
        legal_hold_reason=bindparam("why"),
    )
)
_WRAPPED = {
    of.name: select(of.c.id, of.c.data_key)
    .where(
        of.c.id > bindparam("after"),
        of.c.data_key.is_not(None),
        func.substr(of.c.data_key, 1, bindparam("length", type_=Integer())) != bindparam("header", type_=LargeBinary()),
    )
    .order_by(of.c.id)
    .limit(bindparam("limit"))
    .with_for_update()
    for of in tables.WITH_DATA_KEY
}
_REWRAP = {
    of.name: update(of).where(of.c.id == bindparam("b_id")).values(data_key=bindparam("b_key"))
    for of in tables.WITH_DATA_KEY
}
