"""The statements of a transaction that concern who holds an alert, and what they do with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, literal, or_, select, update

from hub.domain.alert import AlertState
from hub.domain.clock import ClockState
from hub.domain.delivery import ENDED
from hub.store import prepared, tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row, rows

#: What an act may change of an alert.
_CHANGED = (
    "holder", "role", "held_since", "acted_at", "look_at", "opened_at", "taken_by", "taken_at", "snoozed_until",
    "top_at", "state", "closed_at", "closed_by", "closed_why",
)  # fmt: skip


class LadderStatements:
    """Alerts move from hand to hand under their own lock; all of a delivery's open ones move together."""

    _connection: Connection

    def lock_alerts(self, alert_ids: Sequence[str]) -> dict[str, Row]:
        """Take alerts for change, with the share and the delivery that they are about."""
        return {each["id"]: each for each in rows(self._connection, _LOCKED, {"ids": list(alert_ids)})}

    def alerts_to_look_at(self, now: datetime, limit: int) -> list[Row]:
        """Take open alerts whose time to pass on, to go up or to wake has come, soonest first."""
        return rows(self._connection, _LOOK, {"now": now, "limit": limit})

    def alerts_of_nobody(self, present: Collection[str], away: Collection[str], limit: int) -> list[Row]:
        """Take open alerts whose holder is none of those `present`, or is away and has not opened them."""
        values = {"present": list(present), "away": list(away), "limit": limit}
        return rows(self._connection, _ORPHANS, values)

    def lock_parcel(self, delivery_id: str) -> Row | None:
        """Take for change one delivery with all that it was made from and under, sealed as it is."""
        return row(self._connection, _PARCEL, {"delivery": delivery_id})

    def held_alerts(self, delivery_ids: Sequence[str]) -> dict[str, Row]:
        """Return who has each of these deliveries in hand: the holder of its leading open alert."""
        found = rows(self._connection, _IN_HAND, {"ids": list(delivery_ids)})
        return {each["delivery_id"]: each for each in found}

    def change_alerts(self, delivery_id: str, changes: Mapping[str, Any]) -> None:
        """Write the same to every open alert of a delivery, so that no earlier one is left with somebody else."""
        if unknown := set(changes) - set(_CHANGED):
            raise ValueError(f"no act changes {sorted(unknown)}")
        values = {"b_delivery": delivery_id} | {f"b_{name}": value for name, value in changes.items()}
        of = [_A.c[name] for name in changes]
        statement = (
            update(_A)
            .where(_A.c.delivery_id == bindparam("b_delivery"), _A.c.state == AlertState.OPEN)
            .values({column: bindparam(f"b_{column.name}", type_=column.type) for column in of})
        )
        self._connection.execute(statement, values)

    def close_alerts_of(self, delivery_ids: Sequence[str], kinds: Sequence[str], at: datetime) -> None:
        """Close open alerts of some kinds alone."""
        if delivery_ids:
            self._connection.execute(_CLOSE_KINDS, {"ids": list(delivery_ids), "kinds": list(kinds), "at": at})

    def due_heads_ups(self, now: datetime, limit: int) -> list[Row]:
        """Take running clocks of which a heads-up is due, soonest first (R49)."""
        return rows(self._connection, _EARLY, {"now": now, "limit": limit})

    def end_heads_ups(self, rungs: Sequence[tuple[str, int]]) -> None:
        """Note that the heads-ups of these clocks were given."""
        if rungs:
            prepared.change(
                self._connection, _END_EARLY, [{"b_delivery": each, "b_level": level} for each, level in rungs]
            )

    def people_away(self, day: date) -> set[str]:
        """Return the people who follow up and are away on a day, or whose mail is refused: they do not hear of it."""
        return {
            *self._connection.scalars(_AWAY, {"day": day.isoformat()}),
            *self._connection.scalars(_REFUSED),
        }

    def days_off_of(self, person: str, since: date) -> list[Row]:
        """Take for change the days off of one person that are not over before a day."""
        return rows(self._connection, _DAYS, {"person": person, "day": since.isoformat()})

    def drop_days_off(self, person: str, first: str) -> None:
        """Forget one stretch of days off."""
        self._connection.execute(_DROP_DAYS, {"person": person, "first": first})


_A, _D, _S, _K, _O = tables.alerts, tables.deliveries, tables.shares, tables.clocks, tables.days_off
_OTHER = _A.alias("other")
#: In the very words of the partial indexes.
IS_OPEN = _A.c.state == literal(AlertState.OPEN, literal_execute=True)


def leads() -> ColumnElement[bool]:
    """Return the condition that an open alert is the leading one of its delivery: none of a higher rank is open.

    One look by the delivery's own index for each that is asked about, whatever a planner knows of the table: joined to
    a text, a state has no index of its own.
    """
    highest = (
        select(_OTHER.c.id)
        .where(_OTHER.c.delivery_id == _A.c.delivery_id, _OTHER.c.state.concat("") == AlertState.OPEN)
        .order_by(_OTHER.c.rank.desc(), _OTHER.c.id.desc())
        .limit(1)
        .correlate(_A)
        .scalar_subquery()
    )
    return _A.c.id == highest


#: An alert with what an act on it needs to know.
_WITH = (
    select(
        _A, _D.c.share_id, _D.c.connection_id, _D.c.kind.label("delivery_kind"), _D.c.state.label("delivery_state"),
        _D.c.answer_state, _S.c.client_id, _S.c.urgent, _S.c.safety, _S.c.died_at, _S.c.data_key,
    )
    .join(_D, _D.c.id == _A.c.delivery_id)
    .join(_S, _S.c.id == _D.c.share_id)
)  # fmt: skip
_LOCKED = _WITH.where(_A.c.id.in_(bindparam("ids", expanding=True))).order_by(_A.c.id).with_for_update(of=_A)
_LOOK = (
    _WITH.where(IS_OPEN, _A.c.look_at <= bindparam("now", type_=Instant()), leads())
    .order_by(_A.c.look_at)
    .limit(bindparam("limit"))
    .with_for_update(of=_A, skip_locked=True)
)
_ORPHANS = (
    _WITH.where(
        IS_OPEN,
        or_(
            _A.c.holder.not_in(bindparam("present", expanding=True)),
            _A.c.opened_at.is_(None) & _A.c.holder.in_(bindparam("away", expanding=True)),
        ),
        leads(),
    )
    .limit(bindparam("limit"))
    .with_for_update(of=_A, skip_locked=True)
)
_PARCEL = (
    select(
        _D, _S.c.ask, _S.c.urgent, _S.c.safety, _S.c.data_key, _S.c.sender, _S.c.partner_id, _S.c.trusted_person,
        _S.c.person, tables.consents.c.terms, tables.consents.c.ends_at,
        tables.consents.c.state.label("consent_state"),
    )
    .join(_S, _S.c.id == _D.c.share_id)
    .join(tables.consents, tables.consents.c.id == _D.c.consent_id)
    .where(_D.c.id == bindparam("delivery"))
    .with_for_update(of=_D)
)  # fmt: skip
_IN_HAND = select(_A).where(_A.c.delivery_id.in_(bindparam("ids", expanding=True)), IS_OPEN, leads())
_CLOSE_KINDS = (
    update(_A)
    .where(
        _A.c.delivery_id.in_(bindparam("ids", expanding=True)),
        _A.c.kind.in_(bindparam("kinds", expanding=True)),
        IS_OPEN,
    )
    .values(state=AlertState.CLOSED, closed_at=bindparam("at", type_=Instant()), look_at=None)
)
_EARLY = (
    select(
        _K.c.delivery_id, _K.c.level, _K.c.due_at, _D.c.state.label("delivery_state"), _D.c.service_id, _D.c.share_id,
        _S.c.partner_id, _S.c.client_id, _S.c.urgent, _S.c.safety,
    )
    .join(_D, _D.c.id == _K.c.delivery_id)
    .join(_S, _S.c.id == _D.c.share_id)
    .where(
        _K.c.state == literal(ClockState.RUNNING, literal_execute=True),
        _K.c.early_at <= bindparam("now", type_=Instant()),
        _D.c.state.in_(ENDED),
    )
    .order_by(_K.c.early_at)
    .limit(bindparam("limit"))
    .with_for_update(of=_K, skip_locked=True)
)  # fmt: skip
_END_EARLY = (
    update(_K)
    .where(_K.c.delivery_id == bindparam("b_delivery"), _K.c.level == bindparam("b_level"))
    .values(early_at=None)
)
_AWAY = select(_O.c.person).where(_O.c.first <= bindparam("day"), _O.c.last >= bindparam("day"))
_REFUSED = select(tables.readers.c.person).where(tables.readers.c.refused_since.is_not(None))
_DAYS = (
    select(_O)
    .where(_O.c.person == bindparam("person"), _O.c.last >= bindparam("day"))
    .order_by(_O.c.first)
    .with_for_update()
)
_DROP_DAYS = _O.delete().where(_O.c.person == bindparam("person"), _O.c.first == bindparam("first"))
