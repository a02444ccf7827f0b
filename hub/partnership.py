"""Turn configuration and manifests into the directory that routes are found in, and into what each host is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hub.config import (
    ClockTable,
    Configuration,
    ConfigurationError,
    ConnectionTable,
    LevelName,
    ServiceTable,
    WindowTable,
)
from hub.domain.answer import Level
from hub.domain.clock import Layer, Window, WindowSet, agreed
from hub.domain.route import Champion, Connection, Directory, FactRule, Partner, Service
from hub.domain.share import Category
from hub.host.discovery import Found
from hub.host.wire import Configure
from hub.sdk.manifest import ConnectorManifest
from hub.sdk.reach import host_and_port
from hub.security.callbacks import CallbackKeys


@dataclass(frozen=True, slots=True)
class Enabled:
    """One connection that may be used: what its host is told, and how its partner proves who it is."""

    connection: Connection
    manifest: ConnectorManifest
    configure: Configure
    callback_keys: CallbackKeys


def enable(configuration: Configuration, plugins: Iterable[Found]) -> dict[str, Enabled]:
    """Return the connections whose plugin is allowed; one that is not stays out, and its service has no route."""
    allowed = {plugin.name: plugin for plugin in plugins if plugin.status == "allowed"}
    enabled = {}
    for service in configuration.services:
        plugin = allowed.get(service.connection.plugin)
        if plugin is not None and plugin.manifest is not None:
            enabled[service.connection.id] = _enable(configuration, service, plugin)
    return enabled


def _enable(configuration: Configuration, service: ServiceTable, plugin: Found) -> Enabled:
    table = service.connection
    assert plugin.manifest is not None
    manifest = plugin.manifest.connectors.get(table.connector)
    if manifest is None:
        raise ConfigurationError(f"connection {table.id}: plugin {plugin.name} offers no connector {table.connector}")
    missing = sorted(set(manifest.secrets) - set(table.secrets))
    if missing:
        raise ConfigurationError(f"connection {table.id}: name the secrets {', '.join(missing)}")
    return Enabled(
        _connection(table, manifest),
        manifest,
        _configure(configuration, table, plugin, manifest),
        _callback_keys(configuration, table, manifest),
    )


def _connection(table: ConnectionTable, manifest: ConnectorManifest) -> Connection:
    return Connection(
        id=table.id,
        plugin=table.plugin,
        connector=table.connector,
        mapping=table.mapping or manifest.mapping,
        accepts=frozenset(Category(name) for name in manifest.accepts),
        facts=tuple(
            FactRule(fact.name, fact.title, fact.next_step, fact.equals, fact.pattern) for fact in manifest.facts
        ),
        kinds=frozenset(manifest.kinds),
        windows=_windows(table.clocks, Layer.CONNECTION),
        manifest_windows=_manifest_windows(table, manifest),
        partner_dedupes=manifest.idempotency.partner_dedupes,
    )


def _configure(
    configuration: Configuration, table: ConnectionTable, plugin: Found, manifest: ConnectorManifest
) -> Configure:
    unknown = sorted(set(manifest.hosts) - set(table.settings))
    if unknown:
        raise ConfigurationError(f"connection {table.id}: the settings {', '.join(unknown)} are missing")
    return Configure(
        connection=table.id,
        connector=table.connector,
        plugin=plugin.name,
        distribution=plugin.distribution,
        settings=table.settings,
        secrets={name: configuration.secret(reference) for name, reference in table.secrets.items()},
        hosts=tuple(dict.fromkeys(_host(table, name) for name in manifest.hosts)),
        allow_addresses=table.allow_addresses,
        in_flight=manifest.limits.in_flight,
        body_bytes=manifest.limits.body_bytes,
        reply_bytes=manifest.limits.reply_bytes,
        deadline_seconds=manifest.limits.deadline_seconds,
        sha256=plugin.sha256,
    )


def _host(table: ConnectionTable, setting: str) -> str:
    try:
        # With its port, so that the host process can be kept from every other port as well.
        return host_and_port(str(table.settings[setting]))
    except ValueError:
        raise ConfigurationError(f"connection {table.id}: the setting {setting} is not a URL") from None


def _callback_keys(configuration: Configuration, table: ConnectionTable, manifest: ConnectorManifest) -> CallbackKeys:
    jwks = configuration.path(table.callback.jwks).read_text(encoding="utf-8") if table.callback.jwks else ""
    url = configuration.hub.public_url.rstrip("/")
    path = "/fhir/R4/$process-message" if manifest.transport == "bars" else f"/v1/callbacks/{table.id}"
    return CallbackKeys(
        secrets=tuple(configuration.secret(reference) for reference in table.callback.secrets),
        jwks=jwks,
        issuer=table.callback.issuer,
        audience=url + path,
    )


def build_directory(configuration: Configuration, enabled: Mapping[str, Enabled]) -> Directory:
    """Return the partnership's directory."""
    partnership = configuration.partnership
    operator = partnership.operator
    partners = {
        partner.id: Partner(
            id=partner.id,
            name=partner.name,
            kind=partner.kind,
            champion=Champion(partner.champion.id, partner.champion.name, partner.champion.email, partner.id),
            ods=partner.ods,
            address=partner.address,
        )
        for partner in partnership.partners
    }
    return Directory(
        partnership=partnership.name,
        digest=configuration.digest,
        partners=partners,
        services={service.id: _service(service) for service in configuration.services},
        connections={name: each.connection for name, each in enabled.items()},
        windows=_windows(partnership.clocks, Layer.PARTNERSHIP),
        operator=Champion(operator.id, operator.name, operator.email, "hub"),
    )


def _service(table: ServiceTable) -> Service:
    return Service(
        id=table.id,
        name=table.name,
        partner=table.partner,
        connection=table.connection.id,
        address=table.address,
        purposes=table.purposes,
        owner=table.owner,
        phone=table.phone,
        email=table.email,
        area=table.area,
        windows=_windows(table.clocks, Layer.ROUTE),
    )


def _windows(table: ClockTable | None, layer: Layer) -> WindowSet:
    if table is None:
        return WindowSet()
    return agreed(layer, table.agreed_by, table.agreed_on, _by_level(table.standard), _by_level(table.urgent))


def _manifest_windows(table: ConnectionTable, manifest: ConnectorManifest) -> WindowSet:
    windows = {level: WindowTable(**window.model_dump()) for level, window in manifest.clocks.items()}
    return agreed(Layer.MANIFEST, f"manifest of {table.plugin}", _SHIPPED_ON, _by_level(windows))


#: A manifest's clocks are as old as the first release that shipped them.
_SHIPPED_ON = date(2026, 11, 1)


def _by_level(windows: Mapping[LevelName, WindowTable]) -> dict[Level, Window]:
    return {
        Level[name]: Window(window.minutes, window.working_hours, window.working_days)
        for name, window in windows.items()
    }


def shipped(name: str) -> Path:
    """Return a folder that ships with the hub (config, mappings): in the wheel, or beside the source."""
    inside = Path(__file__).parent / "_shipped" / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name
