"""The statements of a transaction about consents: taken first, ended, and found when their time is near or over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, text, update

from hub.domain.consent import LIVING
from hub.domain.delivery import DeliveryKind
from hub.store import prepared, statements, tables
from hub.store.columns import Instant
from hub.store.fetch import Row, rows


class ConsentStatements:
    """A consent's row is taken before any delivery under it, by whoever ends it."""

    _connection: Connection

    def lock_consents(self, record_id: str) -> list[Row]:
        """Take the consents of one record for change, before anything else is looked at."""
        return rows(self._connection, statements.lock_consents(self._connection.dialect.name), {"record": record_id})

    def lock_agreements(self, agreements: Sequence[str]) -> list[Row]:
        """Take the consents that these agreements are for change, whichever share bore them."""
        if not agreements:
            return []
        self._one_at_a_time(agreements)
        return rows(self._connection, statements.LOCK_AGREEMENTS, {"agreements": list(agreements)})

    def ended_agreements(self, agreements: Sequence[str]) -> dict[str, str]:
        """Return those of these agreements that were withdrawn or superseded, whichever share bore them.

        Nobody ends one until the commit.
        """
        self._one_at_a_time(agreements)
        return statements.ended_agreements(self._connection, agreements)

    def open_needs(self, needs: Sequence[str]) -> dict[str, str]:
        """Return of these needs those that an open share asks for, with its id; nobody else asks until the commit."""
        self._one_at_a_time(needs)
        return statements.open_needs(self._connection, needs)

    def _one_at_a_time(self, digests: Sequence[str]) -> None:
        """Let no other transaction that asks for one of these go on until this one is over.

        A row that another is about to insert cannot be held by a lock on rows; SQLite has one writer at a time.
        """
        if self._connection.dialect.name == "postgresql" and digests:
            self._connection.execute(_ONE_AT_A_TIME, {"digests": sorted(set(digests))})

    def end_consents(self, consent_ids: Sequence[str], state: str) -> None:
        """Move consents to an end state."""
        if consent_ids:
            prepared.change(self._connection, _END_CONSENT, [{"b_id": each, "b_state": state} for each in consent_ids])

    def ending_consents(self, now: datetime, until: datetime, limit: int) -> list[Row]:
        """Take consents that end by `until` and were not looked at for that yet, with what was shared under each."""
        return rows(self._connection, _ENDING, {"now": now, "until": until, "limit": limit})

    def mark_ending_told(self, consent_ids: Sequence[str], at: datetime) -> None:
        """Note that consents were looked at because they end soon."""
        prepared.change(self._connection, _ENDING_TOLD, [{"b_id": each, "at": at} for each in consent_ids])

    def lapsed(self, now: datetime, limit: int) -> list[Row]:
        """Take consents still marked as living whose time has run out."""
        return rows(self._connection, _LAPSED, {"now": now, "limit": limit})


_C, _D, _S = tables.consents, tables.deliveries, tables.shares

_ONE_AT_A_TIME = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(each, 0)) FROM unnest(CAST(:digests AS text[])) AS each"
)
_END_CONSENT = update(_C).where(_C.c.id == bindparam("b_id")).values(state=bindparam("b_state"))
_ENDING = (
    select(
        _C.c.id, _C.c.share_id, _C.c.service_id, _S.c.client_id, _D.c.id.label("delivery_id"),
        _D.c.state.label("delivery_state"), _D.c.answer_state,
    )
    .join(_S, _S.c.id == _C.c.share_id)
    .join(_D, (_D.c.consent_id == _C.c.id) & (_D.c.kind == DeliveryKind.SHARE), isouter=True)
    .where(
        # In the very words of the partial index.
        text("consents.state = 'given' AND consents.ending_told_at IS NULL"),
        _S.c.died_at.is_(None),  # nobody is reminded of somebody who has died (R69)
        _C.c.ends_at > bindparam("now", type_=Instant()),
        _C.c.ends_at <= bindparam("until", type_=Instant()),
    )
    .limit(bindparam("limit"))
    .with_for_update(of=_C, skip_locked=True)
)  # fmt: skip
_ENDING_TOLD = update(_C).where(_C.c.id == bindparam("b_id")).values(ending_told_at=bindparam("at", type_=Instant()))
_LAPSED = (
    select(_C.c.id)
    .where(_C.c.state.in_(LIVING), _C.c.ends_at <= bindparam("now", type_=Instant()))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
