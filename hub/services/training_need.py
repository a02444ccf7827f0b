"""A training need: its topic goes on the coordinator's list, and neither who wants it nor about whom (R55)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.calendar import WorkingCalendar, london_date
from hub.domain.errors import HubError
from hub.domain.route import Directory
from hub.domain.win import TRAINING, Topic
from hub.services.alert_act import AlertAct, begin
from hub.services.ports import Transaction, audited


@dataclass(frozen=True, slots=True)
class TrainingNeed(AlertAct):
    """Somebody who sees an alert says what people would need to learn."""

    topic: Topic


def training_need(
    tx: Transaction, items: Sequence[TrainingNeed], *, directory: Directory, calendar: WorkingCalendar
) -> list[HubError | None]:
    """Count each topic for the whole partnership.

    The case system is not told, and the event names no share: either would say whose work it was about.
    """
    results: list[HubError | None] = []
    for item in items:
        acting = begin(tx, item, directory, calendar, leading=False, open_only=False)
        if isinstance(acting, HubError):
            results.append(acting)
            continue
        tx.tally([(london_date(item.business).isoformat(), TRAINING, item.topic, "")])
        detail = {"topic": str(item.topic)}
        tx.insert("audit_events", [audited(item.business, "training.recorded", f"person:{item.person}", detail=detail)])
        results.append(None)
    return results
