"""The statements of a transaction that concern who may speak for a person, and the shares that wait for a champion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, tuple_, update

from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row, rows
from hub.store.transaction_absences import LAST_DAYS

_T, _H, _S = tables.trusted_people, tables.held_shares, tables.shares


class TrustStatements:
    """Links between people and those they trust, by keyed hashes; and held shares."""

    _connection: Connection

    def links(self, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], Row]:
        """Return what is kept by (partner, trusted person, person); no link changes before this transaction ends."""
        found = rows(self._connection, _LINKS, {"keys": list(keys)})
        known = {(each["partner_id"], each["trusted_person"], each["person"]): each for each in found}
        gone = rows(self._connection, LAST_DAYS, {"pairs": list({key[:2] for key in keys})}) if keys else []
        days = {(each["partner_id"], each["trusted_person"]): each["first"] for each in gone}
        return known | {key: with_last_day(known.get(key), days[key[:2]]) for key in keys if key[:2] in days}

    def lock_link(self, key: tuple[str, str, str]) -> Row | None:
        """Take one link for change."""
        return row(self._connection, _LOCKED, {"keys": [key]})

    def change_link(self, link_id: str, seen: str, at: datetime, details: bytes) -> None:
        """Write what a link says now."""
        self._connection.execute(_CHANGE, {"b_id": link_id, "seen": seen, "kept_at": at, "details": details})

    def is_held(self, share_id: str) -> bool:
        """Tell whether a share waits for its champion; its consents are locked already."""
        return self._connection.scalar(_HELD, {"share": share_id}) is not None

    def held_since(self, instant: datetime, limit: int) -> list[Row]:
        """Return shares that have waited for their champion since before an instant, the oldest first."""
        return rows(self._connection, _WAITING, {"instant": instant, "limit": limit})

    def end_hold(self, share_id: str, *, released: bool) -> None:
        """Drop what was kept of a share that waited; one that was withdrawn still says that it had waited."""
        self._connection.execute(_DROP, {"share": share_id})
        if released:
            self._connection.execute(_RELEASED, {"b_id": share_id})


def with_last_day(link: Row | None, first_gone: str) -> Row:
    """Return a link with when its trusted person is not there any more, for whoever chose them (R08)."""
    return {**(link or {"seen": "", "data_key": None}), "gone_from": first_gone}


_KEYS = tuple_(_T.c.partner_id, _T.c.trusted_person, _T.c.person).in_(bindparam("keys", expanding=True))
_LINKS = select(_T).where(_KEYS).order_by(_T.c.id).with_for_update(read=True)
_LOCKED = select(_T).where(_KEYS).with_for_update()
_CHANGE = (
    update(_T)
    .where(_T.c.id == bindparam("b_id"))
    .values(seen=bindparam("seen"), kept_at=bindparam("kept_at", type_=Instant()), details=bindparam("details"))
)
_HELD = select(_H.c.share_id).where(_H.c.share_id == bindparam("share"))
_WAITING = (
    select(_S.c.id, _S.c.partner_id)
    .join(_H, _H.c.share_id == _S.c.id)
    .where(_S.c.held_since <= bindparam("instant", type_=Instant()))
    .order_by(_S.c.held_since)
    .limit(bindparam("limit"))
)
_DROP = _H.delete().where(_H.c.share_id == bindparam("share"))
_RELEASED = update(_S).where(_S.c.id == bindparam("b_id")).values(held_since=None)
