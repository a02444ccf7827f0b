"""A request to be rung, which says nothing of anybody: when it is late, and what its asker is told (R09, R23, R48)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.calendar import WorkingCalendar
from hub.domain.wording import moment


class RingKind(StrEnum):
    """Who is asked to ring: a coordinator about someone, or the senior contact for safety."""

    PLEASE_RING_ME = "please_ring_me"
    SAFETY = "safety"


class RingState(StrEnum):
    """Waiting until whoever was asked says that they have it."""

    WAITING = "waiting"
    PICKED_UP = "picked_up"


#: Nobody has picked this up in so long: it says so (R23).
_SAFETY_WAIT: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ring:
    """One request as it stands; instants are business time's."""

    kind: RingKind
    state: RingState
    asked_at: datetime
    due_at: datetime
    picked_up_at: datetime | None = None


def due(kind: RingKind, asked_at: datetime, calendar: WorkingCalendar) -> datetime:
    """Return when it is late: 15 minutes by day or night for safety (R23), else one working day."""
    if kind is RingKind.SAFETY:
        return asked_at + _SAFETY_WAIT
    return calendar.add_working_days(asked_at, 1)


def is_late(ring: Ring, now: datetime) -> bool:
    """Tell whether it is due and nobody has picked it up."""
    return ring.state is RingState.WAITING and ring.due_at <= now


def words(ring: Ring, now: datetime) -> str:
    """Return what its asker is told: who has it, or that nobody has."""
    if ring.picked_up_at is not None:
        return f"This was picked up at {moment(ring.picked_up_at)}. They will ring your team."
    if not is_late(ring, now):
        return f"We asked at {moment(ring.asked_at)}. Nobody has picked this up yet."
    if ring.kind is RingKind.SAFETY:
        return "Nobody has picked this up. Ring."
    return "Nobody has picked this up. Ring your champion, or the coordinator."
