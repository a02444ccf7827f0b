"""The statements whose locks carry a promise, in plain SQL: claim, withdraw, settle (architecture section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import BindParameter, Connection, TextClause, TextualSelect, bindparam, or_, select, text

from hub.domain.answer import AnswerState
from hub.domain.consent import LIVING, ConsentState
from hub.domain.delivery import CLAIMABLE, ENDED, DeliveryKind, DeliveryState
from hub.domain.status import FINAL
from hub.store import tables
from hub.store.columns import Instant, listed

#: What the courier needs of a parcel, and what settling needs of a delivery.
_OF_PARCEL = """
    d.id, d.state AS from_state, d.share_id, d.kind, d.attempt + 1 AS attempt, d.key, d."case", d.address,
    d.content_type, d.parcel, d.deaths, d.sealed_receipt, s.data_key
"""
_OF_DELIVERY = """
    d.id, d.share_id, d.consent_id, d.service_id, d.connection_id, d.kind, d.key, d."case",
    d.linked_to, d.state, d.answer_state, d.attempt,
    d.counted, d.deaths, d.may_have_left, d.due_at, d.lease_until, d.claimed_at, d.first_claimed_at, d.delivered_at,
    d.receipt, d.sealed_receipt, s.client_id, s.partner_id, s.person, s.died_at, s.data_key, c.returns,
    c.state AS consent_state
"""

#: A withdrawal locks the consent row first: claiming takes the same row FOR SHARE, so that either the claim is
#: committed before the withdrawal sees the delivery, or the withdrawal is and the claim passes it over. An EXISTS
#: test alone lets a send commit after the withdrawal. SQLite has one writer at a time (BEGIN IMMEDIATE).
_CLAIM = f"""
SELECT {_OF_PARCEL}
FROM deliveries d
JOIN consents c ON c.id = d.consent_id
JOIN shares s ON s.id = d.share_id
WHERE d.connection_id = :connection AND d.state IN ({{states}}) AND d.due_at <= :wall {{lease}}
  {{consent}}
  AND s.data_key IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM audit_events u WHERE u.position IS NULL AND u.kept_at <= :unsealed_before)
  AND NOT EXISTS (SELECT 1 FROM connections h WHERE h.id = d.connection_id AND h.held_since IS NOT NULL)
  AND (d.after IS NULL
       OR EXISTS (SELECT 1 FROM deliveries p WHERE p.id = d.after AND (p.state IN ({listed(ENDED)}) {{unsure}})))
ORDER BY d.due_at LIMIT :limit
"""  # noqa: S608 - every name in it comes from the table of moves
#: What holds nothing of the story may go when consent has ended: it takes back what went (R15). Nothing goes of
#: somebody who has died, and nothing is asked by sending (R69).
#: A share that was kept in the very moment of a death does not bear its mark yet: the death itself is looked for.
_LIVING = f"""AND ((c.state IN ({listed(LIVING)}) AND c.ends_at > :business) OR d.bare)
  AND NOT EXISTS (SELECT 1 FROM deaths x WHERE x.partner_id = s.partner_id AND x.person = s.person)"""  # noqa: S608 - as above
#: Asking whether something arrived sends nothing, and matters more once consent has ended (R15): only what the answer
#: may lead to, another send, needs consent, and that is a claim of its own. A connector that finds out by sending the
#: same bytes again (BaRS) asks under living consent alone: its question would be a send.
_UNASKED = "AND d.lease_until IS NULL"
#: One slot is a doubt's before it is a parcel's: behind a backlog no doubt would ever be asked about.
_NONE_ASKED = f"""AND NOT EXISTS (SELECT 1 FROM deliveries q WHERE q.connection_id = :connection
       AND q.state = '{DeliveryState.IN_DOUBT}' AND q.lease_until IS NOT NULL)"""  # noqa: S608 - the name of a state
#: Where asking would be a send, a doubt under ended consent is never settled: a request to stop must not wait for it.
_PAST_A_DOUBT = f"""OR (d.bare
       AND p.state = '{DeliveryState.IN_DOUBT}' AND p.lease_until IS NULL)"""
_CLAIM_LOCKS = "FOR UPDATE OF d SKIP LOCKED FOR SHARE OF c SKIP LOCKED"

_LOCK_CONSENTS = """
SELECT c.id, c.share_id, c.service_id, c.state, c.agreement, s.partner_id, s.died_at
FROM consents c JOIN shares s ON s.id = c.share_id
WHERE c.record_id = :record ORDER BY c.id
"""

_LOCK_DELIVERIES = f"""
SELECT {_OF_DELIVERY}
FROM deliveries d JOIN shares s ON s.id = d.share_id JOIN consents c ON c.id = d.consent_id
WHERE {{which}} ORDER BY d.id
"""  # noqa: S608 - `which` is one of two constants below

_BY_ID = "d.id IN :ids"
_BY_REFERENCE = "d.connection_id = :connection AND (d.key = :key OR d.receipt = :receipt)"


_C = tables.consents
_agreements: BindParameter[str] = bindparam("agreements", expanding=True)
#: SQLite keeps no count of rows, and would read every living consent by the index of states: joined to a text, a state
#: has no index, and the agreement or need has.
STATE = _C.c.state.concat("")
_ENDED_AGREEMENTS = (
    select(_C.c.agreement, _C.c.state)
    .where(_C.c.agreement.in_(_agreements), STATE.in_((ConsentState.SUPERSEDED, ConsentState.WITHDRAWN)))
    .distinct()
    .order_by(_C.c.state)
)
#: In the order in which a withdrawal takes them.
LOCK_AGREEMENTS = (
    select(_C.c.id, _C.c.record_id, _C.c.share_id, _C.c.service_id, _C.c.state, _C.c.agreement)
    .where(_C.c.agreement.in_(_agreements))
    .order_by(_C.c.id)
    .with_for_update()
)
KNOWN_AGREEMENTS = select(_C.c.agreement).where(_C.c.agreement.in_(_agreements)).distinct()


def ended_agreements(connection: Connection, agreements: Sequence[str]) -> dict[str, str]:
    """Return the state of those agreements that were withdrawn or superseded: whichever share bears them again (R12).

    One that was both is withdrawn: the states come in that order.
    """
    return {row.agreement: row.state for row in connection.execute(_ENDED_AGREEMENTS, {"agreements": list(agreements)})}


_S, _D = tables.shares, tables.deliveries
_OPEN_NEEDS = (
    select(_C.c.need, _S.c.id)
    .join(_D, _D.c.consent_id == _C.c.id)
    .join(_S, _S.c.id == _D.c.share_id)
    .where(
        _C.c.need.in_(bindparam("needs", expanding=True)),
        STATE == ConsentState.GIVEN,
        _D.c.kind == DeliveryKind.SHARE,
        _D.c.state.not_in((DeliveryState.CANCELLED, DeliveryState.DEAD_LETTERED)),
        _D.c.answer_state.not_in(sorted(FINAL)),
        or_(_S.c.ask != "know", _D.c.answer_state == AnswerState.AWAITED),  # a receipt was all that was asked (R71)
        _S.c.told_at.is_(None),
        _S.c.data_key.is_not(None),
    )
)


def open_needs(connection: Connection, needs: Sequence[str]) -> dict[str, str]:
    """Return of these needs those that a service has, or is getting, and has not ended, with its share (R32)."""
    return {row.need: row.id for row in connection.execute(_OPEN_NEEDS, {"needs": list(needs)})}


@cache
def claim(dialect: str, doubts: bool, asks_only: bool = False, only_one: bool = False) -> TextClause:
    """Return the statement that picks what is due on a connection, or what is in doubt there, under locks.

    `asks_only` says that the connector reconciles without sending the parcel again; `only_one` that no doubt is wanted
    while another of the connection is being asked about.
    """
    wall, business = bindparam("wall", type_=Instant()), bindparam("business", type_=Instant())
    unsealed = bindparam("unsealed_before", type_=Instant())
    locks = _CLAIM_LOCKS if dialect == "postgresql" else ""
    unsure = "" if asks_only else _PAST_A_DOUBT
    if doubts:
        consent = "" if asks_only else _LIVING
        lease = f"{_UNASKED} {_NONE_ASKED}" if only_one else _UNASKED
        sql = _CLAIM.format(states=f"'{DeliveryState.IN_DOUBT}'", lease=lease, consent=consent, unsure=unsure)
        return text(sql + locks).bindparams(unsealed, *((wall,) if asks_only else (wall, business)))
    sql = _CLAIM.format(states=listed(CLAIMABLE), lease="", consent=_LIVING, unsure=unsure)
    return text(sql + locks).bindparams(unsealed, wall, business)


@cache
def lock_consents(dialect: str) -> TextClause:
    """Return the statement by which a withdrawal takes its consents before anything else."""
    return text(_LOCK_CONSENTS + ("FOR UPDATE OF c" if dialect == "postgresql" else ""))


@cache
def lock_deliveries(dialect: str, by_reference: bool) -> TextualSelect:
    """Return the statement that reads deliveries for change, by id or by what a partner calls them."""
    sql = _LOCK_DELIVERIES.format(which=_BY_REFERENCE if by_reference else _BY_ID)
    statement = text(sql + ("FOR UPDATE OF d" if dialect == "postgresql" else ""))
    if not by_reference:
        statement = statement.bindparams(bindparam("ids", expanding=True))
    columns = tables.deliveries.c
    return statement.columns(
        columns.id,
        columns.share_id,
        columns.consent_id,
        columns.service_id,
        columns.connection_id,
        columns.kind,
        columns.key,
        columns.case,
        columns.linked_to,
        columns.state,
        columns.answer_state,
        columns.attempt,
        columns.counted,
        columns.deaths,
        columns.may_have_left,
        columns.due_at,
        columns.lease_until,
        columns.claimed_at,
        columns.first_claimed_at,
        columns.delivered_at,
        columns.receipt,
        columns.sealed_receipt,
        tables.shares.c.client_id,
        tables.shares.c.partner_id,
        tables.shares.c.person,
        tables.shares.c.died_at,
        tables.shares.c.data_key,
        tables.consents.c.returns,
        tables.consents.c.state.label("consent_state"),
    )
