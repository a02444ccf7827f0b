"""The statements of a transaction that concern links to the answer page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from hub.store import tables
from hub.store.fetch import Row, row, rows

_I, _D, _S, _V = tables.invites, tables.deliveries, tables.shares, tables.devices


class InviteStatements:
    """Links, each known by a keyed hash of its token alone."""

    _connection: Connection

    def known_invites(self, invite_ids: Sequence[str]) -> dict[str, Row]:
        """Return those of these links that were made already."""
        return {each["id"]: each for each in rows(self._connection, _KNOWN, {"ids": list(invite_ids)})}

    def references(self, share_ids: Sequence[str]) -> dict[str, str]:
        """Return the speakable references of shares."""
        return {each["id"]: each["reference"] for each in rows(self._connection, _REFERENCES, {"ids": list(share_ids)})}

    def lock_invite(self, token: str) -> Row | None:
        """Take for change the link that has this keyed hash."""
        return row(self._connection, _LOCKED, {"token": token})

    def newest_invite(self, delivery_id: str) -> int:
        """Return the number of a delivery's newest link."""
        return self._connection.scalar(_NEWEST, {"delivery": delivery_id}) or 0

    def last_invite(self, delivery_id: str) -> Row | None:
        """Take for change the newest link of a delivery."""
        return row(self._connection, _LAST, {"delivery": delivery_id})

    def count_wrong_code(self, invite_id: str, wall: datetime) -> None:
        """Count one more wrong code."""
        self._connection.execute(_WRONG, {"invite": invite_id, "at": wall})

    def wrong_codes(self, service_id: str, since: datetime) -> int:
        """Return how many wrong codes were tried on a service's links, where the last of a link's came since then."""
        return self._connection.scalar(_WRONG_SINCE, {"service": service_id, "since": since}) or 0

    def open_invite(self, invite_id: str, at: datetime) -> None:
        """Note that somebody proved the team's code, and begin the count of wrong ones anew."""
        self._connection.execute(_OPENED, {"invite": invite_id, "at": at})

    def revoke_invites(self, delivery_id: str, at: datetime) -> None:
        """End every link of a delivery."""
        self._connection.execute(_REVOKED, {"delivery": delivery_id, "at": at})

    def end_devices(self, service_id: str, token: str, at: datetime) -> int:
        """End a service's device of this keyed hash, or every one where none is given; returns how many."""
        statement = _END_DEVICE if token else _END_DEVICES
        return self._connection.execute(statement, {"service": service_id, "known": token, "at": at}).rowcount

    def forget_devices(self, now: datetime) -> None:
        """Drop devices that have run out anyway."""
        self._connection.execute(_FORGET_DEVICES, {"now": now})


_KNOWN = select(_I).where(_I.c.id.in_(bindparam("ids", expanding=True)))
_REFERENCES = select(_S.c.id, _S.c.reference).where(_S.c.id.in_(bindparam("ids", expanding=True)))
_LOCKED = (
    select(_I, _D.c.share_id, _D.c.service_id)
    .join(_D, _D.c.id == _I.c.delivery_id)
    .where(_I.c.token == bindparam("token"))
    .with_for_update(of=_I)
)
_NEWEST = select(func.max(_I.c.number)).where(_I.c.delivery_id == bindparam("delivery"))
_LAST = (
    select(_I).where(_I.c.delivery_id == bindparam("delivery")).order_by(_I.c.number.desc()).limit(1).with_for_update()
)
_WRONG = (
    update(_I)
    .where(_I.c.id == bindparam("invite"))
    .values(tries=_I.c.tries + 1, tried_at=bindparam("at", type_=_I.c.tried_at.type))
)
_WRONG_SINCE = (
    select(func.sum(_I.c.tries))
    .join(_D, _D.c.id == _I.c.delivery_id)
    .where(_I.c.tried_at > bindparam("since", type_=_I.c.tried_at.type), _D.c.service_id == bindparam("service"))
)
_END_DEVICES = (
    update(_V)
    .where(_V.c.service_id == bindparam("service"), _V.c.ended_at.is_(None))
    .values(ended_at=bindparam("at", type_=_V.c.ended_at.type))
)
_END_DEVICE = _END_DEVICES.where(_V.c.token == bindparam("known"))
_FORGET_DEVICES = _V.delete().where(_V.c.until <= bindparam("now", type_=_V.c.until.type))
_OPENED = (
    update(_I)
    .where(_I.c.id == bindparam("invite"))
    .values(tries=0, opened_at=func.coalesce(_I.c.opened_at, bindparam("at", type_=_I.c.opened_at.type)))
)
_REVOKED = (
    update(_I)
    .where(_I.c.delivery_id == bindparam("delivery"), _I.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)
