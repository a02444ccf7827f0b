"""Alerts in plain words: what is so, how late it is, who has it and what comes next; nothing of a story (R45)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.alert import AlertKind, AlertState
from hub.domain.alert_list import AlertLine, AlertView
from hub.domain.answer import DECIDED_ONLY, PROVES, AnswerState, Level
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.ladder import CloseReason, Priority, Role
from hub.domain.route import Directory
from hub.domain.wording import day, moment
from hub.notify.words import GIVEN_UP, IN_DOUBT, age

ROLES: Final[dict[Role, str]] = {
    Role.CHAMPION: "champion",
    Role.DEPUTY: "deputy",
    Role.COORDINATOR: "coordinator",
    Role.NETWORK_MANAGER: "network manager",
    Role.ABOVE_NETWORK_MANAGER: "above the network manager",
    Role.OPERATOR: "looks after the hub",
}
#: What is owed at each rung, as the table of what is owed names it.
RUNGS: Final[dict[Level, str]] = {
    Level.L0: "To reach the service at all",
    Level.L1: "To be taken by the service's system",
    Level.L2: "To be opened",
    Level.L3: "To be answered",
    Level.L4: "To hear how it ended",
}
CLOSED_WHY: Final[dict[str, str]] = {
    CloseReason.ANSWERED_ELSEWHERE: "it was answered another way",
    CloseReason.NO_LONGER_NEEDED: "it is no longer needed",
    CloseReason.PERSON_CHANGED_THEIR_MIND: "the person changed their mind",
    CloseReason.SENT_ANOTHER_WAY: "it was sent another way",
    CloseReason.BARRIER_RECORDED: "the barrier was written down",
    CloseReason.RAISED_IN_ERROR: "it was a mistake",
}
#: What it is that waits, where it is not the share itself.
FOLLOWS: Final[dict[str, str]] = {
    DeliveryKind.PLEASE_STOP_USING: "A request to stop using it",
    DeliveryKind.CORRECTION: "Something that was put right",
    DeliveryKind.ADDENDUM: "A later fact",
    DeliveryKind.REPLY: "An answer, or a note about one",
}
PRESSES: Final[dict[Priority, str]] = {
    Priority.SAFETY: "Safety",
    Priority.URGENT: "Urgent",
    Priority.OTHER: "",
    Priority.EARLY: "Early word",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is so with an alert: a heading, and a sentence or two; `over` where there is nothing more to do."""

    title: str
    words: str
    over: bool = False


_NO_LONGER: Final = Standing("This is no longer needed", "There is nothing more to do.", over=True)
_ARRIVED: Final = Standing(
    "This has arrived", "The service has it now. You will hear again if nobody answers.", over=True
)
_OPENED: Final = Standing(
    "The service has opened this", "They have not answered yet. You will hear again if they are late.", over=True
)
_ANSWERED: Final = Standing("The service has answered", "You need do nothing more about this alert.", over=True)
_DECIDED: Final = Standing(
    "The service has decided its next step",
    "They have it. What they decided is not shown here. Ring them if something is still waited for.",
)

_LATE: Final[dict[Level, tuple[str, str]]] = {
    Level.L2: ("Nobody has opened this yet", "It is there. No one there has looked at it in time."),
    Level.L3: ("Nobody has answered yet", "It is there. No one has said yes or no in time."),
    Level.L4: (
        "Nobody has said how it ended",
        "The service has answered. They have not said what came of it, and that is late.",
    ),
}
_KINDS: Final[dict[AlertKind, tuple[str, str]]] = {
    AlertKind.EARLY: (
        "An early word",
        "Nothing is late. The team that sent this would like a hand, and half of the time has gone.",
    ),
    AlertKind.SIGNPOSTED: (
        "Still needs somebody",
        "The service has said where else may help, and has not helped itself. So this stays open.",
    ),
    AlertKind.UNCOLLECTED: (
        "Nobody has fetched an answer",
        "An answer came. No one in the team that asked has read it for a working day.",
    ),
    AlertKind.AWAY: (
        "An answer waits for somebody who is away",
        "The one whom the person trusts is away. Until the person says who may hear it, it waits.",
    ),
    AlertKind.LEFT: (
        "Somebody has left: who is next?",
        "The one whom the person trusts has left. This stays here until the person says who is next.",
    ),
}
_NEXT: Final[dict[AlertKind, str]] = {
    AlertKind.EARLY: "Ring the team that sent it, and offer a hand",
    AlertKind.SIGNPOSTED: "See together who will help",
    AlertKind.UNCOLLECTED: "Find out who is there for the person today",
    AlertKind.AWAY: "Ask the person who may hear it",
    AlertKind.LEFT: "Ask the person whom they trust now",
}

_ASK: Final[dict[DeliveryState, str]] = {
    DeliveryState.DELIVERED: "Ask the service again, or ring them",
    DeliveryState.DEAD_LETTERED: "Send it again, or ring",
}


def standing(view: AlertView, directory: Directory, *, muted: bool) -> Standing:
    """Return what is so now. Nobody waits for what was withdrawn, is forgotten, or is about somebody who has died."""
    line = view.line
    if is_over(view):
        return _NO_LONGER
    if line.state != AlertState.OPEN:
        return _closed(line, directory)
    if muted and line.answer_state == DECIDED_ONLY:
        return _DECIDED
    title, words = _open(line)
    return Standing(title, words)


def is_over(view: AlertView) -> bool:
    """Tell whether nobody waits any more; a request to stop is waited for just because consent ended (R15, R69)."""
    if view.died or view.data_key is None or view.line.delivery_state == DeliveryState.CANCELLED:
        return True
    return view.withdrawn and view.line.delivery_kind != DeliveryKind.PLEASE_STOP_USING


def _closed(line: AlertLine, directory: Directory) -> Standing:
    if line.closed_by is not None:
        why = CLOSED_WHY.get(line.closed_why or "", "nothing more is needed")
        return Standing("This is closed", f"{name_of(line.closed_by, directory)} closed it: {why}.", over=True)
    if line.answer_state == DECIDED_ONLY or PROVES.get(AnswerState(line.answer_state), Level.L0) >= Level.L3:
        return _ANSWERED
    if line.kind is AlertKind.UNDELIVERED:
        return _ARRIVED
    return _OPENED if line.level <= Level.L2 else _ANSWERED


def _open(line: AlertLine) -> tuple[str, str]:
    if line.kind in _KINDS:
        return _KINDS[line.kind]
    if line.kind is AlertKind.UNANSWERED:
        return _LATE[max(line.level, Level.L2)]
    state = DeliveryState(line.delivery_state)
    if state is DeliveryState.DEAD_LETTERED:
        return "This could not be sent", GIVEN_UP
    if state is DeliveryState.IN_DOUBT:
        return "This may not have arrived", IN_DOUBT
    if state is DeliveryState.DELIVERED:
        return _LATE[Level.L2]
    return "This has not arrived yet", "We could not get it to the service in time. We keep trying."


def lateness(line: AlertLine, now: datetime) -> str:
    """Return how late it is: "2 days late"; of what is not late, when it is due, when it wakes or when it closed."""
    if line.closed_at is not None:
        return f"Closed on {day(line.closed_at)}"
    if line.snoozed_until is not None:
        return f"Put off until {day(line.snoozed_until)}"
    if line.due_at > now:
        return f"Not late: due {moment(line.due_at)}"
    return f"{age(now - line.due_at)} late"


def next_step(line: AlertLine, me: str, *, leads: bool) -> str:
    """Return what its reader may do next, in a few words."""
    if line.closed_at is not None:
        return "Nothing more to do"
    if line.snoozed_until is not None:
        return f"Look again on {day(line.snoozed_until)}"
    if not leads:
        return "Ask your team to answer"
    if line.taken_by is None:
        return "Say that you have it" if line.holder == me else "With somebody else: help if they ask"
    return _NEXT.get(line.kind) or _ASK.get(DeliveryState(line.delivery_state), "Ring the service")


def who_has(line: AlertLine, directory: Directory, me: str) -> str:
    """Return who has it and as what; that they said so, or that they have not opened it."""
    if line.closed_at is not None:
        return "Nobody needs to"
    name = "You" if line.holder == me else name_of(line.holder, directory)
    taken = line.taken_by
    if taken is not None and taken != line.holder:
        also = "you are" if taken == me else f"{name_of(taken, directory)} is"
        return f"{name} ({ROLES[line.role]}); {also} on it too"
    said = "on it" if taken is not None else "opened it" if line.opened_at is not None else "not opened yet"
    return f"{name} ({ROLES[line.role]}): {said}"


def name_of(person: str, directory: Directory) -> str:
    """Return what somebody who follows up is called; whoever has left the partnership's file has no name any more."""
    return next((each.name for each in directory.people() if each.id == person), "Somebody who has left")


def service_name(service_id: str, directory: Directory) -> str:
    """Return what a service is called."""
    service = directory.services.get(service_id)
    return service.name if service else service_id


def partner_name(partner_id: str, directory: Directory) -> str:
    """Return what an organisation is called."""
    partner = directory.partners.get(partner_id)
    return partner.name if partner else partner_id
