"""How the hub is: counts by state, held connections, open alerts, and what notices need; ids and codes only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, bindparam, func, select

from hub.domain.alert import AlertState
from hub.domain.answer_note import ABOUT_ANSWER
from hub.domain.notice import InboxState
from hub.services.tell import ANSWERED, INVITE
from hub.store import tables
from hub.store.fetch import Row, row, rows
from hub.store.read_invites import NEWEST_ANSWER

_S, _D, _A, _N, _I = tables.shares, tables.deliveries, tables.alerts, tables.notices, tables.inbox
_C, _H = tables.consents, tables.connections


def counts(engine: Engine) -> dict[str, Any]:
    """Return how many of each there are, by state."""
    with engine.connect() as connection:

        def by_state(table: Any) -> dict[str, int]:
            found = connection.execute(select(table.c.state, func.count()).group_by(table.c.state))
            return {str(state): number for state, number in found}

        return {
            "shares": connection.scalar(select(func.count()).select_from(_S)) or 0,
            "withdrawn": connection.scalar(select(func.count()).where(_S.c.withdrawn_at.is_not(None))) or 0,
            "deliveries": by_state(_D),
            "answered": connection.scalar(
                select(func.count(func.distinct(tables.answers.c.delivery_id))).select_from(tables.answers)
            )
            or 0,
            "alerts": by_state(_A),
            "notices": by_state(_N),
            "inbox": by_state(_I),
        }


def held_connections(engine: Engine) -> dict[str, Row]:
    """Return the connections that are held, with since when and why."""
    held = select(tables.connections).where(tables.connections.c.held_since.is_not(None))
    with engine.connect() as connection:
        return {each["id"]: each for each in rows(connection, held)}


def refused_messages(engine: Engine, connection_id: str) -> int:
    """Return how many messages of a connection's partner could not be read and are no longer tried."""
    refused = select(func.count()).where(_I.c.connection_id == connection_id, _I.c.state == InboxState.REFUSED)
    with engine.connect() as connection:
        return connection.scalar(refused) or 0


def by_connection(engine: Engine) -> dict[str, dict[str, int]]:
    """Return how many deliveries of each state every connection has."""
    statement = select(_D.c.connection_id, _D.c.state, func.count().label("number")).group_by(
        _D.c.connection_id, _D.c.state
    )
    found: dict[str, dict[str, int]] = {}
    with engine.connect() as connection:
        for each in rows(connection, statement):
            found.setdefault(each["connection_id"], {})[each["state"]] = each["number"]
    return found


def open_alerts(engine: Engine, *, closed: bool = False) -> list[Row]:
    """Return the alerts that nobody has answered, oldest first; with `closed`, all of them."""
    statement = (
        select(
            _A.c.id, _A.c.level, _A.c.kind, _A.c.raised_at, _A.c.state, _A.c.holder, _A.c.role, _A.c.taken_by,
            _A.c.delivery_id, _D.c.service_id,
            _S.c.reference, _S.c.sent_at, _S.c.urgent, _S.c.partner_id,
        )
        .join(_D, _D.c.id == _A.c.delivery_id)
        .join(_S, _S.c.id == _D.c.share_id)
        .order_by(_A.c.raised_at)
    )  # fmt: skip
    if not closed:
        statement = statement.where(_A.c.state == AlertState.OPEN)
    with engine.connect() as connection:
        return rows(connection, statement)


_NOTICE_SHARE = select(
    _S.c.id,
    _S.c.reference,
    _S.c.sent_at,
    _S.c.urgent,
    _S.c.client_id,
    _S.c.data_key,
    _S.c.restricted,
    _S.c.sender,
    _S.c.partner_id,
).where(_S.c.id == bindparam("share"))
_NEWEST_FLAG = (
    select(tables.answers.c.do_not_tell_yet)
    .where(tables.answers.c.delivery_id == _D.c.id)
    .order_by(tables.answers.c.at.desc(), tables.answers.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_NOTICE_DELIVERY = select(
    *(_D.c.id, _D.c.service_id, _D.c.state, _D.c.answer_state, _D.c.created_at),
    _NEWEST_FLAG.label("do_not_tell_yet"),
).where(_D.c.id == bindparam("delivery"))
_NOTICE_ALERT = select(_A.c.id, _A.c.level, _A.c.kind, _A.c.raised_at).where(_A.c.id == bindparam("alert"))

_NOT_THERE = (
    select(tables.absences)
    .join(
        _S,
        (tables.absences.c.partner_id == _S.c.partner_id)
        & (tables.absences.c.trusted_person == _S.c.trusted_person)
        & ((tables.absences.c.person == "") | (tables.absences.c.person == _S.c.person)),
    )
    .where(_S.c.id == bindparam("share"))
)
_NOTICE_INVITE = select(tables.invites).where(tables.invites.c.id == bindparam("invite"))
_NOTICE_CONNECTION = select(_H.c.id, _H.c.held_since, _H.c.held_reason).where(_H.c.id == bindparam("connection"))


def notice_context(engine: Engine, notice: Row) -> dict[str, Row | None]:
    """Return what a notice speaks of: its share, delivery, alert, connection and link, as far as it names them."""
    invite_id = notice["recipient"].removeprefix("invite:")
    with engine.connect() as connection:
        return {
            "share": row(connection, _NOTICE_SHARE, {"share": notice["share_id"]}),
            "delivery": row(connection, _NOTICE_DELIVERY, {"delivery": notice["delivery_id"]}),
            "alert": row(connection, _NOTICE_ALERT, {"alert": notice["alert_id"]}),
            "absences": {"rows": rows(connection, _NOT_THERE, {"share": notice["share_id"]})}
            if notice["topic"] == ANSWERED
            else None,
            "connection": row(connection, _NOTICE_CONNECTION, {"connection": notice["connection_id"]}),
            "answer": row(connection, NEWEST_ANSWER, {"delivery": notice["delivery_id"]})
            if notice["topic"] == ABOUT_ANSWER
            else None,
            "invite": row(connection, _NOTICE_INVITE, {"invite": invite_id}) if notice["topic"] == INVITE else None,
        }


def ring(engine: Engine, ring_id: str) -> Row | None:
    """Return a request to be rung."""
    with engine.connect() as connection:
        return row(connection, _RING, {"ring": ring_id})


#: With what nobody could act on, where it is about that.
_RING = (
    select(tables.rings, tables.gaps.c.need, tables.gaps.c.area)
    .outerjoin(tables.gaps, tables.gaps.c.ring_id == tables.rings.c.id)
    .where(tables.rings.c.id == bindparam("ring"))
)


def fact(engine: Engine, name: str) -> str | None:
    """Return one of the hub's own facts, such as the demo's business time."""
    statement = select(tables.facts.c.value).where(tables.facts.c.name == bindparam("name"))
    with engine.connect() as connection:
        return connection.scalar(statement, {"name": name})


def revoked_clients(engine: Engine, client_id: str) -> datetime | None:
    """Return since when a client is revoked, or None."""
    statement = select(tables.clients.c.revoked_at).where(tables.clients.c.id == bindparam("client"))
    with engine.connect() as connection:
        found = connection.scalar(statement, {"client": client_id})
    return found if isinstance(found, datetime) else None
