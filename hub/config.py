"""The instance's configuration: typed, checked, and read by bootstrap alone; secrets are named, never written here."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from hub.sdk.manifest import Fact

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,60}$")]
SecretRef = Annotated[str, StringConstraints(pattern=r"^(file|env):.+$")]
T = TypeVar("T", bound=BaseModel)
LevelName = Literal["L1", "L2", "L3", "L4"]

#: What notices to the operator are addressed to; no champion may have it.
OPERATOR = "operator"

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
    business_start: str = ""  #: the demo's first instant of business time, ISO 8601; refused in other profiles


class WindowTable(_Table):
    """How long a rung may take, in one unit."""

    minutes: int | None = Field(default=None, ge=1)
    working_hours: int | None = Field(default=None, ge=1)
    working_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if sum(unit is not None for unit in (self.minutes, self.working_hours, self.working_days)) != 1:
            raise ValueError("name one of minutes, working_hours and working_days")
        return self


class ClockTable(_Table):
    """Windows with who agreed them and when (R43)."""

    agreed_by: str
    agreed_on: date
    standard: dict[LevelName, WindowTable] = Field(default_factory=dict)
    urgent: dict[LevelName, WindowTable] = Field(default_factory=dict)


class OperatorTable(_Table):
    """Who looks after the hub; there is one, so it needs no id."""

    name: str
    email: str


class PersonTable(_Table):
    """A champion."""

    id: Id
    name: str
    email: str


class PartnerTable(_Table):
    """An organisation; without someone to follow up it cannot be enabled (R50)."""

    id: Id
    name: str
    kind: Literal["charity", "public_body", "health", "other"]
    ods: str = ""
    address: str = ""
    champion: PersonTable


class ClientTable(_Table):
    """A partner's case system: its public keys, what it may do, and where its answers go."""

    id: Id
    partner: Id
    jwks: str  #: path of a JWKS file
    scopes: tuple[Literal["share"], ...] = ("share",)
    webhook_url: str = ""
    webhook_secrets: tuple[SecretRef, ...] = ()
    webhook_allow_addresses: tuple[str, ...] = ()


class PartnershipTable(_Table):
    """`partnerships/<name>.toml`."""

    name: str
    operator: OperatorTable
    clocks: ClockTable | None = None
    partners: tuple[PartnerTable, ...] = ()
    clients: tuple[ClientTable, ...] = ()


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
    facts: tuple[Fact, ...] = ()  #: preconditions of this service alone, after those of the manifest (R63)
    clocks: ClockTable | None = None


class ServiceTable(_Table):
    """`services/<id>.toml`: a service and the connection that reaches it."""

    id: Id
    name: str
    partner: Id
    address: str = ""
    purposes: tuple[str, ...]
    owner: str = "They"
    phone: str = ""
    email: str = ""
    area: str = ""
    clocks: ClockTable | None = None
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
    """Read an instance's folder; raises `ConfigurationError` naming the file, the field and the rule."""
    if not (folder / "hub.toml").exists():
        raise ConfigurationError(f"{folder} holds no hub.toml: run `hub init {folder}` first")
    digest = hashlib.sha256()
    hub = _read(folder / "hub.toml", HubSettings, digest)
    partnership = _read(folder / "partnerships" / f"{hub.partnership}.toml", PartnershipTable, digest)
    services = tuple(_read(path, ServiceTable, digest) for path in sorted((folder / "services").glob("*.toml")))
    connectors = folder / "connectors.toml"
    allow = _read(connectors, AllowTable, digest) if connectors.exists() else AllowTable()
    configuration = Configuration(
        folder=folder.resolve(),
        hub=hub,
        partnership=partnership,
        services=services,
        allow=allow,
        digest=digest.hexdigest(),
    )
    _check(configuration)
    return configuration


def _read(path: Path, model: type[T], digest: Any) -> T:
    try:
        text = path.read_bytes()
        digest.update(path.name.encode() + b"\0" + text + b"\0")
        return model.model_validate(tomllib.loads(text.decode("utf-8")))
    except FileNotFoundError:
        raise ConfigurationError(f"{path.name} is missing from {path.parent.name}/") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        listed = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {_WORDS.get(fault['type'], fault['msg'])}" for fault in faults
        )
        raise ConfigurationError(f"{path.name}: {listed}") from None


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
    champions = [OPERATOR, *(partner.champion.id for partner in configuration.partnership.partners)]
    wrong += [
        "a champion may not have the id operator: notices to the hub's own operator go by it"
        if each == OPERATOR
        else f"champion {each} is used twice: a notice goes to one mailbox"
        for each in _doubled(champions)
    ]
    connections = [service.connection.id for service in configuration.services]
    wrong += [f"connection {each} is used twice" for each in _doubled(connections)]
    if configuration.hub.business_start and configuration.hub.profile != "demo":
        wrong.append("hub.toml: business_start belongs to the demo profile alone")
    if wrong:
        raise ConfigurationError("; ".join(wrong))


def _doubled(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
