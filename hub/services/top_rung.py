"""The top rung: silence that nobody above is left to hand on is counted, once for each alert (R52)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.domain.alert import AlertKind
from hub.domain.barrier import Cause
from hub.domain.calendar import london_date
from hub.domain.ladder import Role, Step
from hub.services.ports import Row, Transaction

#: Nothing arrived, or nobody said anything.
SILENCE = frozenset({AlertKind.UNDELIVERED, AlertKind.UNANSWERED})


def top_rung(tx: Transaction, row: Row, ladder: tuple[Step, ...], holder: str, now: datetime) -> dict[str, Any]:
    """Count an alert that comes to, or stays with, the last person of its ladder; returns what changes of it then."""
    people = [step.person.id for step in ladder if step.role is not Role.OPERATOR]
    if row["top_at"] is not None or row["kind"] not in SILENCE or holder in people[:-1]:
        return {}
    tx.tally([(london_date(now).isoformat(), str(Cause.SILENCE), row["kind"], row["service_id"])])
    return {"top_at": now}
