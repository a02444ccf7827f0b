"""Watch the clocks: what is due and unanswered becomes exactly one alert for that delivery and rung (R44)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.alert import AlertKind, should_raise
from hub.domain.answer import AnswerState, Level
from hub.domain.calendar import WorkingCalendar, england_and_wales
from hub.domain.delivery import DeliveryState
from hub.domain.route import Directory
from hub.services.barriers import find_barriers
from hub.services.collect import tell_uncollected
from hub.services.gather import end_outages
from hub.services.pass_on import pass_on
from hub.services.ports import Row, Transaction
from hub.services.raise_alerts import Cause, Hands, hands, raise_alerts
from hub.services.refuse_mail import try_again
from hub.services.tell_absent import tell_absent


@dataclass(frozen=True, slots=True)
class Watch:
    """Look at the clocks as of business time; at most `limit` in one transaction."""

    business: datetime
    wall: datetime
    limit: int = 2_000


def watch(
    tx: Transaction, items: Sequence[Watch], *, directory: Directory, calendar: WorkingCalendar | None = None
) -> list[int]:
    """Raise alerts for clocks whose time has come, and pass on those that nobody opens (R50).

    Returns how many clocks and alerts were looked at, for each item.
    """
    return [_watch_one(tx, item, directory, calendar or england_and_wales()) for item in items]


def _watch_one(tx: Transaction, item: Watch, directory: Directory, calendar: WorkingCalendar) -> int:
    who = hands(tx, directory, calendar, item.business)
    told = tell_uncollected(tx, who, item.wall, item.limit) + tell_absent(tx, who, item.wall, item.limit)
    looked_at = told + _clocks(tx, item, who) + pass_on(tx, who, item.wall, item.limit)
    find_barriers(tx, directory, item.business, item.wall)
    end_outages(tx, item.wall)
    try_again(tx, item.wall)
    return looked_at


def _clocks(tx: Transaction, item: Watch, who: Hands) -> int:
    due = tx.due_clocks(item.business, item.limit)
    early = tx.due_heads_ups(item.business, item.limit)
    if not due and not early:
        return 0
    # A clock that is due has no more use for a heads-up.
    late = {(row["delivery_id"], row["level"]) for row in due}
    causes = [_early(row) for row in early if _is_early(row, late)]
    causes += [Cause(row, Level(row["level"]), kind, row["due_at"], _topic(row, kind)) for row, kind in _kinds(due)]
    raise_alerts(tx, causes, who, item.wall)
    tx.end_heads_ups([(row["delivery_id"], row["level"]) for row in early])
    tx.pass_clocks([(row["delivery_id"], row["level"]) for row in due])
    return len(due) + len(early)


def _is_early(row: Row, late: set[tuple[str, int]]) -> bool:
    return row["delivery_state"] == DeliveryState.DELIVERED and (row["delivery_id"], row["level"]) not in late


def _early(row: Row) -> Cause:
    return Cause(row, Level(row["level"]), AlertKind.EARLY, row["due_at"])


def _kinds(due: Sequence[Row]) -> list[tuple[Row, AlertKind]]:
    return [(row, kind) for row in due if (kind := _kind(row)) is not None]


def _kind(row: Row) -> AlertKind | None:
    """A clock that still runs was not satisfied; L0 is the sending side's own, for what has not arrived (R44)."""
    state = DeliveryState(row["delivery_state"])
    reached = Level.L1 if state is DeliveryState.DELIVERED else Level.L0
    kind = should_raise(reached, max(Level(row["level"]), Level.L1), state)
    signposted = row["answer_state"] == AnswerState.SIGNPOSTED and row["level"] == Level.L3
    return AlertKind.SIGNPOSTED if kind is not None and signposted else kind


def _topic(row: Row, kind: AlertKind) -> str:
    """At L1 the operator alone is told; the trusted person hears after four working hours (R43)."""
    if row["level"] == Level.L1 or kind is AlertKind.SIGNPOSTED:
        return ""
    return "delivery.not_delivered" if kind is AlertKind.UNDELIVERED else "delivery.overdue"
