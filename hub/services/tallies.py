"""What is counted of a plan, for the barrier report: by day, name and service, and never by person (R25, R30)."""

from __future__ import annotations

from collections.abc import Iterator

from hub.domain import gate
from hub.domain.calendar import london_date
from hub.services.plan import Plan

#: What is counted: refusals by their gate, and the one answer about the five where a service has a cohort rule.
BLOCK, COHORT = "gate", "cohort"


def tallies(planned: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Yield what to count once more: day, what, name and service; a share that waits counts when it is released."""
    if planned.held:
        return
    day = london_date(planned.sent_at).isoformat()
    for verdict in planned.refused:
        for blocked in gate.blocks(verdict.refusals):
            yield day, BLOCK, blocked, verdict.service_id
    for parcel in planned.parcels:
        if gate.cohorts(parcel.route.gates):
            yield day, COHORT, planned.share.three_of_five, parcel.route.service.id
