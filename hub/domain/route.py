"""Who can act and how they are reached: partners, services, connections, and the route between them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from hub.domain.clock import WindowSet
from hub.domain.gate import Gate
from hub.domain.override import OverridePolicy
from hub.domain.share import Category, HandlingLine


@dataclass(frozen=True, slots=True)
class Champion:
    """A named person who follows up (R50, R51): no grade, no title."""

    id: str
    name: str
    email: str
    organisation: str
    working_days: frozenset[int] = frozenset(range(5))  #: Monday is 0
    until: date | None = None  #: the last day that anything is handed to them
    pledged_on: date | None = None


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation in the partnership. `ods` and `address` are how health systems name it, where they do.

    Of a small organisation the coordinator is the champion (R50). `closures` are days off beside bank holidays.
    """

    id: str
    name: str
    kind: Literal["charity", "public_body", "health", "other"]
    champion: Champion
    ods: str = ""
    address: str = ""
    lead: str = ""  #: its own opaque id of the worker who may read what a service asks not to tell yet (R21)
    deputy: Champion | None = None
    coordinator: Champion | None = None
    closures: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class LawfulBasis:
    """One side's basis codes under the UK GDPR: Articles 6, 9 and 10, as the sharing agreement names them (R14)."""

    article_6: str
    article_9: str = ""
    article_10: str = ""

    def lacks(self, categories: Collection[Category]) -> tuple[str, ...]:
        """Return the articles that receiving these categories asks a code for, and that have none here."""
        return tuple(
            article
            for article, of in _NEEDS_A_CODE.items()
            if not of.isdisjoint(categories) and not getattr(self, article)
        )


#: Health is a special category, and what the police and the courts have is a matter of its own.
_NEEDS_A_CODE = {
    "article_9": frozenset({Category.MENTAL_HEALTH, Category.PHYSICAL_HEALTH, Category.SUBSTANCE_USE}),
    "article_10": frozenset({Category.OFFENDING}),
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """The sharing agreement that a service is reached under (R14): a service without one has no route.

    `assessment` names the impact assessment; `duties` says in plain words what the service may have to do with what it
    hears (R68); `children` asks who agreed (R22); `strict` refuses a share that holds anything unlabelled (R17).
    """

    reference: str
    agreed_on: date
    assessment: str
    sender: LawfulBasis
    receiver: LawfulBasis
    duties: str
    children: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A team that can act: what a share is routed to (R58). `owner` is who replies, in plain words.

    `challenge` says in a plain sentence what can be done about its "no" (R38).

    `gates` are asked in their order, before its connector's own; `confidential` ones are in no list (a refuge).
    """

    id: str
    name: str
    partner: str
    connection: str
    address: str
    purposes: tuple[str, ...]
    owner: str = "They"
    phone: str = ""
    email: str = ""
    area: str = ""
    windows: WindowSet = field(default_factory=WindowSet)
    agreement: Agreement | None = None
    gates: tuple[Gate, ...] = ()
    confidential: bool = False
    answered_by: str = ""  #: the id of who answers for it: nobody is alerted about themselves (R44)
    cannot: tuple[str, ...] = ()  #: what it cannot do, in its own plain words
    challenge: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connector with its settings, for one service: what can go through it and how fast (from its manifest)."""

    id: str
    plugin: str
    connector: str
    mapping: str
    accepts: frozenset[Category]
    gates: tuple[Gate, ...] = ()  #: what its connector's manifest asks for, whatever the service
    kinds: frozenset[str] = frozenset({"share"})
    windows: WindowSet = field(default_factory=WindowSet)
    manifest_windows: WindowSet = field(default_factory=WindowSet)
    partner_dedupes: bool = False
    asks_only: bool = False  #: it finds out about a doubt without sending the parcel again
    body_bytes: int = 1_000_000  #: how much one parcel may weigh
    handling_lines: frozenset[HandlingLine] = frozenset()  #: those that its documents carry (R66)
    keeps_from: bool = False  #: it carries the workers who may not see it (TH02)
    shadow: bool = False  #: everything for it is decided and made, and nothing is sent (R75)
    notifies_person: bool = False  #: the partner's system writes to the person by itself (R65)


@dataclass(frozen=True, slots=True)
class Number:
    """Whom to ring when someone is at risk: what they are called, their number, and when they answer (R23)."""

    name: str
    phone: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Safeguarding:
    """The partnership's senior contact for safety, who hears at once, and whom to ring before anything else.

    `override` is the policy that the partnership adopted, if it did (R23).
    """

    contact: Champion
    numbers: tuple[Number, ...]
    override: OverridePolicy | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """How one service is reached, and who follows up on both sides."""

    service: Service
    connection: Connection
    receiver: Partner

    @property
    def agreement(self) -> Agreement:
        """The sharing agreement that the service is reached under."""
        assert self.service.agreement is not None  # a directory gives no route without one
        return self.service.agreement

    @property
    def gates(self) -> tuple[Gate, ...]:
        """What must hold before anything goes this way, in the order it is checked."""
        return (*self.service.gates, *self.connection.gates)


def _all_checked(_service_id: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Directory:
    """The partnership as configured; `digest` names this version of it on every share (R31)."""

    partnership: str
    digest: str
    partners: Mapping[str, Partner]
    services: Mapping[str, Service]
    connections: Mapping[str, Connection]
    windows: WindowSet
    operator: Champion
    safeguarding: Safeguarding | None = None
    coordinator: Champion | None = None
    most_redirects: int = 3  #: how often a person may be sent on from service to service (R33)
    barrier_at: int = 5  #: met so often in a month, a barrier is identified by itself; 0 for never (R52)
    country: str = "GB"  #: where the hub keeps what it is sent, and whose law holds (ISO 3166)
    consent_ending_days: int = 5  #: so many working days before its last a consent's trusted person is told (R16)
    network_manager: Champion | None = None
    above_network_manager: Champion | None = None  #: whoever can move what nobody else could (R48)
    closures: frozenset[date] = frozenset()  #: days off of the whole partnership, beside bank holidays
    #: Tells of a service, at this moment, whether people still have to look at its entry (TH20).
    unchecked: Callable[[str], bool] = field(default=_all_checked, compare=False, repr=False)

    @property
    def senior_contact(self) -> str:
        """The id of the partnership's senior contact for safety; empty where there is none."""
        return self.safeguarding.contact.id if self.safeguarding else ""

    @property
    def override(self) -> OverridePolicy | None:
        """The override policy, where the partnership adopted one (R23)."""
        return self.safeguarding.override if self.safeguarding else None

    def people(self) -> tuple[Champion, ...]:
        """Everyone whom a notice can go to by e-mail."""
        above = (self.coordinator, self.network_manager, self.above_network_manager)
        named = (each for partner in self.partners.values()
                 for each in (partner.champion, partner.deputy, partner.coordinator))  # fmt: skip
        contact = self.safeguarding.contact if self.safeguarding else None
        found = (self.operator, *named, *above, contact)
        return tuple({each.id: each for each in reversed(found) if each is not None}.values())[::-1]

    def route(self, service_id: str) -> Route | None:
        """Return the route to a service; None when there is none, or no agreement to share with it (R14)."""
        service = self.services.get(service_id)
        if service is None or service.agreement is None or service.connection not in self.connections:
            return None
        return Route(service, self.connections[service.connection], self.partners[service.partner])
