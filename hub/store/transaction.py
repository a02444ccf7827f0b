"""One transaction of the writer: the named statements that the services ask for, gathered from their modules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select, tuple_, update

from hub.domain.answer import AnswerState
from hub.domain.consent import LIVING
from hub.domain.delivery import WITHDRAWABLE, DeliveryState
from hub.domain.retry import NEVER
from hub.store import prepared, statements, tables
from hub.store.bulk import WORTH_IT, insert_many
from hub.store.columns import Instant
from hub.store.fetch import Row, rows
from hub.store.transaction_absences import AbsenceStatements
from hub.store.transaction_accounts import AccountStatements
from hub.store.transaction_audit import AuditStatements
from hub.store.transaction_barriers import BarrierStatements
from hub.store.transaction_before import BeforeStatements
from hub.store.transaction_clients import ClientStatements
from hub.store.transaction_clocks import ClockStatements
from hub.store.transaction_collect import CollectStatements
from hub.store.transaction_consents import ConsentStatements
from hub.store.transaction_digest import DigestStatements
from hub.store.transaction_forgetting import ForgettingStatements
from hub.store.transaction_further import FurtherStatements
from hub.store.transaction_invites import InviteStatements
from hub.store.transaction_ladder import LadderStatements
from hub.store.transaction_learning import LearningStatements
from hub.store.transaction_queues import QueueStatements
from hub.store.transaction_rings import RingStatements
from hub.store.transaction_tallies import TallyStatements
from hub.store.transaction_trust import TrustStatements

#: What a settlement may change; the lease ends with it.
SETTLED_COLUMNS = (
    "state", "due_at", "reason", "deaths", "counted", "may_have_left", "delivered_at", "receipt", "sealed_receipt",
)  # fmt: skip


@dataclass(slots=True)
class Nudges:
    """What a commit made due: hints for the relay, which lose nothing when they are lost."""

    deliveries: dict[str, list[str]] = field(default_factory=dict)
    inbox: set[str] = field(default_factory=set)
    notices: bool = False


class StoreTransaction(
    AccountStatements,
    AbsenceStatements,
    AuditStatements,
    BarrierStatements,
    BeforeStatements,
    ClientStatements,
    ClockStatements,
    CollectStatements,
    ConsentStatements,
    DigestStatements,
    ForgettingStatements,
    FurtherStatements,
    InviteStatements,
    LadderStatements,
    LearningStatements,
    QueueStatements,
    RingStatements,
    TrustStatements,
    TallyStatements,
):
    """The statements of one transaction on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self.nudges = Nudges()

    def insert(self, table: str, new: Sequence[Row]) -> None:
        """Insert rows, all with the same columns; audit events as `audit` does."""
        if new and table == "audit_events":
            self.audit(new)
        elif len(new) >= WORTH_IT and table in _OF_A_SWEEP:
            insert_many(self._connection, tables.metadata.tables[table], new)
        elif new:
            prepared.insert(self._connection, tables.metadata.tables[table], new)

    def nudge(self, connection_id: str, delivery_ids: Iterable[str]) -> None:
        """After the commit, say that these deliveries are due."""
        self.nudges.deliveries.setdefault(connection_id, []).extend(delivery_ids)

    def nudge_notices(self) -> None:
        """After the commit, say that notices are due."""
        self.nudges.notices = True

    def nudge_inbox(self, connection_id: str) -> None:
        """After the commit, say that a partner's message waits to be read."""
        self.nudges.inbox.add(connection_id)

    # Submit

    def kept_replies(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row]:
        """Return the replies kept for (partner, key digest) pairs, with their shares' wrapped keys."""
        found = rows(self._connection, _KEPT, {"keys": list(keys)})
        return {(each["partner_id"], each["key"]): each for each in found}

    def taken_references(self, references: Sequence[str]) -> set[str]:
        """Return those of these speakable references that a share bears already."""
        return set(self._connection.scalars(_TAKEN, {"references": list(references)}))

    def held_connections(self) -> set[str]:
        """Return the connections that are held."""
        return set(self._connection.scalars(_HELD))

    # Consent

    def deliveries_of(self, consent_ids: Sequence[str]) -> list[Row]:
        """Take for change the deliveries that were made under these consents, of every kind."""
        return rows(self._connection, _OF_CONSENTS, {"ids": list(consent_ids)})

    def originals(self, delivery_ids: Sequence[str]) -> dict[str, Row]:
        """Return what follow-ups to these deliveries are made from; none of it ever changes but the consent."""
        return {each["id"]: each for each in rows(self._connection, _ORIGINALS, {"ids": list(delivery_ids)})}

    def follow_ups(self, share_id: str, delivery_id: str, kind: str) -> list[Row]:
        """Return the deliveries of a kind that follow one that is locked already, oldest first."""
        values = {"share": share_id, "linked_to": delivery_id, "kind": kind}
        return rows(self._connection, _FOLLOW_UPS, values)

    def mark_withdrawn(self, share_id: str, at: datetime) -> None:
        """Note that nothing of a share is agreed any more."""
        self._connection.execute(_WITHDRAWN, {"b_id": share_id, "at": at})

    def ended_before_sending(self, limit: int) -> list[Row]:
        """Take deliveries that wait under consent that has ended."""
        return rows(self._connection, _ENDED, {"limit": limit})

    def unaskable_doubts(self, asks: Collection[str], limit: int) -> list[Row]:
        """Take doubts under consent that has ended, on connections other than those that ask without sending."""
        return rows(self._connection, _UNASKABLE, {"asks": list(asks), "never": NEVER, "limit": limit})

    # Deliveries

    def claim(  # noqa: PLR0913 - what a claim is decided by
        self,
        connection_id: str,
        limit: int,
        wall: datetime,
        business: datetime,
        lease_until: datetime,
        *,
        asks_only: bool,
        unsealed_before: datetime,
    ) -> list[Row]:
        """Move due deliveries of a connection to sending, under a lease; see `statements.claim` for its locks."""
        statement = statements.claim(self._dialect, doubts=False, asks_only=asks_only)
        values = {
            "connection": connection_id,
            "limit": limit,
            "wall": wall,
            "business": business,
            "unsealed_before": unsealed_before,
        }
        due = rows(self._connection, statement, values)
        if due:
            moved = [{"b_id": each["id"], "wall": wall, "lease": lease_until} for each in due]
            prepared.change(self._connection, _CLAIMED, moved)
        return due

    def claim_doubts(  # noqa: PLR0913 - as `claim`, and whether asking sends
        self,
        connection_id: str,
        limit: int,
        wall: datetime,
        business: datetime,
        lease_until: datetime,
        *,
        asks_only: bool,
        only_one: bool,
        unsealed_before: datetime,
    ) -> list[Row]:
        """Lease deliveries in doubt to be asked about; their state stays, for nothing is known yet."""
        statement = statements.claim(self._dialect, doubts=True, asks_only=asks_only, only_one=only_one)
        values = {"connection": connection_id, "limit": limit, "wall": wall, "unsealed_before": unsealed_before}
        doubts = rows(self._connection, statement, values if asks_only else {**values, "business": business})
        if doubts:
            leased = [{"b_id": each["id"], "wall": wall, "lease": lease_until} for each in doubts]
            prepared.change(self._connection, _LEASED, leased)
        return doubts

    def lock_deliveries(self, delivery_ids: Sequence[str]) -> dict[str, Row]:
        """Take deliveries for change, by id."""
        statement = statements.lock_deliveries(self._dialect, by_reference=False)
        return {each["id"]: each for each in rows(self._connection, statement, {"ids": list(delivery_ids)})}

    def find_delivery(self, connection_id: str, key: str, receipt: str) -> Row | None:
        """Take the one delivery of a connection that a partner names, by our key or its own receipt.

        A receipt that a partner gave twice names nobody: an answer must never reach another person's share (R21).
        Only where both times were about one case does it name what was sent first.
        """
        statement = statements.lock_deliveries(self._dialect, by_reference=True)
        found = rows(self._connection, statement, {"connection": connection_id, "key": key, "receipt": receipt})
        named = [each for each in found if each["key"] == key] or found
        if len({each["case"] for each in named}) != 1:
            return None
        return named[0] if len(named) == 1 else next((each for each in named if each["linked_to"] is None), None)

    def update_deliveries(self, changes: Sequence[Row]) -> None:
        """Write what settling changed and end the leases."""
        if changes:
            prepared.change(self._connection, _SETTLED, [_prefixed(change) for change in changes])

    def set_answer_states(self, states: Mapping[str, AnswerState]) -> None:
        """Write each delivery's newest answer state."""
        if states:
            values = [{"b_id": delivery_id, "b_state": state} for delivery_id, state in states.items()]
            prepared.change(self._connection, _ANSWERED, values)

    def newest_answers(self, delivery_ids: Sequence[str]) -> dict[str, datetime]:
        """Return when the newest answer to each delivery came of itself; one that has none is left out.

        What was said in the reply to the parcel is older than all that came of itself, whenever either was kept.
        """
        found = rows(self._connection, _NEWEST, {"ids": list(delivery_ids)})
        return {each["delivery_id"]: each["newest"] for each in found}

    def cancel(self, delivery_ids: Sequence[str], at: datetime) -> None:
        """Cancel deliveries that had not begun to be sent."""
        if delivery_ids:
            self._connection.execute(_CANCELLED, {"ids": list(delivery_ids), "at": at})

    def expired_leases(self, wall: datetime, limit: int) -> list[Row]:
        """Take deliveries whose lease ran out before anything was reported."""
        return rows(self._connection, _EXPIRED, {"wall": wall, "limit": limit})

    def end_leases(self, table: str, wall: datetime) -> int:
        """Let every lease in a table that would last longer end at `wall`; returns how many there were."""
        return int(self._connection.execute(_END_LEASE[table], {"wall": wall}).rowcount)


def _prefixed(change: Row) -> dict[str, Any]:
    return {f"b_{name}": value for name, value in change.items()}


_D, _C, _S = tables.deliveries, tables.consents, tables.shares
_WAITING = tuple(sorted(WITHDRAWABLE))

#: Of these thousands may come at once; none of their columns has a default of its own.
_OF_A_SWEEP = frozenset({"alerts", "notices"})
_KEPT = (
    select(tables.replies, _S.c.data_key)
    .join(_S, _S.c.id == tables.replies.c.share_id)
    .where(tuple_(tables.replies.c.partner_id, tables.replies.c.key).in_(bindparam("keys", expanding=True)))
)
_TAKEN = select(_S.c.reference).where(_S.c.reference.in_(bindparam("references", expanding=True)))
_HELD = select(tables.connections.c.id).where(tables.connections.c.held_since.is_not(None))
_OF_CONSENTS = (
    select(_D.c.id, _D.c.share_id, _D.c.state, _D.c.service_id, _D.c.may_have_left, _D.c.kind, _D.c.bare)
    .where(_D.c.consent_id.in_(bindparam("ids", expanding=True)))
    .order_by(_D.c.id)
    .with_for_update()
)
_ORIGINALS = (
    select(
        _D.c.id, _D.c.share_id, _D.c.consent_id, _D.c.service_id, _D.c.connection_id, _D.c.key, _D.c.case,
        _D.c.address, _D.c.mapping, _D.c.frame, _S.c.ask, _S.c.urgent, _S.c.data_key, _S.c.partner_id,
        _S.c.trusted_person, _S.c.person, _C.c.state.label("consent_state"), _C.c.ends_at,
    )
    .join(_S, _S.c.id == _D.c.share_id)
    .join(_C, _C.c.id == _D.c.consent_id)
    .where(_D.c.id.in_(bindparam("ids", expanding=True)))
)  # fmt: skip
_FOLLOW_UPS = (
    select(_D.c.id, _D.c.after)
    .where(
        _D.c.share_id == bindparam("share"),  # indexed, as what a delivery is linked to is not
        _D.c.linked_to == bindparam("linked_to"),
        _D.c.kind == bindparam("kind"),
    )
    .order_by(_D.c.created_at)
)
_WITHDRAWN = (
    update(_S)
    .where(_S.c.id == bindparam("b_id"), _S.c.withdrawn_at.is_(None))
    .values(withdrawn_at=bindparam("at", type_=Instant()))
)
_ENDED = (
    select(_D.c.id, _D.c.share_id)
    .join(_C, _C.c.id == _D.c.consent_id)
    .join(_S, _S.c.id == _D.c.share_id)
    .where(
        _D.c.state.in_(_WAITING),
        or_(and_(_C.c.state.not_in(LIVING), ~_D.c.bare), _S.c.died_at.is_not(None)),
    )
    .limit(bindparam("limit"))
    .with_for_update(of=_D, skip_locked=True)
)
_UNASKABLE = (
    select(_D, _S.c.died_at)
    .join(_C, _C.c.id == _D.c.consent_id)
    .join(_S, _S.c.id == _D.c.share_id)
    .where(
        _D.c.state == DeliveryState.IN_DOUBT,
        _D.c.lease_until.is_(None),
        _D.c.due_at < bindparam("never", type_=Instant()),
        _D.c.connection_id.not_in(bindparam("asks", expanding=True)),
        or_(and_(_C.c.state.not_in(LIVING), ~_D.c.bare), _S.c.died_at.is_not(None)),
    )
    .limit(bindparam("limit"))
    .with_for_update(of=_D, skip_locked=True)
)
_CLAIMED = (
    update(_D)
    .where(_D.c.id == bindparam("b_id"))
    .values(
        state=DeliveryState.SENDING,
        attempt=_D.c.attempt + 1,
        claimed_at=bindparam("wall"),
        first_claimed_at=func.coalesce(_D.c.first_claimed_at, bindparam("wall", type_=Instant())),
        lease_until=bindparam("lease"),
    )
)
_LEASED = (
    update(_D)
    .where(_D.c.id == bindparam("b_id"))
    .values(attempt=_D.c.attempt + 1, claimed_at=bindparam("wall"), lease_until=bindparam("lease"))
)
_SETTLED = (
    update(_D)
    .where(_D.c.id == bindparam("b_id"))
    .values(
        {name: bindparam(f"b_{name}") for name in SETTLED_COLUMNS} | {"lease_until": None},
    )
)
_ANSWERED = update(_D).where(_D.c.id == bindparam("b_id")).values(answer_state=bindparam("b_state"))
_NEWEST = (
    select(tables.answers.c.delivery_id, func.max(tables.answers.c.at, type_=Instant()).label("newest"))
    .where(tables.answers.c.delivery_id.in_(bindparam("ids", expanding=True)), tables.answers.c.source != "sync")
    .group_by(tables.answers.c.delivery_id)
)
_CANCELLED = (
    update(_D)
    .where(_D.c.id.in_(bindparam("ids", expanding=True)), _D.c.state.in_(_WAITING))
    .values(state=DeliveryState.CANCELLED, due_at=bindparam("at"), lease_until=None)
)
_END_LEASE = {
    of.name: update(of)
    .where(of.c.lease_until > bindparam("wall", type_=Instant()))
    .values(lease_until=bindparam("wall", type_=Instant()))
    for of in (_D, tables.notices, tables.inbox)
}
_EXPIRED = (
    select(_D, _S.c.data_key)
    .join(_S, _S.c.id == _D.c.share_id)
    .where(
        _D.c.state.in_((DeliveryState.SENDING, DeliveryState.IN_DOUBT)),
        _D.c.lease_until <= bindparam("wall", type_=Instant()),
    )
    .limit(bindparam("limit"))
    .with_for_update(of=_D, skip_locked=True)
)
