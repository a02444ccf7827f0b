"""Escalate: hand an alert to any step of the ladder, with a reason; the steps passed are told, history goes along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.calendar import WorkingCalendar
from hub.domain.errors import Conflict, HubError, Refusal
from hub.domain.ladder import EscalateReason, Role, Step, there
from hub.domain.route import Directory
from hub.services.alert_act import Acting, AlertAct, begin, keep
from hub.services.ports import Transaction
from hub.services.top_rung import top_rung

NOBODY_THERE: Final = Refusal(
    "nobody-at-that-step",
    "Nobody is there at that step.",
    "Choose another step. If it cannot wait, ring your coordinator.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (NOBODY_THERE,)


@dataclass(frozen=True, slots=True)
class Escalate(AlertAct):
    """Hand it to a step of the ladder, for a reason."""

    to: Role
    reason: EscalateReason


def escalate(
    tx: Transaction, items: Sequence[Escalate], *, directory: Directory, calendar: WorkingCalendar
) -> list[HubError | None]:
    """Hand each alert to the step that was chosen, and inform the steps between (R48)."""
    return [_one(tx, item, begin(tx, item, directory, calendar)) for item in items]


def _one(tx: Transaction, item: Escalate, acting: Acting | HubError) -> HubError | None:
    if isinstance(acting, HubError):
        return acting
    present = there(acting.ladder, item.business, acting.who.away)
    step = next((each for each in present if each.role == item.to), None)
    if step is None or step.person.id == acting.row["holder"]:
        return Conflict(NOBODY_THERE)
    told = [("alert.escalated", step.person.id), *(("alert.informed", each) for each in _passed(acting, step))]
    detail = {"to": step.person.id, "role": step.role, "reason": item.reason, "from": acting.row["holder"]}
    top = top_rung(tx, acting.row, acting.ladder, step.person.id, item.business)
    keep(tx, acting, "alert.escalated", {**handed_to(step, acting), **top}, detail, told)
    return None


def handed_to(step: Step, acting: Acting) -> dict[str, object]:
    """Return what changes of an alert that somebody new has from now: it waits to be opened anew."""
    urgent = acting.row["urgent"] or acting.row["safety"]
    return {
        "holder": step.person.id,
        "role": step.role,
        "held_since": acting.act.business,
        "opened_at": None,
        "taken_by": None,
        "taken_at": None,
        "snoozed_until": None,
        "look_at": acting.who.passes_on_at(step, urgent=urgent),
    }


def _passed(acting: Acting, step: Step) -> list[str]:
    """Everyone between the holder and the step that was chosen; the holder too, where somebody else hands it up."""
    ids = [each.person.id for each in acting.ladder]
    start = ids.index(acting.row["holder"]) if acting.row["holder"] in ids else 0
    return ids[start : ids.index(step.person.id)]
