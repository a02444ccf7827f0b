"""What earlier shares of a partner say of a new one: an answer that named somebody else, and a plan's versions."""

from __future__ import annotations

from sqlalchemy import Engine, bindparam, select

from hub.store import tables
from hub.store.fetch import Row, row

_S, _D, _R, _V = tables.shares, tables.deliveries, tables.redirects, tables.plan_versions

_REDIRECT = (
    select(_S.c.person, _S.c.sent_at, _D.c.answer_state, _R.c.first_asked_at, _R.c.number.label("redirects"))
    .join(_S, _S.c.id == _D.c.share_id)
    .outerjoin(_R, _R.c.share_id == _S.c.id)
    .where(_D.c.id == bindparam("delivery"), _S.c.partner_id == bindparam("partner"))
)
_VERSIONS = (
    select(_V.c.version)
    .where(_V.c.partner_id == bindparam("partner"), _V.c.plan == bindparam("plan"))
    .order_by(_V.c.id.desc())
)


def read_redirect(engine: Engine, delivery_id: str, partner_id: str) -> Row | None:
    """Return what a partner's delivery was answered, whose it is, and when it was first asked."""
    with engine.connect() as connection:
        return row(connection, _REDIRECT, {"delivery": delivery_id, "partner": partner_id})


def plan_versions(engine: Engine, partner_id: str, plan: str) -> list[str]:
    """Return the versions of a plan that a partner has named, as keyed hashes, the one that came last first."""
    with engine.connect() as connection:
        return list(connection.scalars(_VERSIONS, {"partner": partner_id, "plan": plan}))
