"""Who holds an alert, and when it goes to the next: each person's own working days, up to whoever can move it (R50)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from hub.domain.alert import AlertKind
from hub.domain.answer import Level
from hub.domain.calendar import WorkingCalendar, london_date
from hub.domain.route import Champion, Directory


class Role(StrEnum):
    """As what somebody holds an alert, from the foot of the ladder to its top."""

    CHAMPION = "champion"
    DEPUTY = "deputy"
    COORDINATOR = "coordinator"
    NETWORK_MANAGER = "network_manager"
    ABOVE_NETWORK_MANAGER = "above_network_manager"
    OPERATOR = "operator"  #: whoever looks after the hub: what has not arrived, and what nobody else is there for


class Priority(IntEnum):
    """The order of the follow-up list: safety first, and a heads-up last, for nothing is late yet."""

    SAFETY = 0
    URGENT = 1
    OTHER = 2
    EARLY = 3


class CloseReason(StrEnum):
    """Why somebody closes an alert that no answer closed."""

    ANSWERED_ELSEWHERE = "answered_elsewhere"
    NO_LONGER_NEEDED = "no_longer_needed"
    PERSON_CHANGED_THEIR_MIND = "person_changed_their_mind"
    SENT_ANOTHER_WAY = "sent_another_way"
    BARRIER_RECORDED = "barrier_recorded"
    RAISED_IN_ERROR = "raised_in_error"


class SnoozeReason(StrEnum):
    """Why somebody waits before they look again."""

    ANSWER_PROMISED = "answer_promised"
    WAITING_FOR_PERSON = "waiting_for_person"
    WAITING_FOR_SERVICE = "waiting_for_service"
    MEETING_ARRANGED = "meeting_arranged"


class EscalateReason(StrEnum):
    """Why somebody hands an alert up."""

    NO_REPLY = "no_reply"
    NOT_MINE_TO_DECIDE = "not_mine_to_decide"
    NO_SERVICE_CAN_ACT = "no_service_can_act"
    SAFETY = "safety"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Step:
    """One person on the ladder of a share, and as what."""

    role: Role
    person: Champion


#: How long before an alert that nobody opened goes on [P]: days are the holder's own (R50).
OPEN_WITHIN_DAYS: Final = 2
URGENT_OPEN_WITHIN: Final = timedelta(hours=4)
#: So long without an act, and it goes up [P] (R48).
IDLE_DAYS: Final = 5
#: Nobody puts an alert off for longer than this at once (TH15).
MOST_SNOOZE_DAYS: Final = 10


def rank(kind: AlertKind, level: Level) -> int:
    """Return which of a delivery's open alerts leads: the highest. A heads-up is below all."""
    if kind is AlertKind.EARLY:
        return -1
    # The sending side's own clock (L0) runs out after the endpoint's (L1), and is the one that people follow up.
    return {Level.L0: 1, Level.L1: 0}.get(level, int(level))


def priority(kind: AlertKind, *, safety: bool, urgent: bool) -> Priority:
    """Return where an alert stands in the list."""
    if kind is AlertKind.EARLY:
        return Priority.EARLY
    return Priority.SAFETY if safety else Priority.URGENT if urgent else Priority.OTHER


def steps(directory: Directory, partner_id: str, about: str = "") -> tuple[Step, ...]:
    """Return the ladder of a partner's shares, each person once and by their lowest step, the operator at its end.

    `about` is the one whose answer is missing: nobody is alerted about themselves (R44).
    """
    partner = directory.partners.get(partner_id)
    coordinator = (partner.coordinator if partner else None) or directory.coordinator
    named = (
        (Role.COORDINATOR if partner and partner.champion == coordinator else Role.CHAMPION,
         partner.champion if partner else None),
        (Role.DEPUTY, partner.deputy if partner else None),
        (Role.COORDINATOR, coordinator),
        (Role.NETWORK_MANAGER, directory.network_manager),
        (Role.ABOVE_NETWORK_MANAGER, directory.above_network_manager),
        (Role.OPERATOR, directory.operator),
    )  # fmt: skip
    found: dict[str, Step] = {}
    for role, person in named:
        if person is not None and (person.id != about or role is Role.OPERATOR):
            as_what = Role.OPERATOR if person.id == directory.operator.id else role
            found.setdefault(person.id, Step(as_what, person))
    # Where the operator stands in for a champion, they still come last.
    operator = found.pop(directory.operator.id)
    return (*found.values(), operator)


def there(ladder: tuple[Step, ...], now: datetime, away: Collection[str]) -> tuple[Step, ...]:
    """Return those whom anything can be handed to: neither away nor gone; the operator always (R50: no orphans)."""
    today = london_date(now)
    return tuple(
        step
        for step in ladder
        if step.role is Role.OPERATOR
        or (step.person.id not in away and (step.person.until is None or step.person.until >= today))
    )


def first(ladder: tuple[Step, ...], now: datetime, away: Collection[str]) -> Step:
    """Return who holds an alert at first: the lowest step that is there."""
    return there(ladder, now, away)[0]


def above(ladder: tuple[Step, ...], holder: str, now: datetime, away: Collection[str]) -> Step | None:
    """Return the next step above a holder that is there; from the foot where the holder is on no step any more.

    None for whoever is at the end.
    """
    ids = [step.person.id for step in ladder]
    rest = ladder[ids.index(holder) + 1 :] if holder in ids else ladder
    return next(iter(there(rest, now, away)), None) if rest else None


def calendar_of(person: Champion, directory: Directory, calendar: WorkingCalendar) -> WorkingCalendar:
    """Return one person's own working days: their days of the week, but for holidays and where they work is shut."""
    partner = directory.partners.get(person.organisation)
    shut = directory.closures | (partner.closures if partner else frozenset())
    return replace(calendar.closed_on(shut), weekdays=person.working_days)


def passes_on_at(since: datetime, own: WorkingCalendar, *, urgent: bool) -> datetime:
    """Return when an alert that its holder has not opened goes to the next: four hours, by day or night, if urgent."""
    return since + URGENT_OPEN_WITHIN if urgent else own.add_working_days(since, OPEN_WITHIN_DAYS)


def idle_at(since: datetime, own: WorkingCalendar) -> datetime:
    """Return when an alert on which nothing was done since goes up by itself (R48)."""
    return own.add_working_days(since, IDLE_DAYS)


def latest_snooze(now: datetime, own: WorkingCalendar) -> datetime:
    """Return the last instant to which an alert may be put off."""
    return own.add_working_days(now, MOST_SNOOZE_DAYS)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one person who follows up may see: shares sent by partners they follow up for, and what services owe.

    `leads` are partners whose alerts they act on; `hears` are services of their own organisation, of whose silence they
    hear. A network manager, and whoever is above, leads all.
    """

    person: str
    leads: frozenset[str]
    hears: frozenset[str]

    def sees(self, partner_id: str, service_id: str) -> bool:
        """Tell whether an alert of a partner about a service is theirs to see."""
        return partner_id in self.leads or service_id in self.hears


def scope(directory: Directory, person: str) -> Scope:
    """Return what a person may see; nothing at all for whoever is on no ladder."""
    top = {each.id for each in (directory.network_manager, directory.above_network_manager) if each is not None}
    leads = {
        partner_id
        for partner_id in directory.partners
        if person in top or person in {step.person.id for step in steps(directory, partner_id)[:-1]}
    }
    own = {
        partner.id
        for partner in directory.partners.values()
        if person in {each.id for each in (partner.champion, partner.deputy, partner.coordinator) if each is not None}
    }
    hears = {service.id for service in directory.services.values() if service.partner in own}
    return Scope(person, frozenset(leads), frozenset(hears))


def step_of(ladder: tuple[Step, ...], person: str) -> Step | None:
    """Return the step on which somebody stands."""
    return next((step for step in ladder if step.person.id == person), None)


@dataclass(frozen=True, slots=True)
class Cover:
    """Who stands in for whom: `after` me comes whom my alerts pass to, in order; of `before` I get theirs.

    `colleagues` are the people whose days off I may write down: of my own organisation, and whoever I come after.
    """

    after: tuple[Step, ...]
    before: tuple[Step, ...]
    colleagues: frozenset[str]


def cover(directory: Directory, person: str) -> Cover:
    """Return who covers a person, and whom they cover, over the ladders of every partner they are on."""
    after: dict[str, Step] = {}
    before: dict[str, Step] = {}
    for partner_id in directory.partners:
        ladder = steps(directory, partner_id)[:-1]
        ids = [step.person.id for step in ladder]
        if person in ids:
            mine = ids.index(person)
            after |= {step.person.id: step for step in ladder[mine + 1 :]}
            before |= {step.person.id: step for step in ladder[:mine]}
    own = {
        each.id
        for partner in directory.partners.values()
        if person in {each.id for each in (partner.champion, partner.deputy) if each is not None}
        for each in (partner.champion, partner.deputy)
        if each is not None
    }
    return Cover(tuple(after.values()), tuple(before.values()), frozenset((own | set(before)) - {person}))
