"""The statements of a transaction that concern what becomes of a share: pauses, who was told, reminders, a death."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, tuple_, update

from hub.domain.delivery import DeliveryKind
from hub.domain.notice import NoticeState
from hub.store import prepared, tables
from hub.store.columns import Instant
from hub.store.fetch import Row, rows


class FurtherStatements:
    """What the trusted person says of a share as a whole, and what the hub asks of them."""

    _connection: Connection

    def end_pause(self, share_id: str, section: str) -> None:
        """Let a section go again, by its keyed hash."""
        self._connection.execute(_END_PAUSE, {"share": share_id, "section": section})

    def mark_told(self, share_id: str, told: str, at: datetime) -> None:
        """Note that the person was told, or could not be; nobody is reminded of it any more."""
        self._connection.execute(_TOLD, {"b_id": share_id, "told": told, "at": at})

    def standings(self, share_ids: Sequence[str]) -> dict[str, list[Row]]:
        """Return the shared deliveries of each share, with its own columns beside them."""
        found: dict[str, list[Row]] = {}
        for each in rows(self._connection, _STANDINGS, {"ids": list(share_ids)}):
            found.setdefault(each["share_id"], []).append(each)
        return found

    def set_reminders(self, due: Mapping[str, datetime | None]) -> None:
        """Set when each share's sender is reminded to tell the person (None: never); what was told is old news now."""
        if due:
            prepared.change(self._connection, _REMIND, [{"b_id": each, "at": at} for each, at in due.items()])

    def due_reminders(self, now: datetime, limit: int) -> list[Row]:
        """Take the shares whose sender is to be reminded now."""
        return rows(self._connection, _DUE_REMINDERS, {"now": now, "limit": limit})

    def end_reminders(self, share_ids: Sequence[str]) -> None:
        """Note that these senders were reminded."""
        if share_ids:
            prepared.change(self._connection, _REMINDED, [{"b_id": each} for each in share_ids])

    def known_deaths(self, people: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of these (partner, person) who were said to have died."""
        found = rows(self._connection, _DEATHS, {"people": list(people)})
        return {(each["partner_id"], each["person"]) for each in found}

    def shares_of_person(self, partner_id: str, person: str) -> list[Row]:
        """Take for change every share of one person of one partner, newest first."""
        return rows(self._connection, _OF_PERSON, {"partner": partner_id, "person": person})

    def mark_died(self, share_ids: Sequence[str], at: datetime) -> None:
        """Note that whose shares these are has died."""
        if share_ids:
            prepared.change(self._connection, _DIED, [{"b_id": each, "at": at} for each in share_ids])

    def unmarked_deaths(self, limit: int) -> list[Row]:
        """Take shares that were kept in the very moment when their person was said to have died, with that moment."""
        return rows(self._connection, _UNMARKED, {"limit": limit})

    def deliveries_of_shares(self, share_ids: Sequence[str]) -> list[Row]:
        """Take for change every delivery of these shares."""
        return rows(self._connection, _OF_SHARES, {"ids": list(share_ids)})

    def was_put_right(self, share_id: str) -> bool:
        """Tell whether a part of a share was corrected since it was sent, or is being checked, whoever heard of it."""
        return self._connection.execute(_PUT_RIGHT, {"share": share_id}).first() is not None

    def cancel_notices(self, share_ids: Sequence[str], at: datetime) -> None:
        """Cancel what has not been told yet of these shares; what is being told right now is not tried again."""
        self._connection.execute(_CANCEL_NOTICES, {"ids": list(share_ids), "at": at})


_S, _D, _N, _P, _X = tables.shares, tables.deliveries, tables.notices, tables.pauses, tables.deaths

_END_PAUSE = delete(_P).where(_P.c.share_id == bindparam("share"), _P.c.section == bindparam("section"))
_TOLD = (
    update(_S)
    .where(_S.c.id == bindparam("b_id"))
    .values(told=bindparam("told"), told_at=bindparam("at", type_=Instant()), remind_at=None)
)
_ASKS_NOT_TO_TELL = (
    select(tables.answers.c.do_not_tell_yet)
    .where(tables.answers.c.delivery_id == _D.c.id)
    .order_by(tables.answers.c.at.desc(), tables.answers.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_STANDINGS = (
    select(
        _D.c.share_id, _D.c.state, _D.c.answer_state, _S.c.ask, _S.c.withdrawn_at, _S.c.died_at, _S.c.told_at,
        _S.c.told, _S.c.partner_id, _ASKS_NOT_TO_TELL.label("do_not_tell_yet"),
    )
    .join(_S, _S.c.id == _D.c.share_id)
    .where(_D.c.share_id.in_(bindparam("ids", expanding=True)), _D.c.kind == DeliveryKind.SHARE)
)  # fmt: skip
_REMIND = (
    update(_S)
    .where(_S.c.id == bindparam("b_id"))
    .values(remind_at=bindparam("at", type_=Instant()), told=None, told_at=None)
)
_DUE_REMINDERS = (
    select(_S.c.id, _S.c.client_id)
    .where(_S.c.remind_at.is_not(None), _S.c.remind_at <= bindparam("now", type_=Instant()))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_REMINDED = update(_S).where(_S.c.id == bindparam("b_id")).values(remind_at=None)
_DEATHS = select(_X.c.partner_id, _X.c.person).where(
    tuple_(_X.c.partner_id, _X.c.person).in_(bindparam("people", expanding=True))
)
_OF_PERSON = (
    select(_S.c.id, _S.c.partner_id, _S.c.client_id)
    .where(_S.c.partner_id == bindparam("partner"), _S.c.person == bindparam("person"))
    .order_by(_S.c.sent_at.desc(), _S.c.id)
    .with_for_update()
)
_DIED = update(_S).where(_S.c.id == bindparam("b_id")).values(died_at=bindparam("at", type_=Instant()), remind_at=None)
_UNMARKED = (
    select(_S.c.id, _X.c.at)
    # The dead are few and shares many: what is joined to a text hides that table's index, so that SQLite, which keeps
    # no count of either, begins with the dead.
    .join(_X, (_X.c.partner_id + "" == _S.c.partner_id) & (_X.c.person + "" == _S.c.person))
    .where(_S.c.died_at.is_(None))
    .limit(bindparam("limit"))
    .with_for_update(of=_S, skip_locked=True)
)
_PUT_RIGHT = (
    select(tables.audit_events.c.id)
    .where(
        tables.audit_events.c.share_id == bindparam("share"),
        tables.audit_events.c.action.concat("").in_(("share.correction", "share.paused")),
    )
    .limit(1)
)
_OF_SHARES = (
    select(_D.c.id, _D.c.share_id, _D.c.state)
    .where(_D.c.share_id.in_(bindparam("ids", expanding=True)))
    .order_by(_D.c.id)
    .with_for_update()
)
_CANCEL_NOTICES = (
    update(_N)
    .where(
        _N.c.share_id.in_(bindparam("ids", expanding=True)),
        _N.c.state.in_((NoticeState.QUEUED, NoticeState.SENDING, NoticeState.RETRYING)),
    )
    .values(state=NoticeState.CANCELLED, due_at=bindparam("at", type_=Instant()), reason="died")
)
