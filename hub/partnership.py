"""Turn configuration and manifests into the directory that routes are found in, and into what each host is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hub.config import (
    OPERATOR,
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
from hub.sdk.manifest import ConnectorManifest, Fact
from hub.sdk.reach import host_and_port
from hub.security.callbacks import CallbackKeys
from hub.security.webhooks import secret_bytes


@dataclass(frozen=True, slots=True)
class Enabled:
    """One connection that may be used: what its host is told, and how its partner proves who it is."""

    connection: Connection
    manifest: ConnectorManifest
    configure: Configure
    callback_keys: CallbackKeys


@dataclass(frozen=True, slots=True)
class Named:
    """A secret or file that a configuration file names: `where` is the file and the key in it."""

    where: str
    reference: str
    signs: bool = False  #: it must be a Standard Webhooks secret


def may_run(configuration: Configuration, plugins: Iterable[Found]) -> frozenset[str]:
    """Return the connections whose plugin is allowed, without looking at any secret."""
    return frozenset(service.connection.id for service, _, _ in _allowed(configuration, plugins))


def enable(configuration: Configuration, plugins: Iterable[Found]) -> dict[str, Enabled]:
    """Return the connections whose plugin is allowed; one that is not stays out, and its service has no route.

    Raises `ConfigurationError`, with all that is missing at once.
    """
    allowed = list(_allowed(configuration, plugins))
    for service, _, manifest in allowed:
        _check(service, manifest)
    _refuse_missing(configuration, (each for service, _, manifest in allowed for each in _named(service, manifest)))
    return {
        service.connection.id: _enable(configuration, service, plugin, manifest)
        for service, plugin, manifest in allowed
    }


def check_named(configuration: Configuration, plugins: Iterable[Found]) -> None:
    """Refuse to go on while a secret or file that is named is missing or cannot work; all of them are told at once."""
    mail, named = configuration.hub.mail, []
    if mail.password:
        named.append(Named("hub.toml: mail.password", mail.password))
    file = f"partnerships/{configuration.hub.partnership}.toml"
    for client in configuration.partnership.clients:
        named.append(Named(f"{file}: jwks of client {client.id}", f"file:{client.jwks}"))
        if client.webhook_url:
            where = f"{file}: webhook_secrets of client {client.id}"
            named += [Named(where, reference, signs=True) for reference in client.webhook_secrets]
    for service, _, manifest in _allowed(configuration, plugins):
        named += _named(service, manifest)
    _refuse_missing(configuration, named)


def _allowed(
    configuration: Configuration, plugins: Iterable[Found]
) -> Iterator[tuple[ServiceTable, Found, ConnectorManifest]]:
    allowed = {plugin.name: plugin for plugin in plugins if plugin.status == "allowed"}
    for service in configuration.services:
        table = service.connection
        plugin = allowed.get(table.plugin)
        if plugin is None or plugin.manifest is None:
            continue
        manifest = plugin.manifest.connectors.get(table.connector)
        if manifest is None:
            raise ConfigurationError(
                f"connection {table.id}: plugin {plugin.name} offers no connector {table.connector}"
            )
        yield service, plugin, manifest


def _named(service: ServiceTable, manifest: ConnectorManifest) -> Iterator[Named]:
    table, at = service.connection, f"services/{service.id}.toml: connection"
    for name, reference in table.secrets.items():
        yield Named(f"{at}.secrets.{name}", reference)
    signs = manifest.callback_auth == "standard-webhooks"
    for reference in table.callback.secrets:
        yield Named(f"{at}.callback.secrets", reference, signs)
    if table.callback.jwks:
        yield Named(f"{at}.callback.jwks", f"file:{table.callback.jwks}")


def _refuse_missing(configuration: Configuration, named: Iterable[Named]) -> None:
    if wrong := [
        f"{each.where} names {each.reference}, {why}" for each in named if (why := _fault(configuration, each))
    ]:
        raise ConfigurationError("\n     ".join(dict.fromkeys(wrong)))


def _fault(configuration: Configuration, each: Named) -> str:
    """Say what is wrong with what is named, or nothing; never what it holds."""
    try:
        value = configuration.secret(each.reference)
    except ConfigurationError:
        return "which is not there: create it, or mend its name"
    if not value:
        return "which is empty"
    try:
        if each.signs:
            secret_bytes(value)
    except ValueError:
        return "which is no webhook secret: whsec_ and the base64 of 24 to 64 random bytes"
    return ""


def _check(service: ServiceTable, manifest: ConnectorManifest) -> None:
    """Check that a service says all that its connector's manifest asks for."""
    table, callback = service.connection, service.connection.callback
    wanted = {
        "secrets": sorted(set(manifest.secrets) - set(table.secrets)),
        "settings": sorted(set(manifest.hosts) - set(table.settings)),
    }
    missing = [f"connection.{kind}.{name}" for kind, names in wanted.items() for name in names]
    match manifest.callback_auth:
        case "standard-webhooks" | "bearer" if not callback.secrets:
            missing.append("connection.callback.secrets")
        case "jwt":
            missing += [f"connection.callback.{name}" for name in ("jwks", "issuer") if not getattr(callback, name)]
    asked = {fact.equals_service for fact in (*manifest.facts, *table.facts) if fact.equals_service}
    missing += [f"{name} (what the person chose is compared with it)" for name in asked if not getattr(service, name)]
    if missing:
        raise ConfigurationError(f"services/{service.id}.toml: missing are {', '.join(missing)}")


def _enable(configuration: Configuration, service: ServiceTable, plugin: Found, manifest: ConnectorManifest) -> Enabled:
    table = service.connection
    return Enabled(
        _connection(service, manifest),
        manifest,
        _configure(configuration, table, plugin, manifest),
        _callback_keys(configuration, table, manifest),
    )


def _connection(service: ServiceTable, manifest: ConnectorManifest) -> Connection:
    table = service.connection
    return Connection(
        id=table.id,
        plugin=table.plugin,
        connector=table.connector,
        mapping=table.mapping or manifest.mapping,
        accepts=frozenset(Category(name) for name in manifest.accepts),
        facts=tuple(fact_rule(fact, service) for fact in (*manifest.facts, *table.facts)),
        kinds=frozenset(manifest.kinds),
        windows=_windows(table.clocks, Layer.CONNECTION),
        manifest_windows=_manifest_windows(table, manifest),
        partner_dedupes=manifest.idempotency.partner_dedupes,
        asks_only=manifest.reconcile == "asks",
        body_bytes=manifest.limits.body_bytes,
    )


def fact_rule(fact: Fact, service: ServiceTable) -> FactRule:
    """Return a precondition as it stands for one service."""
    equals = getattr(service, fact.equals_service) if fact.equals_service else fact.equals
    return FactRule(fact.name, fact.title, fact.next_step, equals, fact.pattern)


def _configure(
    configuration: Configuration, table: ConnectionTable, plugin: Found, manifest: ConnectorManifest
) -> Configure:
    hosts = [*manifest.hosts, *(name for name in manifest.optional_hosts if name in table.settings)]
    return Configure(
        connection=table.id,
        connector=table.connector,
        plugin=plugin.name,
        distribution=plugin.distribution,
        settings=table.settings,
        secrets={name: configuration.secret(reference) for name, reference in table.secrets.items()},
        hosts=tuple(dict.fromkeys(_host(table, name) for name in hosts)),
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
        operator=Champion(OPERATOR, operator.name, operator.email, "hub"),
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
