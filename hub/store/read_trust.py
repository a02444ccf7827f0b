"""Who may speak for a person and what waits for a champion, looked up within one partner (R06, TH02)."""

from __future__ import annotations

from sqlalchemy import BindParameter, Engine, and_, bindparam, or_, select

from hub.store import tables
from hub.store.fetch import Row, row, rows
from hub.store.transaction_absences import LAST_DAYS
from hub.store.transaction_trust import with_last_day

_T, _H, _S, _C = tables.trusted_people, tables.held_shares, tables.shares, tables.consents

_LINK = select(_T).where(
    _T.c.partner_id == bindparam("partner"),
    _T.c.trusted_person == bindparam("trusted_person"),
    _T.c.person == bindparam("person"),
)


def read_link(engine: Engine, partner_id: str, trusted_person: str, person: str) -> Row | None:
    """Return what one partner keeps of a person's choice, by keyed hashes."""
    with engine.connect() as connection:
        link = row(connection, _LINK, {"partner": partner_id, "trusted_person": trusted_person, "person": person})
        gone = row(connection, LAST_DAYS, {"pairs": [(partner_id, trusted_person)]})
        return link if gone is None else with_last_day(link, gone["first"])


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


_B = tables.absences
_whose: BindParameter[str] = bindparam("trusted_person")
#: Of somebody who is away today, and whose person named this one as their cover: for the share, or else for all (R07).
_COVERED = (
    _S.c.partner_id == bindparam("partner"),
    or_(
        _S.c.cover == _whose,
        _S.c.cover.is_(None)
        & select(_T.c.id)
        .where(
            _T.c.partner_id == bindparam("partner"),
            _T.c.cover == _whose,
            _T.c.trusted_person == _S.c.trusted_person,
            _T.c.person == _S.c.person,
        )
        .exists(),
    ),
    select(_B.c.kind)
    .where(
        _B.c.partner_id == _S.c.partner_id,
        _B.c.trusted_person == _S.c.trusted_person,
        or_(_B.c.person == "", _B.c.person == _S.c.person),
        _B.c.kind == "away",
        _B.c.first <= bindparam("day"),
        or_(_B.c.last.is_(None), _B.c.last >= bindparam("day")),
    )
    .exists(),
)
_OWN = (_S.c.partner_id == bindparam("partner"), _S.c.trusted_person == _whose)
#: Nobody is anybody's cover, as a rule: then what is theirs is found by its index alone.
_COVERS = select(_T.c.id).where(_T.c.partner_id == bindparam("partner"), _T.c.cover == _whose)
_COVERS_ONE = select(_S.c.id).where(_S.c.partner_id == bindparam("partner"), _S.c.cover == _whose)


def shares_of(  # noqa: PLR0913 - whose, which page, and on which day
    engine: Engine, partner_id: str, trusted_person: str, after: str, limit: int, day: str
) -> list[Row] | None:
    """Return a trusted person's shares, newest first, from the one `after` on; None where that one is not theirs.

    With them come those that they cover on this `day` of London's (R07).
    """
    values = {"partner": partner_id, "trusted_person": trusted_person, "day": day}
    with engine.connect() as connection:
        covers = row(connection, _COVERS, values) or row(connection, _COVERS_ONE, values)
        theirs = or_(and_(*_OWN), and_(*_COVERED)) if covers else and_(*_OWN)
        listed = select(_S).where(theirs).order_by(_S.c.sent_at.desc(), _S.c.id.desc()).limit(bindparam("limit"))
        last_shown = select(_S.c.sent_at, _S.c.id).where(theirs, _S.c.id == bindparam("after"))
        if not after:
            return rows(connection, listed, values | {"limit": limit})
        last = row(connection, last_shown, values | {"after": after})
        if last is None:
            return None
        older = or_(_S.c.sent_at < last["sent_at"], (_S.c.sent_at == last["sent_at"]) & (_S.c.id < last["id"]))
        return rows(connection, listed.where(older), values | {"limit": limit})
