"""Who is signed in, by the keyed hash of their cookie; and accounts as the operator lists them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, bindparam, func, select

from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row, rows

_A, _S = tables.accounts, tables.sessions

_SESSION = (
    select(_S, _A.c.disabled_at)
    .join(_A, _A.c.person == _S.c.person, isouter=True)
    .where(_S.c.token == bindparam("token"))
)
_BY_LINK = select(_A.c.person, _A.c.link_until, _A.c.disabled_at).where(_A.c.link == bindparam("link"))
_LIVE = (
    select(func.count())
    .where(_S.c.person == _A.c.person, _S.c.ended_at.is_(None), _S.c.until > bindparam("wall", type_=Instant()))
    .scalar_subquery()
)
_ALL = select(
    _A.c.person, _A.c.password.is_not(None).label("has_password"), _A.c.secret.is_not(None).label("has_app"),
    _A.c.link_until, _A.c.made_at, _A.c.disabled_at, _LIVE.label("sessions"),
).order_by(_A.c.person)  # fmt: skip


def session_by_token(engine: Engine, token: str) -> Row | None:
    """Return the session whose cookie has this keyed hash, and when its person's account was disabled, if it was."""
    with engine.connect() as connection:
        return row(connection, _SESSION, {"token": token})


def account_by_link(engine: Engine, link: str) -> Row | None:
    """Return whose one-time link has this keyed hash, and until when it works."""
    with engine.connect() as connection:
        return row(connection, _BY_LINK, {"link": link})


def accounts(engine: Engine, wall: datetime) -> list[Row]:
    """Return every account, by person, with how many sessions it has now; no password, secret or link."""
    with engine.connect() as connection:
        return rows(connection, _ALL, {"wall": wall})
