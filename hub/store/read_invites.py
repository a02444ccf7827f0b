"""What the answer page shows, still sealed, by its link's keyed hash; the device that asks; and links as listed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, bindparam, select

from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row, rows

_V = tables.devices
_I, _D, _S, _C = tables.invites, tables.deliveries, tables.shares, tables.consents

_BY_LINK = (
    select(
        _I.c.id.label("invite_id"), _I.c.expires_at, _I.c.opened_at, _I.c.revoked_at, _I.c.tries,
        _I.c.address, _D.c.id, _D.c.share_id, _D.c.service_id, _D.c.kind, _D.c.state, _D.c.answer_state, _D.c.parcel,
        _S.c.reference, _S.c.data_key, _S.c.died_at, _C.c.state.label("consent_state"), _C.c.ends_at,
    )
    .join(_D, _D.c.id == _I.c.delivery_id)
    .join(_S, _S.c.id == _D.c.share_id)
    .join(_C, _C.c.id == _D.c.consent_id)
    .where(_I.c.token == bindparam("token"), _D.c.service_id == bindparam("service"))
)  # fmt: skip
_DEVICE = select(_V).where(_V.c.token == bindparam("token"))

_OF_SHARE = (
    select(
        _I.c.id, _D.c.service_id, _I.c.delivery_id, _D.c.kind, _I.c.number, _I.c.address, _I.c.created_at,
        _I.c.expires_at, _I.c.opened_at, _I.c.revoked_at, _I.c.tries,
    )
    .join(_D, _D.c.id == _I.c.delivery_id)
    .where(_D.c.share_id == bindparam("share"))
    .order_by(_I.c.created_at, _I.c.number)
)  # fmt: skip
_KNOWN = (
    select(_V.c.id, _V.c.service_id, _V.c.remembered, _V.c.began_at, _V.c.until)
    .where(_V.c.ended_at.is_(None), _V.c.until > bindparam("wall", type_=Instant()))
    .order_by(_V.c.service_id, _V.c.began_at)
)


def by_link(engine: Engine, token: str, service_id: str) -> Row | None:
    """Return what a link of this service opens, by its keyed hash; another service's is not found."""
    with engine.connect() as connection:
        return row(connection, _BY_LINK, {"token": token, "service": service_id})


def device_by_token(engine: Engine, token: str) -> Row | None:
    """Return the device whose cookie has this keyed hash."""
    with engine.connect() as connection:
        return row(connection, _DEVICE, {"token": token})


def invites_of(engine: Engine, share_id: str) -> list[Row]:
    """Return the links of a share, oldest first; none of them can be made from this."""
    with engine.connect() as connection:
        return rows(connection, _OF_SHARE, {"share": share_id})


def known_devices(engine: Engine, wall: datetime) -> list[Row]:
    """Return the devices that are known now, by service."""
    with engine.connect() as connection:
        return rows(connection, _KNOWN, {"wall": wall})


_A = tables.answers
NEWEST_ANSWER = (
    select(_A.c.owner_missing, _A.c.reason_missing, _A.c.next_date_missing, _A.c.held_back, _D.c.kind, _C.c.returns)
    .join(_D, _D.c.id == _A.c.delivery_id)
    .join(_C, _C.c.id == _D.c.consent_id)
    .where(_A.c.delivery_id == bindparam("delivery"))
    .order_by(_A.c.at.desc(), _A.c.id.desc())
    .limit(1)
)


def newest_answer(engine: Engine, delivery_id: str) -> Row | None:
    """Return what the newest answer to a delivery lacks, and what of it was held back; None where there is none."""
    with engine.connect() as connection:
        return row(connection, NEWEST_ANSWER, {"delivery": delivery_id})
