"""Reads an instance's folder: every file typed, and what one says held against what another says."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from hub import gates
from hub.config.hub_toml import HubSettings
from hub.config.partnership_toml import PartnershipTable
from hub.config.service_toml import AllowTable, ServiceTable
from hub.config.table import ConfigurationError, Table
from hub.people import faults as faults_of_people
from hub.sdk.gate import GateTable

T = TypeVar("T", bound=BaseModel)

_FOLDERS = frozenset({"gates", "partnerships", "services"})

#: Our own words for what the parser finds most often.
_WORDS = {"missing": "is missing", "extra_forbidden": "is not a setting here"}


class Configuration(Table):
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
    wrong += [
        f"client {client.id}: choose one of webhook_url and answers_folder: its answers go one way"
        for client in configuration.partnership.clients
        if client.webhook_url and client.answers_folder
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
    if configuration.hub.profile == "service" and configuration.hub.sign_in.app_code is False:
        wrong.append("hub.toml: sign_in.app_code: in the service profile a password needs the code of an app too")
    sign_in = configuration.hub.sign_in
    if sign_in.issuer and not (sign_in.client_id and sign_in.client_secret):
        wrong.append("hub.toml: sign_in.issuer: client_id and client_secret are missing, by which it knows this hub")
    if not sign_in.issuer and not configuration.hub.takes_passwords:
        wrong.append("hub.toml: sign_in.passwords: without passwords and without an issuer nobody could sign in")
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
