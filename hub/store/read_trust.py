"""Who may speak for a person and what waits for a champion, looked up within one partner (R06, TH02)."""

from __future__ import annotations

from sqlalchemy import Engine, bindparam, or_, select

from hub.store import tables
from hub.store.fetch import Row, row, rows

_T, _H, _S, _C = tables.trusted_people, tables.held_shares, tables.shares, tables.consents

_LINK = select(_T).where(
    _T.c.partner_id == bindparam("partner"),
    _T.c.trusted_person == bindparam("trusted_person"),
    _T.c.person == bindparam("person"),
)


def read_link(engine: Engine, partner_id: str, trusted_person: str, person: str) -> Row | None:
    """Return what one partner keeps of a person's choice, by keyed hashes."""
    with engine.connect() as connection:
        return row(connection, _LINK, {"partner": partner_id, "trusted_person": trusted_person, "person": person})


_WAITING = (
    select(_S, _H.c.body, _C.c.record_id)
    .join(_C, _C.c.share_id == _S.c.id)
    .outerjoin(_H, _H.c.share_id == _S.c.id)
    .where(_S.c.id == bindparam("share"), _S.c.partner_id == bindparam("partner"))
    .limit(1)
)


def read_held(engine: Engine, share_id: str, partner_id: str) -> Row | None:
    """Return a partner's share with what is kept of it while it waits; None for another's exactly as for none."""
    with engine.connect() as connection:
        return row(connection, _WAITING, {"share": share_id, "partner": partner_id})


_DEATH = select(tables.deaths.c.at).where(
    tables.deaths.c.partner_id == bindparam("partner"), tables.deaths.c.person == bindparam("person")
)


def has_died(engine: Engine, partner_id: str, person: str) -> bool:
    """Tell whether one partner's person is known to have died, by keyed hash (R69)."""
    with engine.connect() as connection:
        return row(connection, _DEATH, {"partner": partner_id, "person": person}) is not None


_OF_ONE = (_S.c.partner_id == bindparam("partner"), _S.c.trusted_person == bindparam("trusted_person"))
_LAST_SHOWN = select(_S.c.sent_at, _S.c.id).where(*_OF_ONE, _S.c.id == bindparam("after"))
_SHARES = select(_S).where(*_OF_ONE).order_by(_S.c.sent_at.desc(), _S.c.id.desc()).limit(bindparam("limit"))


def shares_of(engine: Engine, partner_id: str, trusted_person: str, after: str, limit: int) -> list[Row] | None:
    """Return a trusted person's shares, newest first, from the one `after` on; None where that one is not theirs."""
    values = {"partner": partner_id, "trusted_person": trusted_person}
    with engine.connect() as connection:
        if not after:
            return rows(connection, _SHARES, values | {"limit": limit})
        last = row(connection, _LAST_SHOWN, values | {"after": after})
        if last is None:
            return None
        older = or_(_S.c.sent_at < last["sent_at"], (_S.c.sent_at == last["sent_at"]) & (_S.c.id < last["id"]))
        return rows(connection, _SHARES.where(older), values | {"limit": limit})
