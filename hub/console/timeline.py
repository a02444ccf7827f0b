"""The timeline of an alert: what happened, who did it and when, a plain sentence each; codes stay behind (R61)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from hub.console.alert_words import CLOSED_WHY, ROLES, name_of, partner_name, service_name
from hub.domain.alert_list import AlertView, TimelineEntry
from hub.domain.delivery import DeliveryState
from hub.domain.ladder import EscalateReason, Role, SnoozeReason
from hub.domain.route import Directory
from hub.domain.wording import day, moment

ESCALATED_WHY: Final[dict[str, str]] = {
    EscalateReason.NO_REPLY: "Nobody replies",
    EscalateReason.NOT_MINE_TO_DECIDE: "I cannot decide this",
    EscalateReason.NO_SERVICE_CAN_ACT: "No service can help",
    EscalateReason.SAFETY: "Somebody may not be safe",
    EscalateReason.AWAY: "I am away",
}
SNOOZED_WHY: Final[dict[str, str]] = {
    SnoozeReason.ANSWER_PROMISED: "The service has promised an answer",
    SnoozeReason.WAITING_FOR_PERSON: "We wait for the person",
    SnoozeReason.WAITING_FOR_SERVICE: "We wait for the service",
    SnoozeReason.MEETING_ARRANGED: "A meeting is arranged",
}
#: What a service said, as far as it may be told here.
ANSWERS: Final[dict[str, str]] = {
    "received": "The service has it",
    "needs_info": "The service asked a question",
    "accepted": "The service said yes",
    "in_progress": "The service has started",
    "waiting_list": "The service said yes, but there is a wait",
    "declined": "The service said no",
    "redirect_suggested": "The service said that somebody else may help",
    "signposted": "The service said where else may help",
    "could_not_reach": "The service could not get in touch",
    "completed": "The service said that it is done",
    "decided": "The service has decided its next step",
}
_SETTLED: Final[dict[str, str]] = {
    DeliveryState.DELIVERED: "It reached the service",
    DeliveryState.RETRYING: "It did not get through, and is tried again",
    DeliveryState.IN_DOUBT: "It may have got through, and that is checked",
    DeliveryState.DEAD_LETTERED: "It did not get through, and sending stopped",
    DeliveryState.QUEUED: "It waits to be sent",
    DeliveryState.CANCELLED: "Sending stopped before it went",
}
_HOW: Final = {"phone": "on the phone", "meeting": "at a meeting", "email": "by email"}
_NUDGED: Final = {
    "link": "The team got a new link",
    "mailbox": "The team got an email",
    "champion": "Its champion got an email",
}
_RAISED: Final = {
    "undelivered": "This had not arrived in time",
    "unanswered": "Nobody had answered in time",
    "early": "An early word went to the champion",
    "signposted": "This still needed somebody",
    "uncollected": "Nobody had fetched the answer",
    "away": "An answer waited for somebody who is away",
    "left": "The trusted person had left",
}
#: Of these there is nothing to say but that they happened.
_PLAIN: Final = {
    "share.accepted": "The share was sent to us",
    "share.released": "It was looked at together, and may go",
    "share.forgotten": "The story was forgotten",
    "consent.withdrawn": "The person took back what they agreed",
    "person.told": "The person was told what came of it",
    "person.died": "We were told that the person has died",
    "cover.kept": "The person said who may hear answers meanwhile",
    "delivery.accepted": "It was made ready for the service",
    "delivery.cancelled": "Sending stopped before it went",
    "delivery.proved": "The answer showed that it had arrived",
    "delivery.resent": "It was sent again, unseen",
    "delivery.asked_again": "We asked again if it had arrived",
    "delivery.lease_expired": "Sending broke off, and is looked into",
    "invite.made": "The team got a link to it",
    "invite.opened": "The team opened the link",
    "door.closed": "This counted as a closed door",
    "alert.woken": "The time to look again came",
    "alert.still_open": "It was still open, and its holder was told again",
    "answer.collected": "The answer was fetched",
    "barrier.recorded": "This was written down as a barrier",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry: what happened, who did it, when, and what there is to add."""

    title: str
    by: str
    when: str
    at: str  #: for machines
    more: str = ""


def timeline(view: AlertView, directory: Directory) -> tuple[Happened, ...]:
    """Return what happened, the newest first."""
    return tuple(_entries(view, directory))


def _entries(view: AlertView, directory: Directory) -> Iterator[Happened]:
    for entry in reversed(view.timeline):
        title, more = _words(entry, dict(entry.detail), directory)
        by = _actor(entry.actor, view, directory)
        yield Happened(title, by, moment(entry.at), entry.at.isoformat(timespec="seconds"), more)


def _words(entry: TimelineEntry, said: Mapping[str, str], directory: Directory) -> tuple[str, str]:
    if entry.action in _PLAIN:
        return _PLAIN[entry.action], ""
    return _SAID[entry.action](said, directory)


def _actor(actor: str, view: AlertView, directory: Directory) -> str:
    kind, _, name = actor.partition(":")
    if kind == "person":
        return name_of(name, directory)
    if kind == "client":
        return partner_name(view.line.partner_id, directory)
    if kind in {"connection", "invite"}:
        return service_name(view.line.service_id, directory)
    return "The hub"


def _settled(said: Mapping[str, str], _: Directory) -> tuple[str, str]:
    return _SETTLED.get(said.get("state", ""), "It was tried"), ""


def _answered(said: Mapping[str, str], _: Directory) -> tuple[str, str]:
    unusual = "This does not usually follow what they said before" if said.get("usual") == "False" else ""
    return ANSWERS.get(said.get("state", ""), "The service answered"), unusual


def _heard(said: Mapping[str, str], _: Directory) -> tuple[str, str]:
    return f"What the service said {_HOW.get(said.get('how', ''), 'another way')} was written down", ""


def _raised(said: Mapping[str, str], directory: Directory) -> tuple[str, str]:
    holder = said.get("holder", "")
    if said.get("kind") == "unanswered" and said.get("level") == "2":
        return "Nobody had opened it in time", f"It went to {name_of(holder, directory)}"
    return _RAISED.get(said.get("kind", ""), "This needed somebody"), f"It went to {name_of(holder, directory)}"


def _taken(said: Mapping[str, str], directory: Directory) -> tuple[str, str]:
    before = said.get("from", "")
    return "Said: I've got this", f"Taken over from {name_of(before, directory)}" if before else ""


def _nudged(said: Mapping[str, str], _: Directory) -> tuple[str, str]:
    return "Asked the service again", _NUDGED.get(said.get("by", ""), "")


def _passed_on(said: Mapping[str, str], directory: Directory) -> tuple[str, str]:
    why = {"gone": "Its holder was away", "idle": "Nothing was done for a while", "unopened": "Nobody opened it"}
    return f"Passed on to {_step(said, directory)}", why.get(said.get("reason", ""), "")


def _escalated(said: Mapping[str, str], directory: Directory) -> tuple[str, str]:
    return f"Handed up to {_step(said, directory)}", ESCALATED_WHY.get(said.get("reason", ""), "")


def _snoozed(said: Mapping[str, str], _: Directory) -> tuple[str, str]:
    return f"Put off until {day(date.fromisoformat(said['until']))}", SNOOZED_WHY.get(said.get("reason", ""), "")


def _closed(said: Mapping[str, str], _: Directory) -> tuple[str, str]:
    why = CLOSED_WHY.get(said.get("reason", ""), "")
    return "Closed this", why[:1].upper() + why[1:]


def _offered(said: Mapping[str, str], directory: Directory) -> tuple[str, str]:
    return f"Offered {service_name(said.get('service', ''), directory)} to the trusted person", ""


def _step(said: Mapping[str, str], directory: Directory) -> str:
    role = said.get("role", "")
    as_what = f" ({ROLES[Role(role)]})" if role in list(Role) else ""
    return f"{name_of(said.get('to', ''), directory)}{as_what}"


#: What an action says, with its details.
_SAID: Final[dict[str, Callable[[Mapping[str, str], Directory], tuple[str, str]]]] = {
    "delivery.settled": _settled,
    "delivery.answered": _answered,
    "delivery.heard": _heard,
    "alert.raised": _raised,
    "alert.taken": _taken,
    "alert.nudged": _nudged,
    "alert.passed_on": _passed_on,
    "alert.escalated": _escalated,
    "alert.snoozed": _snoozed,
    "alert.closed": _closed,
    "service.offered": _offered,
}
