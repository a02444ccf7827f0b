"""`partnerships/<name>.toml`: the organisations, their people and clients, and what the partnership agreed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from hub.config.clocks import ClockTable
from hub.config.table import SecretRef, Table
from hub.people import ChampionTable, Id, PersonTable
from hub.safeguarding import OverrideTable


class OperatorTable(Table):
    """Who looks after the hub; there is one, so it needs no id."""

    name: str
    email: str


class PartnerTable(Table):
    """An organisation; without someone to follow up it cannot be enabled (R50)."""

    id: Id
    name: str
    kind: Literal["charity", "public_body", "health", "other"]
    ods: str = ""
    address: str = ""
    lead: str = ""  #: the partner's own id of the worker who reads what a service asks not to tell yet (R21)
    champion: ChampionTable | None = None  #: none: the coordinator follows up for a small organisation
    deputy: PersonTable | None = None
    closures: tuple[date, ...] = ()  #: days on which it is shut beside bank holidays


class ClientTable(Table):
    """A partner's case system: its public keys, what it may do, and where its answers go."""

    id: Id
    partner: Id
    jwks: str  #: path of a JWKS file
    scopes: tuple[Literal["share", "pull"], ...] = ("share",)
    serves: tuple[Id, ...] = ()  #: services of its partner whose parcels it may fetch, with the scope "pull" (R73)
    webhook_url: str = ""
    webhook_secrets: tuple[SecretRef, ...] = ()
    webhook_allow_addresses: tuple[str, ...] = ()
    answers_folder: str = ""  #: instead of a webhook: a folder in which each notice is left as a file (R36)


class NumberTable(Table):
    """Whom to ring when someone is at risk, in plain words, and when they answer (R23)."""

    name: str
    phone: str
    when: str = ""


class SafeguardingTable(Table):
    """The partnership's senior contact for safety, and whom to ring: adults, children, domestic abuse, out of hours."""

    contact: PersonTable
    numbers: Annotated[tuple[NumberTable, ...], Field(min_length=1)]
    override: OverrideTable | None = None  #: none: it does not exist, and a share that asks for it is refused (R23)


class ForgettingTable(Table):
    """How many days a story is kept after its final answer, and after it was sent, whichever is first (R59)."""

    after_answer_days: int = Field(default=30, ge=1, le=366)
    after_sending_days: int = Field(default=90, ge=1, le=366)


class PartnershipTable(Table):
    """`partnerships/<name>.toml`."""

    name: str
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "GB"  #: where the hub's database is
    consent_ending_working_days: int = Field(default=5, ge=1, le=60)  #: how long before its end they are told (R16)
    barrier_at: int = Field(default=5, ge=0)  #: met so often in a month, a barrier is identified; 0 for never (R52)
    most_redirects: int = Field(default=3, ge=1, le=9)  #: how often a person may be sent on (R33)
    operator: OperatorTable
    safeguarding: SafeguardingTable | None = None  #: needed as soon as there is a service (R23)
    coordinator: PersonTable | None = None
    coordinators: tuple[PersonTable, ...] = ()  #: more of them, whom champions name
    network_manager: PersonTable | None = None
    above_network_manager: PersonTable | None = None  #: whoever can move what nobody else could (R48)
    closures: tuple[date, ...] = ()  #: days on which the whole partnership is shut, beside bank holidays
    clocks: ClockTable | None = None
    partners: tuple[PartnerTable, ...] = ()
    clients: tuple[ClientTable, ...] = ()
    forgetting: ForgettingTable = ForgettingTable()
    privacy_officers: tuple[PersonTable, ...] = ()  #: who may place a legal hold, and lift it
