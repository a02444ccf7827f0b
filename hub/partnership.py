"""Turn configuration and manifests into the directory that routes are found in, and into what each host is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

from hub import answering, gates, people, safeguarding
from hub.config import (
    AgreementTable,
    ClockTable,
    Configuration,
    ConfigurationError,
    ConnectionTable,
    LevelName,
    PartnershipTable,
    SafeguardingTable,
    ServiceTable,
    WindowTable,
)
from hub.courier.reached import UNTRIED, Reached
from hub.domain.answer import Level
from hub.domain.clock import Layer, Window, WindowSet, agreed
from hub.domain.forget import Forgetting
from hub.domain.gate import Gate
from hub.domain.precondition import NeverDirect
from hub.domain.route import (
    Agreement,
    Champion,
    Connection,
    Directory,
    LawfulBasis,
    Number,
    Safeguarding,
    Service,
)
from hub.domain.share import Category, HandlingLine
from hub.folders import CannotUse, folders_of
from hub.host.discovery import Found
from hub.host.wire import Configure
from hub.named import named, named_by_hub, refuse_missing
from hub.people import OPERATOR
from hub.sdk.manifest import ConnectorManifest
from hub.sdk.reach import host_and_port
from hub.security.callbacks import CallbackKeys


@dataclass(frozen=True, slots=True)
class Enabled:
    """One connection that may be used: what its host is told, how it is held, and how its partner proves who it is."""

    connection: Connection
    manifest: ConnectorManifest
    configure: Configure
    callback_keys: CallbackKeys
    reached: Reached = UNTRIED


def may_run(configuration: Configuration, plugins: Iterable[Found]) -> frozenset[str]:
    """Return the connections whose plugin is allowed, without looking at any secret."""
    return frozenset(service.connection.id for service, _, _ in _allowed(configuration, plugins))


def enable(
    configuration: Configuration, plugins: Iterable[Found], reached: Mapping[str, Reached] = MappingProxyType({})
) -> dict[str, Enabled]:
    """Return the connections whose plugin is allowed; one that is not stays out, and its service has no route.

    `reached` says how the process of each is held, where that was tried.
    Raises `ConfigurationError`, with all that is missing at once.
    """
    allowed = list(_allowed(configuration, plugins))
    if wrong := [fault for service, _, manifest in allowed for fault in _faults(service, manifest)]:
        raise ConfigurationError("\n     ".join(wrong))
    refuse_missing(configuration, (each for service, _, manifest in allowed for each in named(service, manifest)))
    return {
        (name := service.connection.id): replace(
            _enable(configuration, service, plugin, manifest), reached=reached.get(name, UNTRIED)
        )
        for service, plugin, manifest in allowed
    }


def check_named(configuration: Configuration, plugins: Iterable[Found]) -> None:
    """Refuse to go on while a secret or file that is named is missing or cannot work; all of them are told at once."""
    of_services = (
        each for service, _, manifest in _allowed(configuration, plugins) for each in named(service, manifest)
    )
    refuse_missing(configuration, (*named_by_hub(configuration), *of_services))


def _allowed(
    configuration: Configuration, plugins: Iterable[Found]
) -> Iterator[tuple[ServiceTable, Found, ConnectorManifest]]:
    allowed = {plugin.name: plugin for plugin in plugins if plugin.status == "allowed"}
    for service in configuration.services:
        table = service.connection
        if not service.enabled:
            continue
        plugin = allowed.get(table.plugin)
        if plugin is None or plugin.manifest is None:
            continue
        manifest = plugin.manifest.connectors.get(table.connector)
        if manifest is None:
            raise ConfigurationError(
                f"connection {table.id}: plugin {plugin.name} offers no connector {table.connector}"
            )
        yield service, plugin, manifest


def _faults(service: ServiceTable, manifest: ConnectorManifest) -> Iterator[str]:
    """Say what a service leaves out that its connector's manifest asks for."""
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
    missing += answering.missing(service.answer_page, manifest.answers)
    missing += [
        f"gates: {name} (its connector asks for it)" for name in manifest.prerequisites if name not in service.gates
    ]
    agreement, accepts = _agreement(service.agreement), frozenset(Category(name) for name in manifest.accepts)
    for side, basis in (("sender", agreement.sender), ("receiver", agreement.receiver)):
        missing += [f"agreement.{side}.{article} (its connector may carry it)" for article in basis.lacks(accepts)]
    if missing:
        yield f"services/{service.id}.toml: missing are {', '.join(missing)}"
    for precondition in manifest.preconditions:
        yield from gates.unsaid(precondition, service)


def _enable(configuration: Configuration, service: ServiceTable, plugin: Found, manifest: ConnectorManifest) -> Enabled:
    table = service.connection
    configure, keys = _configure(configuration, table, plugin, manifest), _callback_keys(configuration, table, manifest)
    return Enabled(_connection(service, manifest), manifest, configure, keys)


def _connection(service: ServiceTable, manifest: ConnectorManifest) -> Connection:
    table = service.connection
    return Connection(
        id=table.id,
        plugin=table.plugin,
        connector=table.connector,
        mapping=table.mapping or manifest.mapping,
        accepts=frozenset(Category(name) for name in manifest.accepts),
        gates=tuple(_own_gates(service, manifest)),
        kinds=frozenset(manifest.kinds),
        windows=_windows(table.clocks, Layer.CONNECTION),
        manifest_windows=_manifest_windows(table, manifest),
        partner_dedupes=manifest.idempotency.partner_dedupes,
        asks_only=manifest.reconcile == "asks",
        body_bytes=manifest.limits.body_bytes,
        handling_lines=frozenset(HandlingLine(name) for name in manifest.handling_lines),
        keeps_from=manifest.keeps_from,
        notifies_person=manifest.notifies_person,
        shadow=table.shadow,
    )


def _own_gates(service: ServiceTable, manifest: ConnectorManifest) -> Iterator[Gate]:
    """What the connector itself asks for, whatever the service."""
    if not manifest.direct_submit:
        yield Gate(service.connection.connector, manifest.title, (NEVER_DIRECT,))
    if manifest.preconditions:
        yield gates.made(service.connection.connector, manifest.title, manifest.preconditions, service, {})


#: For a connector that takes nothing directly, where no gate of the service says where to go.
NEVER_DIRECT = NeverDirect(
    id="never-direct",
    title="Nobody can send to this service from here.",
    next_step="Ask your champion who can.",
)


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
        folders=_folders(configuration, table, manifest),
        allow_addresses=table.allow_addresses,
        in_flight=manifest.limits.in_flight,
        body_bytes=manifest.limits.body_bytes,
        reply_bytes=manifest.limits.reply_bytes,
        deadline_seconds=manifest.limits.deadline_seconds,
        sha256=plugin.sha256,
        strict=configuration.hub.isolation.is_strict(table.id),
    )


def _folders(configuration: Configuration, table: ConnectionTable, manifest: ConnectorManifest) -> tuple[str, ...]:
    try:
        return folders_of(manifest.folders, table.settings, configuration.folder)
    except CannotUse as fault:
        raise ConfigurationError(f"connection {table.id}: {fault}") from None


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
    at_last = Champion(OPERATOR, operator.name, operator.email, "hub")
    partners = {each.id: people.partner(each, partnership, at_last) for each in partnership.partners}
    return Directory(
        partnership=partnership.name,
        digest=configuration.digest,
        partners=partners,
        services={
            service.id: _service(service, configuration) for service in configuration.services if service.enabled
        },
        connections={name: each.connection for name, each in enabled.items()},
        windows=_windows(partnership.clocks, Layer.PARTNERSHIP),
        operator=at_last,
        safeguarding=_safeguarding(partnership.safeguarding),
        coordinator=people.maybe(partnership.coordinator),
        network_manager=people.maybe(partnership.network_manager),
        above_network_manager=people.maybe(partnership.above_network_manager),
        closures=frozenset(partnership.closures),
        barrier_at=partnership.barrier_at,
        most_redirects=partnership.most_redirects,
        country=partnership.country,
        consent_ending_days=partnership.consent_ending_working_days,
    )


def _safeguarding(table: SafeguardingTable | None) -> Safeguarding | None:
    if table is None:
        return None
    numbers = tuple(Number(each.name, each.phone, each.when) for each in table.numbers)
    return Safeguarding(people.person(table.contact), numbers, safeguarding.policy(table.override))


def forgetting(table: PartnershipTable) -> Forgetting:
    """Return how long a story is kept here (R59)."""
    agreed_days = table.forgetting
    return Forgetting(timedelta(days=agreed_days.after_answer_days), timedelta(days=agreed_days.after_sending_days))


def deciding_directory(configuration: Configuration, plugins: Iterable[Found]) -> Directory:
    """Return the directory that decides, without looking at any secret: nothing can be sent with it."""
    connections = {
        table.connection.id: _connection(table, manifest) for table, _, manifest in _allowed(configuration, plugins)
    }
    return replace(build_directory(configuration, {}), connections=connections)


def _service(table: ServiceTable, configuration: Configuration) -> Service:
    names = {service.id: service.name for service in configuration.services}
    asked = [(name, configuration.gates[name]) for name in table.gates]
    return Service(
        id=table.id,
        name=table.name,
        partner=table.partner,
        connection=table.connection.id,
        address=table.address,
        purposes=table.purposes,
        owner=table.owner,
        answered_by=table.answered_by,
        phone=table.phone,
        email=table.email,
        area=table.area,
        windows=_windows(table.clocks, Layer.ROUTE),
        agreement=_agreement(table.agreement),
        gates=tuple(gates.made(name, gate.title, gate.preconditions, table, names) for name, gate in asked),
        confidential=table.confidential,
        cannot=table.cannot,
        challenge=table.challenge,
    )


def _agreement(table: AgreementTable) -> Agreement:
    return Agreement(
        reference=table.reference,
        agreed_on=table.agreed_on,
        assessment=table.assessment,
        sender=LawfulBasis(**table.sender.model_dump()),
        receiver=LawfulBasis(**table.receiver.model_dump()),
        duties=table.duties,
        children=table.children,
        strict=table.strict,
    )


def _windows(table: ClockTable | None, layer: Layer) -> WindowSet:
    if table is None:
        return WindowSet()
    kinds = [_by_level(each) for each in (table.standard, table.urgent, table.safety)]
    return agreed(layer, table.agreed_by, table.agreed_on, *kinds)


def _manifest_windows(table: ConnectionTable, manifest: ConnectorManifest) -> WindowSet:
    windows = {level: WindowTable(**window.model_dump(exclude_none=True)) for level, window in manifest.clocks.items()}
    return agreed(Layer.MANIFEST, f"manifest of {table.plugin}", _SHIPPED_ON, _by_level(windows))


#: A manifest's clocks are as old as the first release that shipped them.
_SHIPPED_ON = date(2026, 11, 1)


def _by_level(windows: Mapping[LevelName, WindowTable]) -> dict[Level, Window]:
    return {
        Level[name]: Window(window.minutes, window.working_hours, window.working_days, window.hours)
        for name, window in windows.items()
    }


def shipped(name: str) -> Path:
    """Return a folder that ships with the hub (config, mappings): in the wheel, or beside the source."""
    inside = Path(__file__).parent / "_shipped" / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name
