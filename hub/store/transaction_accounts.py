"""The statements of a transaction that concern accounts, sessions, and guesses at them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, text, update

from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row

_A, _S, _G = tables.accounts, tables.sessions, tables.guesses

#: How long a guess counts, and is kept at all.
_COUNTED = timedelta(minutes=15)


class AccountStatements:
    """Accounts by their person, sessions by the keyed hash of their cookie."""

    _connection: Connection

    def lock_account(self, person: str) -> Row | None:
        """Take for change the account of a person."""
        return row(self._connection, _OF_PERSON, {"person": person})

    def lock_account_by_link(self, link: str) -> Row | None:
        """Take for change the account whose one-time link has this keyed hash."""
        return row(self._connection, _BY_LINK, {"link": link})

    def change_account(self, account_id: str, changes: Row) -> None:
        """Change an account that is locked."""
        self._connection.execute(update(_A).where(_A.c.id == account_id).values(dict(changes)))

    def count_guess(self, kind: str, token: str, wall: datetime) -> int:
        """Count one more guess at a name, or from an address; returns the number within a quarter of an hour."""
        values = {"kind": kind, "token": token, "wall": wall, "from": wall - _COUNTED}
        return int(self._connection.execute(_GUESSED, values).scalar_one())

    def clear_guesses(self, kind: str, token: str) -> None:
        """Begin the count anew, now that somebody proved who they are."""
        self._connection.execute(_CLEAR, {"b_kind": kind, "b_token": token})

    def end_sessions(self, person: str, wall: datetime, token: str = "") -> int:
        """End a person's session of this keyed hash, or every one where none is given; returns how many."""
        statement = _END_ONE if token else _END_ALL
        return self._connection.execute(statement, {"b_person": person, "b_token": token, "at": wall}).rowcount

    def see_session(self, token: str, wall: datetime) -> None:
        """Note that a session was used."""
        self._connection.execute(_SEEN, {"b_token": token, "at": wall})

    def forget_sign_ins(self, now: datetime) -> None:
        """Drop sessions that have run out anyway, and guesses that no longer count."""
        self._connection.execute(_FORGET_SESSIONS, {"now": now})
        self._connection.execute(_FORGET_GUESSES, {"now": now - _COUNTED})


_OF_PERSON = select(_A).where(_A.c.person == bindparam("person")).with_for_update()
_BY_LINK = select(_A).where(_A.c.link == bindparam("link")).with_for_update()
# One statement, so that many at once in many processes are all counted.
_GUESSED = text(
    "INSERT INTO guesses (kind, token, number, since) VALUES (:kind, :token, 1, :wall)"
    " ON CONFLICT (kind, token) DO UPDATE SET"
    " number = CASE WHEN guesses.since > :from THEN guesses.number + 1 ELSE 1 END,"
    " since = CASE WHEN guesses.since > :from THEN guesses.since ELSE excluded.since END"
    " RETURNING number"
).bindparams(bindparam("wall", type_=Instant()), bindparam("from", type_=Instant()))
_CLEAR = _G.delete().where(_G.c.kind == bindparam("b_kind"), _G.c.token == bindparam("b_token"))
_END_ALL = (
    update(_S)
    .where(_S.c.person == bindparam("b_person"), _S.c.ended_at.is_(None))
    .values(ended_at=bindparam("at", type_=Instant()))
)
_END_ONE = _END_ALL.where(_S.c.token == bindparam("b_token"))
_SEEN = update(_S).where(_S.c.token == bindparam("b_token")).values(seen_at=bindparam("at", type_=Instant()))
_FORGET_SESSIONS = _S.delete().where(_S.c.until <= bindparam("now", type_=Instant()))
_FORGET_GUESSES = _G.delete().where(_G.c.since <= bindparam("now", type_=Instant()))
