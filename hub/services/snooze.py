"""Snooze: wait for a reason until a day, and then the alert is there again; it cannot be put off without one (TH15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from hub.domain.calendar import LONDON, WorkingCalendar
from hub.domain.errors import Conflict, HubError, Refusal
from hub.domain.ladder import SnoozeReason, calendar_of, latest_snooze
from hub.domain.route import Directory
from hub.services.alert_act import Acting, AlertAct, begin, keep
from hub.services.ports import Transaction

TOO_FAR: Final = Refusal(
    "snooze-too-far",
    "That day is too far away, or past.",
    "Choose a day within your next ten working days. You can wait again then.",
)
SAFETY_NEVER: Final = Refusal(
    "snooze-safety",
    "Someone may be at risk, so this cannot wait.",
    "Ring the service now. If nobody answers, hand this up.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (TOO_FAR, SAFETY_NEVER)


@dataclass(frozen=True, slots=True)
class Snooze(AlertAct):
    """Wait until the morning of a day in London, for a reason."""

    until: date
    reason: SnoozeReason


def snooze(
    tx: Transaction, items: Sequence[Snooze], *, directory: Directory, calendar: WorkingCalendar
) -> list[HubError | None]:
    """Put each alert off until its day; whoever does has it from then on."""
    return [_one(tx, item, begin(tx, item, directory, calendar)) for item in items]


def _one(tx: Transaction, item: Snooze, acting: Acting | HubError) -> HubError | None:
    if isinstance(acting, HubError):
        return acting
    if acting.row["safety"]:
        return Conflict(SAFETY_NEVER)
    own = acting.who.calendar
    if acting.step is not None:
        own = calendar_of(acting.step.person, acting.who.directory, own)
    until = datetime.combine(item.until, own.opens, tzinfo=LONDON)
    if not item.business < until <= latest_snooze(item.business, own):
        return Conflict(TOO_FAR)
    row = acting.row
    mine = {} if acting.step is None or row["holder"] == item.person else {
        "holder": item.person, "role": acting.step.role, "held_since": item.business
    }  # fmt: skip
    changes = {
        **mine,
        "taken_by": item.person,
        "taken_at": row["taken_at"] if row["taken_by"] == item.person else item.business,
        "opened_at": row["opened_at"] or item.business,
        "snoozed_until": until,
        "look_at": until,
    }
    keep(tx, acting, "alert.snoozed", changes, {"until": item.until.isoformat(), "reason": item.reason})
    return None
