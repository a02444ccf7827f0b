"""Barriers: a shut door that was counted becomes a barrier, moves a step at a time with a reason, and may come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from hub.domain.barrier import REASONS, RESTING, BarrierEvent, BarrierState, event_to, move
from hub.domain.calendar import london_date
from hub.domain.check import line
from hub.domain.errors import Conflict, Fault, Forbidden, HubError, Malformed, NotFound, Refusal
from hub.domain.impersonal import WORDS, personal
from hub.domain.ladder import scope
from hub.domain.route import Directory
from hub.services.ports import Row, Transaction, audited

NO_BARRIER: Final = Refusal(
    "barrier-not-found",
    "We cannot find this barrier.",
    "Look for it in the list of barriers.",
)
NO_CANDIDATE: Final = Refusal(
    "barrier-not-met",
    "Nothing like this was counted for this service.",
    "Choose one from the list of what was counted.",
)
KNOWN: Final = Refusal(
    "barrier-known",
    "This is a barrier already, and somebody is on it.",
    "Look for it in the list of barriers, and move it on from there.",
)
NOT_NEXT: Final = Refusal(
    "barrier-not-next",
    "A barrier moves one step at a time: identified, understood, acting, then removed or acknowledged.",
    "Choose the step that comes next.",
)
NOT_YOURS: Final = Refusal(
    "barrier-not-yours",
    "Only champions, coordinators and the network manager say what is a barrier.",
    "Ask your champion.",
)
SAY_WHY: Final = Refusal(
    "barrier-say-why",
    "We cannot keep this as it is written.",
    "Choose a reason from the list. In your own words, say what the door is, and nothing about any person.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (NO_BARRIER, NO_CANDIDATE, KNOWN, NOT_NEXT, NOT_YOURS, SAY_WHY)

CLOCK: Final = "hub:clock"
#: How often what was counted is looked at again: in between, a round costs one look-up.
_LOOK_EVERY: Final = timedelta(minutes=1)
_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class OpenBarrier:
    """A person says that what was counted of a service is a barrier; `words` are theirs, of nobody, and may be none."""

    service_id: str
    cause: str
    name: str
    person: str
    business: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class MoveBarrier:
    """A person moves a barrier to its next state for one of the reasons of that state."""

    barrier_id: str
    to: BarrierState
    reason: str
    person: str
    business: datetime
    words: str = ""


def open_barrier(tx: Transaction, items: Sequence[OpenBarrier], *, directory: Directory) -> list[str | HubError]:
    """Make each a barrier, or open again one that rested, if it was met since; returns its id."""
    return [_open(tx, item, directory) for item in items]


def _open(tx: Transaction, item: OpenBarrier, directory: Directory) -> str | HubError:
    if (refused := wrong(item.person, item.words, directory)) is not None:
        return refused
    found = tx.find_barrier(item.service_id, item.cause, item.name)
    met = tx.times_met(item.service_id, item.cause, item.name)
    if found is None:
        if not met:
            return NotFound(NO_CANDIDATE)
        return _identify(tx, item, met, "people-say-so")
    if BarrierState(found["state"]) not in RESTING:
        return Conflict(KNOWN)
    if met <= found["counted"]:
        return Conflict(NO_CANDIDATE)
    _keep(tx, found, BarrierEvent.CAME_BACK, met, ("came-back", item.words, item.person), item.business)
    return str(found["id"])


def move_barrier(tx: Transaction, items: Sequence[MoveBarrier], *, directory: Directory) -> list[HubError | None]:
    """Move each barrier on by one step (R52)."""
    return [_move(tx, item, directory) for item in items]


def _move(tx: Transaction, item: MoveBarrier, directory: Directory) -> HubError | None:
    if (refused := wrong(item.person, item.words, directory)) is not None:
        return refused
    found = tx.lock_barrier(item.barrier_id)
    if found is None:
        return NotFound(NO_BARRIER)
    event = event_to(BarrierState(found["state"]), item.to)
    if event is None or event is BarrierEvent.CAME_BACK:
        return Conflict(NOT_NEXT)
    if item.reason not in REASONS[item.to]:
        return Malformed(SAY_WHY, (Fault("/reason", f"must be one of {', '.join(sorted(REASONS[item.to]))}"),))
    met = tx.times_met(found["service_id"], found["cause"], found["name"])
    _keep(tx, found, event, met, (item.reason, item.words, item.person), item.business)
    return None


def find_barriers(tx: Transaction, directory: Directory, business: datetime, wall: datetime) -> int:
    """Open again what was removed and is met again, and identify what is met often this month; at most once a minute.

    Returns how many. What is counted is committed with what it follows from, so that nothing is missed in between.
    """
    if not tx.first_of_late("round", "barriers", wall, wall + _LOOK_EVERY):
        return 0
    back = tx.came_back(_LIMIT)
    for row in back:
        _keep(tx, row, BarrierEvent.CAME_BACK, row["met"], ("came-back", "", CLOCK), business)
    often: list[Row] = []
    if directory.barrier_at:
        month = london_date(business).replace(day=1).isoformat()
        often = tx.met_often(month, directory.barrier_at, _LIMIT)
    for row in often:
        names = row["service_id"], row["cause"], row["name"]
        _identify(tx, OpenBarrier(*names, CLOCK, business), tx.times_met(*names), "counted-often")
    return len(back) + len(often)


def wrong(person: str, words: str, directory: Directory) -> HubError | None:
    """Return why a person may not say this of a barrier: who they are, or words about somebody; or None."""
    if not scope(directory, person).leads:
        return Forbidden(NOT_YOURS)
    faults = list(line("/words", words))
    if len(words) > WORDS:
        faults.append(Fault("/words", f"must not be longer than {WORDS} characters"))
    elif rule := personal(words, names_of(directory)):
        faults.append(Fault("/words", rule))
    return Malformed(SAY_WHY, tuple(faults)) if faults else None


def names_of(directory: Directory) -> set[str]:
    """Return the names that words about a barrier may hold: those of services, of partners and of the partnership."""
    services = {name for each in directory.services.values() for name in (each.name, each.id)}
    partners = {name for each in directory.partners.values() for name in (each.name, each.id)}
    return services | partners | {directory.partnership}


def _identify(tx: Transaction, item: OpenBarrier, met: int, reason: str) -> str:
    barrier_id = uuid4().hex
    state = move(None, BarrierEvent.FOUND)
    names = {"service_id": item.service_id, "cause": item.cause, "name": item.name}
    stands = {"state": state, "since": item.business, "times": 1, "counted": met}
    tx.insert("barriers", [{"id": barrier_id, **names, **stands}])
    _note(tx, {"id": barrier_id, **names}, state, (reason, item.words, item.person), item.business)
    return barrier_id


def _keep(  # noqa: PLR0913 - a move is made of just these
    tx: Transaction, row: Row, event: BarrierEvent, met: int, why: tuple[str, str, str], at: datetime
) -> None:
    state = move(BarrierState(row["state"]), event)
    times = row["times"] + (1 if event is BarrierEvent.CAME_BACK else 0)
    tx.change_barrier(row["id"], {"state": state, "since": at, "times": times, "counted": met})
    _note(tx, row, state, why, at)


def _note(tx: Transaction, row: Row, state: BarrierState, why: tuple[str, str, str], at: datetime) -> None:
    reason, words, person = why
    number = tx.last_move(row["id"]) + 1
    said = {"state": state, "reason": reason, "words": words, "person": person}
    tx.insert("barrier_moves", [{"barrier_id": row["id"], "number": number, "at": at, **said}])
    detail = {"barrier": row["id"], "service": row["service_id"], "state": str(state), "reason": reason}
    actor = person if person == CLOCK else f"person:{person}"
    tx.insert("audit_events", [audited(at, "barrier.moved", actor, detail=detail)])
