"""The tables of people: champions with the days they work, deputies, coordinators, and whoever is above them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.domain.route import Champion, Partner

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,60}$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Days = Annotated[tuple[Day, ...], Field(min_length=1, max_length=7)]

#: What notices to the operator are addressed to; nobody else may have it.
OPERATOR: Final = "operator"

_WEEK: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class PersonTable(BaseModel):
    """A named person: what they are called, where they read mail, the days they work, and their last day if one."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Id
    name: str
    email: str
    working_days: Days = ("mon", "tue", "wed", "thu", "fri")
    until: date | None = None  #: the last day that anything is handed to them, and that they may sign in
    subject: str = ""  #: how the partnership's sign-in names them (claim `sub`), where their e-mail does not


class ChampionTable(PersonTable):
    """An organisation's champion: no grade and no title, but the days they work (R51)."""

    working_days: Days
    coordinator: Id | Literal[""] = ""  #: the coordinator whom they turn to; empty: the partnership's
    pledged_on: date | None = None


class Followed(Protocol):
    """A partner's table."""

    @property
    def id(self) -> str: ...
    @property
    def champion(self) -> ChampionTable | None: ...
    @property
    def deputy(self) -> PersonTable | None: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["charity", "public_body", "health", "other"]: ...
    @property
    def ods(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def lead(self) -> str: ...
    @property
    def closures(self) -> tuple[date, ...]: ...


class Peopled(Protocol):
    """The partnership's table, as far as it names people."""

    @property
    def partners(self) -> tuple[Followed, ...]: ...
    @property
    def coordinator(self) -> PersonTable | None: ...
    @property
    def coordinators(self) -> tuple[PersonTable, ...]: ...
    @property
    def network_manager(self) -> PersonTable | None: ...
    @property
    def above_network_manager(self) -> PersonTable | None: ...
    @property
    def privacy_officers(self) -> tuple[PersonTable, ...]: ...


class Role(StrEnum):
    """As what somebody uses the console; a deputy is a champion there, and whoever is above it a network manager."""

    CHAMPION = "champion"
    COORDINATOR = "coordinator"
    NETWORK_MANAGER = "network_manager"
    PRIVACY_OFFICER = "privacy_officer"


@dataclass(frozen=True, slots=True)
class Member:
    """A person who may use the console, until their last day where one is set, and as what."""

    id: str
    name: str
    email: str
    subject: str
    until: date | None
    roles: frozenset[Role]

    def is_here(self, today: date) -> bool:
        """Tell whether they have not left."""
        return self.until is None or today <= self.until


def members(of: Peopled) -> Mapping[str, Member]:
    """Return everyone of the partnership who may use the console, by id; one person may have several roles (R51)."""
    named: list[tuple[Role, PersonTable | None]] = [(Role.CHAMPION, each.champion) for each in of.partners]
    named += [(Role.CHAMPION, each.deputy) for each in of.partners]
    named += [(Role.COORDINATOR, each) for each in _coordinators(of)]
    named += [(Role.NETWORK_MANAGER, each) for each in (of.network_manager, of.above_network_manager)]
    named += [(Role.PRIVACY_OFFICER, each) for each in of.privacy_officers]
    found: dict[str, Member] = {}
    for role, table in named:
        if table is not None:
            before = found[table.id].roles if table.id in found else frozenset()
            of_table = (table.id, table.name, table.email, table.subject, table.until)
            found[table.id] = Member(*of_table, before | {role})
    return found


def person(table: PersonTable, organisation: str = "partnership") -> Champion:
    """Return a person as the directory names them."""
    pledged_on = table.pledged_on if isinstance(table, ChampionTable) else None
    days = frozenset(_WEEK.index(day) for day in table.working_days)
    return Champion(table.id, table.name, table.email, organisation, days, table.until, pledged_on)


def maybe(table: PersonTable | None) -> Champion | None:
    """Return a person of the partnership's, where one is named."""
    return person(table) if table else None


def partner(table: Followed, of: Peopled, operator: Champion) -> Partner:
    """Return a partner as the directory names it.

    Without a champion it is followed up by the coordinator, and at the very last by the operator.
    """
    coordinator = maybe(coordinator_of(of, table.champion))
    champion = person(table.champion, table.id) if table.champion else coordinator
    return Partner(
        id=table.id,
        name=table.name,
        kind=table.kind,
        champion=champion or operator,
        ods=table.ods,
        address=table.address,
        lead=table.lead,
        deputy=person(table.deputy, table.id) if table.deputy else None,
        coordinator=coordinator,
        closures=frozenset(table.closures),
    )


def coordinator_of(table: Peopled, champion: ChampionTable | None) -> PersonTable | None:
    """Return the coordinator of a partner: the one whom its champion names, else the partnership's."""
    named = champion.coordinator if champion else ""
    return next((each for each in _coordinators(table) if each.id == named), table.coordinator)


def followed_up(table: Peopled, one: Followed) -> bool:
    """Tell whether anybody follows up for a partner: its champion or, for a small organisation, the coordinator."""
    return one.champion is not None or table.coordinator is not None


def faults(table: Peopled, contact: PersonTable | None, active: Mapping[str, str], file: str) -> Iterator[str]:
    """Say what is wrong with the people of a partnership (R50, R51).

    `contact` is the safeguarding contact; `active` are the partners that send or are sent to, each with what makes it
    so. One person may have several parts, under one id and address.
    """
    for each in table.partners:
        if each.id in active and not followed_up(table, each):
            yield (
                f"{file}: no-follow-up-contact: {active[each.id]}, and nobody follows up for {each.id}. Give the "
                "partner a champion or, for a small organisation, the partnership a [coordinator]."
            )
    coordinators = {each.id for each in _coordinators(table)}
    for champion in _champions(table):
        if champion.coordinator and champion.coordinator not in coordinators:
            yield f"{file}: champion {champion.id}: coordinator {champion.coordinator} is not there"
    yield from _doubled(_champions(table), _others(table, contact))


def _doubled(champions: Iterable[PersonTable], others: Iterable[PersonTable]) -> Iterator[str]:
    by_mailbox = {(each.id, each.email) for each in others}
    named = [each.id for each in champions]
    mailboxes = {(each.id, each.email) for each in champions}
    ids = [OPERATOR, *named, *(each for each, _ in by_mailbox - mailboxes)]
    for each in sorted(each for each, count in Counter(ids).items() if count > 1):
        if each == OPERATOR:
            yield "a champion may not have the id operator: notices to the hub's own operator go by it"
        else:
            yield f"champion {each} is used twice: a notice goes to one mailbox"


def _coordinators(table: Peopled) -> tuple[PersonTable, ...]:
    return (*((table.coordinator,) if table.coordinator else ()), *table.coordinators)


def _champions(table: Peopled) -> tuple[ChampionTable, ...]:
    return tuple(each.champion for each in table.partners if each.champion is not None)


def _others(table: Peopled, contact: PersonTable | None) -> tuple[PersonTable, ...]:
    deputies = (each.deputy for each in table.partners)
    above = (table.network_manager, table.above_network_manager, contact)
    return tuple(each for each in (*deputies, *_coordinators(table), *above) if each is not None)
