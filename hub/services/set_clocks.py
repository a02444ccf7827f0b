"""Set a delivery's clocks: when each rung is due, counted from when it was sent, and who agreed that (R43, R44)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.domain.answer import Level
from hub.domain.calendar import WorkingCalendar
from hub.domain.clock import SHIPPED, AgreedWindow, Ask, chosen, in_force, runs, undelivered_notice_at
from hub.domain.delivery import DeliveryKind
from hub.domain.route import Directory, Route


@dataclass(frozen=True, slots=True)
class SetClock:
    """One clock; L0's is the sending side's own, for what has not arrived.

    `early_at` is when the champion gets a heads-up, where the trusted person would like a hand (R49).
    """

    level: Level
    due_at: datetime
    agreed: AgreedWindow
    early_at: datetime | None = None


def set_clocks(  # noqa: PLR0913 - what decides when a rung is due
    ask: Ask,
    kind: DeliveryKind,
    sent_at: datetime,
    urgent: bool,
    route: Route,
    directory: Directory,
    calendar: WorkingCalendar,
    *,
    safety: bool = False,
    like_a_hand: bool = False,
) -> tuple[SetClock, ...]:
    """Return a delivery's clocks: the route's window before the connection's, the manifest's, the partnership's.

    The days are the receiving partner's: bank holidays, and those on which it or the whole partnership is shut.
    """
    theirs = calendar.closed_on(directory.closures | route.receiver.closures)
    windows = in_force(
        route=route.service.windows,
        connection=route.connection.windows,
        manifest=route.connection.manifest_windows,
        partnership=directory.windows,
    )
    rungs = [
        SetClock(level, *chosen(level, sent_at, urgent, windows, theirs, safety=safety)) for level in runs(ask, kind)
    ]
    if like_a_hand:
        answer = next((each for each in rungs if each.level is Level.L3), rungs[-1])
        early_at = answer.agreed.window.halfway(sent_at, theirs)
        rungs = [replace(each, early_at=early_at) if each is answer else each for each in rungs]
    late = undelivered_notice_at(sent_at, urgent, calendar.closed_on(directory.closures))
    return (SetClock(Level.L0, late, SHIPPED.standard[Level.L1]), *rungs)


def reply_by(clocks: Sequence[SetClock]) -> datetime:
    """Return when the service should have replied: the decision's clock, or the receipt's where that is all."""
    due = {clock.level: clock.due_at for clock in clocks}
    return due.get(Level.L3, due[Level.L2])


def clock_rows(delivery_id: str, clocks: Sequence[SetClock]) -> list[dict[str, Any]]:
    """Return the clocks as rows, running."""
    return [
        {
            "delivery_id": delivery_id,
            "level": int(clock.level),
            "due_at": clock.due_at,
            "state": "running",
            "agreed_by": clock.agreed.agreed_by,
            "agreed_on": clock.agreed.agreed_on.isoformat(),
            "early_at": clock.early_at,
        }
        for clock in clocks
    ]
