"""The statements of a transaction that concern notices and the inbox: what waits to be told, what waits to be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, literal, or_, select, tuple_, update

from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryState
from hub.domain.digest import Pace
from hub.domain.notice import InboxState, NoticeState
from hub.store import prepared, tables
from hub.store.columns import Instant
from hub.store.fetch import Row, rows


class QueueStatements:
    """Notices and inbox rows carry state, due time and lease themselves, as deliveries do."""

    _connection: Connection

    def claim_notices(
        self, channel: str, limit: int, wall: datetime, lease_until: datetime, *, together: bool = True
    ) -> list[Row]:
        """Take notices of a channel that are due, or whose sender died, under a lease.

        Without `together` those that go in a mail with others are left, until they are in one.
        """
        paces = list(Pace) if together else [Pace.NOW]
        found = rows(self._connection, _DUE_NOTICES, {"channel": channel, "wall": wall, "limit": limit, "paces": paces})
        if found:
            prepared.change(
                self._connection, _TAKE_NOTICE, [{"b_id": each["id"], "lease": lease_until} for each in found]
            )
        return found

    def update_notices(self, changes: Sequence[Row]) -> None:
        """Write what became of notices: id, state, due_at, sent_at, reason. One that was cancelled is tried no more."""
        if changes:
            prepared.change(
                self._connection, _NOTICE, [{f"b_{name}": value for name, value in each.items()} for each in changes]
            )

    def was_told_gone(self, client_id: str) -> bool:
        """Tell whether the operator was told that this client's address is gone."""
        return self._connection.execute(_TOLD_GONE, {"client": client_id}).first() is not None

    def lock_message(self, inbox_id: str) -> bool:
        """Take a message for change; False when it was read or refused already."""
        return self._connection.execute(_PENDING, {"b_id": inbox_id}).first() is not None

    def known_message(self, connection_id: str, message_id: str) -> bool:
        """Tell whether this message came before."""
        values = {"connection": connection_id, "message": message_id}
        return self._connection.execute(_KNOWN, values).first() is not None

    def claim_inbox(self, connection_id: str, limit: int, wall: datetime, lease_until: datetime) -> list[Row]:
        """Take a connection's unread messages under a lease."""
        values = {"connection": connection_id, "wall": wall, "limit": limit}
        found = rows(self._connection, _UNREAD, values)
        if found:
            prepared.change(
                self._connection, _TAKE_MESSAGE, [{"b_id": each["id"], "lease": lease_until} for each in found]
            )
        return found

    def update_inbox(self, changes: Sequence[Row]) -> None:
        """Write what became of messages: id, state, reason, due_at, and which share they are about."""
        if changes:
            prepared.change(
                self._connection, _MESSAGE, [{f"b_{name}": value for name, value in each.items()} for each in changes]
            )

    def waiting_receipts(self, connection_id: str, limit: int) -> list[Row]:
        """The sealed receipts of a connection's deliveries that may still be answered, newest first."""
        return rows(self._connection, _WAITING, {"connection": connection_id, "limit": limit})

    def retry_refused(self, connection_id: str, wall: datetime) -> int:
        """Let a connection's refused messages be read once more, as if they had just come; returns how many."""
        return int(self._connection.execute(_RETRY, {"b_connection": connection_id, "wall": wall}).rowcount)

    def known_tokens(self, tokens: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of these one-time tokens that were used before."""
        found = rows(self._connection, _TOKENS, {"tokens": list(tokens)})
        return {(each["kind"], each["token"]) for each in found}

    def first_of_late(self, kind: str, token: str, wall: datetime, until: datetime) -> bool:
        """Record a token until an instant; False where one that was recorded before has not run out yet."""
        found = self._connection.execute(_UNTIL, {"kind": kind, "token": token}).first()
        if found is not None and found.until > wall:
            return False
        if found is None:
            self._connection.execute(tables.seen.insert(), {"kind": kind, "token": token, "until": until})
        else:
            self._connection.execute(_PROLONG, {"b_kind": kind, "b_token": token, "at": until})
        return True

    def replace_fact(self, name: str, value: str) -> None:
        """Write one of the hub's own facts."""
        self._connection.execute(tables.facts.delete().where(tables.facts.c.name == name))
        self._connection.execute(tables.facts.insert(), {"name": name, "value": value})

    def forget_seen(self, now: datetime) -> None:
        """Drop one-time tokens that have expired anyway."""
        self._connection.execute(_FORGET, {"now": now})


_N, _I = tables.notices, tables.inbox
_wall = bindparam("wall", type_=Instant())

_DUE_NOTICES = (
    select(_N)
    .where(
        _N.c.channel == bindparam("channel"),
        _N.c.digest_id.is_(None),
        # Not what waits to go with others; but what was tried by itself before goes on so.
        or_(_N.c.pace.in_(bindparam("paces", expanding=True)), _N.c.state != NoticeState.QUEUED),
        or_(
            _N.c.state.in_((NoticeState.QUEUED, NoticeState.RETRYING)) & (_N.c.due_at <= _wall),
            (_N.c.state == NoticeState.SENDING) & (_N.c.lease_until <= _wall),
        ),
    )
    .order_by(_N.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_TOLD_GONE = (
    select(_N.c.id)
    .join(tables.shares, tables.shares.c.id == _N.c.share_id)
    .where(_N.c.topic == "webhook.gone", tables.shares.c.client_id == bindparam("client"))
    .limit(1)
)
_TAKE_NOTICE = (
    update(_N)
    .where(_N.c.id == bindparam("b_id"))
    .values(state=NoticeState.SENDING, attempt=_N.c.attempt + 1, lease_until=bindparam("lease", type_=Instant()))
)
_NOTICE = (
    update(_N)
    .where(
        _N.c.id == bindparam("b_id"),
        or_(_N.c.state != NoticeState.CANCELLED, bindparam("b_state") != literal(NoticeState.RETRYING)),
    )
    .values(
        state=bindparam("b_state"),
        due_at=bindparam("b_due_at"),
        sent_at=bindparam("b_sent_at"),
        reason=bindparam("b_reason"),
        lease_until=None,
    )
)
_KNOWN = select(_I.c.id).where(_I.c.connection_id == bindparam("connection"), _I.c.message_id == bindparam("message"))
_PENDING = select(_I.c.id).where(_I.c.id == bindparam("b_id"), _I.c.state == InboxState.PENDING).with_for_update()
_D, _S = tables.deliveries, tables.shares
#: What was completed is over; a no may yet become a yes, and is asked about until the share is forgotten (R35, R59).
_WAITING = (
    select(_D.c.id, _D.c.sealed_receipt, _S.c.data_key)
    .join(_S, _S.c.id == _D.c.share_id)
    .where(
        _D.c.connection_id == bindparam("connection"),
        _D.c.state == DeliveryState.DELIVERED,
        _D.c.answer_state != AnswerState.COMPLETED,
        _D.c.sealed_receipt.is_not(None),
        _S.c.data_key.is_not(None),
    )
    .order_by(_D.c.delivered_at.desc())
    .limit(bindparam("limit"))
)
_UNREAD = (
    select(_I)
    .where(
        _I.c.connection_id == bindparam("connection"),
        _I.c.state == InboxState.PENDING,
        _I.c.data_key.is_not(None),
        _I.c.due_at <= _wall,
        or_(_I.c.lease_until.is_(None), _I.c.lease_until <= _wall),
    )
    .order_by(_I.c.received_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_TAKE_MESSAGE = (
    update(_I)
    .where(_I.c.id == bindparam("b_id"))
    .values(attempt=_I.c.attempt + 1, lease_until=bindparam("lease", type_=Instant()))
)
_MESSAGE = (
    update(_I)
    .where(_I.c.id == bindparam("b_id"))
    .values(
        state=bindparam("b_state"),
        reason=bindparam("b_reason"),
        due_at=bindparam("b_due_at"),
        share_id=bindparam("b_share_id"),
        lease_until=None,
    )
)
_RETRY = (
    update(_I)
    .where(
        _I.c.connection_id == bindparam("b_connection"),
        _I.c.state == InboxState.REFUSED,
        _I.c.data_key.is_not(None),  # what is forgotten cannot be read again
    )
    .values(
        state=InboxState.PENDING, due_at=bindparam("wall", type_=Instant()), attempt=0, reason=None, lease_until=None
    )
)
_UNTIL = select(tables.seen.c.until).where(
    tables.seen.c.kind == bindparam("kind"), tables.seen.c.token == bindparam("token")
)
_PROLONG = (
    update(tables.seen)
    .where(tables.seen.c.kind == bindparam("b_kind"), tables.seen.c.token == bindparam("b_token"))
    .values(until=bindparam("at", type_=Instant()))
)
_TOKENS = select(tables.seen.c.kind, tables.seen.c.token).where(
    tuple_(tables.seen.c.kind, tables.seen.c.token).in_(bindparam("tokens", expanding=True))
)
_FORGET = tables.seen.delete().where(tables.seen.c.until <= bindparam("now", type_=Instant()))
