"""The instance's configuration: typed, checked, and read by bootstrap alone; secrets are named, never written here."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from hub import gates
from hub.answering import AnswerPageTable
from hub.people import ChampionTable, Id, PersonTable
from hub.people import faults as faults_of_people
from hub.safeguarding import OverrideTable
from hub.sdk.gate import GateId, GateTable
from hub.uids import IsolationTable

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ().,:/_-]{0,79}$")]
SecretRef = Annotated[str, StringConstraints(pattern=r"^(file|env):.+$")]
T = TypeVar("T", bound=BaseModel)
LevelName = Literal["L1", "L2", "L3", "L4"]

_FOLDERS = frozenset({"gates", "partnerships", "services"})

#: Our own words for what the parser finds most often.
_WORDS = {"missing": "is missing", "extra_forbidden": "is not a setting here"}


class ConfigurationError(Exception):
    """The configuration is wrong: the message names file and field, and what to do."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Listen(_Table):
    """Where the API listens; metrics have a port of their own, 0 for none."""

    host: str = "127.0.0.1"
    port: int = 8400
    metrics_port: int = 0


class Store(_Table):
    """The database: SQLite by default, beside the configuration."""

    url: str = "sqlite:///data/hub.db"


class BrokerSettings(_Table):
    """The broker that carries nudges; in memory by default."""

    url: str = "memory://"


class Mail(_Table):
    """How notices are sent; `from_address` is the hub's own, never a worker's."""

    host: str = "127.0.0.1"
    port: int = 25
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretRef | None = None
    from_address: str = "hub@localhost"


class HubSettings(_Table):
    """`hub.toml`."""

    profile: Literal["embedded", "service", "demo"] = "embedded"
    public_url: str
    partnership: str
    listen: Listen = Listen()
    store: Store = Store()
    broker: BrokerSettings = BrokerSettings()
    mail: Mail = Mail()
    isolation: IsolationTable = IsolationTable()
    business_start: str = ""  #: the demo's first instant of business time, ISO 8601; refused in other profiles


class WindowTable(_Table):
    """How long a rung may take, in one unit."""

    minutes: int | None = Field(default=None, ge=1)
    hours: int | None = Field(default=None, ge=1)  #: by day and night, such as a safeguarding clock's
    working_hours: int | None = Field(default=None, ge=1)
    working_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("name one of minutes, hours, working_hours and working_days")
        return self


class ClockTable(_Table):
    """Windows with who agreed them and when (R43)."""

    agreed_by: str
    agreed_on: date
    standard: dict[LevelName, WindowTable] = Field(default_factory=dict)
    urgent: dict[LevelName, WindowTable] = Field(default_factory=dict)
    safety: dict[LevelName, WindowTable] = Field(default_factory=dict)  #: where someone is at risk now


class OperatorTable(_Table):
    """Who looks after the hub; there is one, so it needs no id."""

    name: str
    email: str


class PartnerTable(_Table):
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


class ClientTable(_Table):
    """A partner's case system: its public keys, what it may do, and where its answers go."""

    id: Id
    partner: Id
    jwks: str  #: path of a JWKS file
    scopes: tuple[Literal["share", "pull"], ...] = ("share",)
    serves: tuple[Id, ...] = ()  #: services of its partner whose parcels it may fetch, with the scope "pull" (R73)
    webhook_url: str = ""
    webhook_secrets: tuple[SecretRef, ...] = ()
    webhook_allow_addresses: tuple[str, ...] = ()


class NumberTable(_Table):
    """Whom to ring when someone is at risk, in plain words, and when they answer (R23)."""

    name: str
    phone: str
    when: str = ""


class SafeguardingTable(_Table):
    """The partnership's senior contact for safety, and whom to ring: adults, children, domestic abuse, out of hours."""

    contact: PersonTable
    numbers: Annotated[tuple[NumberTable, ...], Field(min_length=1)]
    override: OverrideTable | None = None  #: none: it does not exist, and a share that asks for it is refused (R23)


class ForgettingTable(_Table):
    """How many days a story is kept after its final answer, and after it was sent, whichever is first (R59)."""

    after_answer_days: int = Field(default=30, ge=1, le=366)
    after_sending_days: int = Field(default=90, ge=1, le=366)


class PartnershipTable(_Table):
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


class CallbackTable(_Table):
    """How this partner proves that a message is its own."""

    secrets: tuple[SecretRef, ...] = ()
    jwks: str = ""
    issuer: str = ""


class ConnectionTable(_Table):
    """A connector with its settings and secrets."""

    id: Id
    plugin: str
    connector: str
    mapping: str = ""  #: empty: the one the manifest names
    settings: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, SecretRef] = Field(default_factory=dict)
    allow_addresses: tuple[str, ...] = ()
    callback: CallbackTable = CallbackTable()
    clocks: ClockTable | None = None


class BasisTable(_Table):
    """One side's lawful basis, as codes such as 6(1)(e), 9(2)(g) and DPA-2018-Sch1-18 (R14)."""

    article_6: Code
    article_9: Code | Literal[""] = ""
    article_10: Code | Literal[""] = ""


class AgreementTable(_Table):
    """The sharing agreement that a service is reached under: without one it cannot be enabled (R14, R68)."""

    reference: Code
    agreed_on: date
    assessment: Code  #: the data protection impact assessment
    sender: BasisTable
    receiver: BasisTable
    duties: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    children: bool = False
    strict: bool = False


class ServiceTable(_Table):
    """`services/<id>.toml`: a service and the connection that reaches it."""

    id: Id
    name: str
    partner: Id
    address: str = ""
    purposes: tuple[str, ...]
    owner: str = "They"
    answered_by: Id | Literal[""] = ""  #: who answers for it, where a person of the partnership's does
    phone: str = ""
    email: str = ""
    area: str = ""
    gates: tuple[GateId, ...] = ()  #: files in gates/, asked in this order (R25)
    enabled: bool = True  #: no: it is described, and nothing can be sent to it yet (R29)
    confidential: bool = False  #: it is in no list, such as a refuge (R58)
    cannot: tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...] = ()  #: in plain words (R58)
    challenge: str = ""  #: a plain sentence: what can be done about its "no" (R38)
    clocks: ClockTable | None = None
    agreement: AgreementTable
    answer_page: AnswerPageTable | None = None  #: how a service with no system of its own answers (R64)
    connection: ConnectionTable


class AllowedPlugin(_Table):
    """One plugin that may be loaded: by name, version and hash of its installed files (TH08)."""

    name: str
    version: str
    sha256: str


class AllowTable(_Table):
    """`connectors.toml`."""

    allow: tuple[AllowedPlugin, ...] = ()


class Configuration(_Table):
    """Everything an instance's folder says, with the digest of its files."""

    folder: Path
    hub: HubSettings
    partnership: PartnershipTable
    services: tuple[ServiceTable, ...]
    allow: AllowTable
    gates: Mapping[str, GateTable] = Field(default_factory=dict)
    digest: str

    def path(self, name: str) -> Path:
        """Return a path of the instance: relative names start at its folder."""
        return self.folder / name

    def secret(self, reference: str) -> str:
        """Return a secret by its reference; raises `ConfigurationError` naming the reference, never the value."""
        kind, _, name = reference.partition(":")
        try:
            value = os.environ[name] if kind == "env" else self.path(name).read_text(encoding="utf-8").strip()
        except (KeyError, OSError):
            raise ConfigurationError(f"the secret {reference} is not there: create it, or mend its name") from None
        return value


def load(folder: Path) -> Configuration:
    """Read an instance's folder; raises `ConfigurationError` naming file, field and rule of all that is wrong."""
    if not (folder / "hub.toml").exists():
        raise ConfigurationError(f"{folder} holds no hub.toml: run `hub init {folder}` first")
    digest = hashlib.sha256()
    hub = _read(folder / "hub.toml", HubSettings, digest)
    wrong: list[str] = []

    def read(path: Path, model: type[T]) -> T | None:
        try:
            return _read(path, model, digest)
        except ConfigurationError as error:
            wrong.append(str(error))
            return None

    partnership = read(folder / "partnerships" / f"{hub.partnership}.toml", PartnershipTable)
    services = [read(path, ServiceTable) for path in sorted((folder / "services").glob("*.toml"))]
    named = {path.stem: read(path, GateTable) for path in sorted((folder / "gates").glob("*.toml"))}
    connectors = folder / "connectors.toml"
    allow = read(connectors, AllowTable) if connectors.exists() else AllowTable()
    if wrong or partnership is None or allow is None:
        raise ConfigurationError("\n     ".join(wrong))
    configuration = Configuration(
        folder=folder.resolve(),
        hub=hub,
        partnership=partnership,
        services=tuple(each for each in services if each is not None),
        allow=allow,
        gates={name: each for name, each in named.items() if each is not None},
        digest=digest.hexdigest(),
    )
    _check(configuration)
    return configuration


def _read(path: Path, model: type[T], digest: Any) -> T:
    name = path.name if path.parent.name not in _FOLDERS else f"{path.parent.name}/{path.name}"
    try:
        text = path.read_bytes()
        digest.update(name.encode() + b"\0" + text + b"\0")
        return model.model_validate(tomllib.loads(text.decode("utf-8")))
    except FileNotFoundError:
        raise ConfigurationError(f"{path.name} is missing from {path.parent.name}/") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}: {error}") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        listed = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {_WORDS.get(fault['type'], fault['msg'])}" for fault in faults
        )
        raise ConfigurationError(f"{name}: {listed}") from None


def _check(configuration: Configuration) -> None:
    """Check what one file says of another."""
    partners = {partner.id for partner in configuration.partnership.partners}
    wrong = [
        f"services/{service.id}.toml: partner {service.partner} is not in the partnership"
        for service in configuration.services
        if service.partner not in partners
    ]
    wrong += [
        f"client {client.id}: partner {client.partner} is not in the partnership"
        for client in configuration.partnership.clients
        if client.partner not in partners
    ]
    wrong += [
        f"client {client.id}: webhook_secrets is missing: what goes to its webhook_url must be signed"
        for client in configuration.partnership.clients
        if client.webhook_url and not client.webhook_secrets
    ]
    partnership = configuration.partnership
    file = f"partnerships/{configuration.hub.partnership}.toml"
    contact = partnership.safeguarding.contact if partnership.safeguarding else None
    wrong += faults_of_people(partnership, contact, _active(configuration), file)
    if configuration.services and configuration.partnership.safeguarding is None:
        wrong.append(
            f"{file}: [safeguarding] is missing: name a senior contact, and whom to ring when someone is at risk"
        )
    named = {service.id for service in configuration.services}
    if partnership.safeguarding and (adopted := partnership.safeguarding.override) and (gone := adopted.lacks(named)):
        wrong.append(f"{file}: safeguarding.override.services: {gone}")
    wrong += gates.faults(configuration.gates, configuration.services, partners)
    connections = [service.connection.id for service in configuration.services]
    wrong += [f"connection {each} is used twice" for each in _doubled(connections)]
    wrong += configuration.hub.isolation.faults(connections)
    if configuration.hub.business_start and configuration.hub.profile != "demo":
        wrong.append("hub.toml: business_start belongs to the demo profile alone")
    if wrong:
        raise ConfigurationError("\n     ".join(wrong))


def _active(configuration: Configuration) -> dict[str, str]:
    """Return the partners that send or are sent to, each with what makes it so."""
    clients = {each.partner: f"client {each.id} may send" for each in configuration.partnership.clients}
    enabled = (each for each in configuration.services if each.enabled)
    return clients | {each.partner: f"connection {each.connection.id} is enabled" for each in enabled}


def _doubled(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
