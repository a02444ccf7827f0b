"""Meet a barrier: whoever follows up says that what an alert is about is a shut door, and it counts as one (R46)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.barrier import Cause
from hub.domain.calendar import WorkingCalendar, london_date
from hub.domain.errors import Conflict, HubError
from hub.domain.route import Directory
from hub.services.alert_act import Acting, AlertAct, begin, keep
from hub.services.barriers import KNOWN, NO_CANDIDATE, OpenBarrier, open_barrier, wrong
from hub.services.ports import Transaction
from hub.services.top_rung import SILENCE

#: What the log and the case system hear: that it was written down as a barrier, and not which.
MET: Final = "barrier.recorded"


@dataclass(frozen=True, slots=True)
class MeetBarrier(AlertAct):
    """The door that is shut: how it shows, what it is called there, and a few words that tell of nobody."""

    cause: Cause
    name: str
    words: str = ""


def meet_barrier(
    tx: Transaction, items: Sequence[MeetBarrier], *, directory: Directory, calendar: WorkingCalendar
) -> list[HubError | None]:
    """Make each a barrier, or note that it was met again where it is one already; the case system hears of it (R46).

    Silence is counted here for an alert that never came to the top of its ladder, and once for each alert (R52).
    """
    return [_one(tx, item, begin(tx, item, directory, calendar), directory) for item in items]


def _one(tx: Transaction, item: MeetBarrier, acting: Acting | HubError, directory: Directory) -> HubError | None:
    if isinstance(acting, HubError):
        return acting
    row = acting.row
    silence = item.cause is Cause.SILENCE
    if silence and (row["kind"] not in SILENCE or item.name != row["kind"]):
        return Conflict(NO_CANDIDATE)
    if (refused := wrong(item.person, item.words, directory)) is not None:
        return refused
    changes: dict[str, Any] = {}
    if silence and row["top_at"] is None:
        tx.tally([(london_date(item.business).isoformat(), str(Cause.SILENCE), item.name, row["service_id"])])
        changes = {"top_at": item.business}
    opening = OpenBarrier(row["service_id"], item.cause, item.name, item.person, item.business, item.words)
    (opened,) = open_barrier(tx, [opening], directory=directory)
    if isinstance(opened, HubError) and opened.refusal != KNOWN:
        return opened
    keep(tx, acting, MET, changes, {})
    return None
