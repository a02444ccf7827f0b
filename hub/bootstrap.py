"""The composition root: the only place that names implementations and hands each what it needs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog

from hub import config, partnership
from hub.broker.nudges import Nudges as Broker
from hub.courier.courier import Courier, Verbs
from hub.courier.host_process import HostProcess
from hub.courier.relay import Relay, Rounds
from hub.domain.answer import Level
from hub.domain.calendar import WorkingCalendar, england_and_wales
from hub.domain.errors import Unavailable
from hub.domain.route import Directory
from hub.host import discovery
from hub.mapping.library import Library
from hub.notify.composer import Composer
from hub.notify.mail import Mailer, MailSettings
from hub.notify.notifier import Notifier
from hub.notify.webhook import Subscription, WebhookSender
from hub.sdk.http import GuardedClient, make_ssl_context
from hub.sdk.reach import Reach
from hub.security.clients import Client, ClientLookup, TokenEndpoint
from hub.security.envelope import Envelope
from hub.security.keys import KeyRing
from hub.security.webhooks import sign_webhook
from hub.services.follow_up import FollowUps
from hub.services.now import SystemNow
from hub.services.receive import receive
from hub.services.record_heard import record_heard
from hub.services.recover import Recover, recover
from hub.services.remember import Fact, OneTime, keep_facts, remember
from hub.services.respond import respond
from hub.services.settle import settle
from hub.services.sweep import sweep
from hub.services.watch import watch
from hub.services.withdraw import withdraw
from hub.store import read_due, read_state
from hub.store.engine import Engine, open_engine
from hub.store.migrate import upgrade
from hub.store.transaction import Nudges
from hub.store.trouble import read_or_unavailable
from hub.store.writer import Writer

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Used:
    """One-time tokens: what was used is committed before it is acted upon, in whatever process (TH11)."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def first_time(self, kind: str, token: str, until: datetime) -> bool:
        """Record it and say True, or False when it was used before; waits for the commit, so call it from a thread."""
        return self._writer.submit(remember, OneTime(kind, token, until)).result()


@dataclass(slots=True)
class Hub:
    """Everything that is running, for the faces above: API, CLI and console."""

    configuration: config.Configuration
    directory: Directory
    enabled: dict[str, partnership.Enabled]
    plugins: list[discovery.Found]
    library: Library
    calendar: WorkingCalendar
    now: SystemNow
    vault: Envelope
    ring: KeyRing
    reader: Engine
    writer: Writer
    tokens: TokenEndpoint
    clients: ClientLookup
    broker: Broker
    couriers: dict[str, Courier]
    relay: Relay
    notifier: Notifier
    mailer: Mailer
    webhook_clients: list[GuardedClient]
    receive: Callable[[Any, Any], Any]
    record_heard: Callable[[Any, Any], Any]
    withdraw: Callable[[Any, Any], Any]
    #: No other process can hold a lease: this one holds the lock on a SQLite file.
    alone: bool
    _loops: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Start every loop on the running event loop; what a crash left behind is picked up by the first round."""
        loop = asyncio.get_running_loop()
        self.broker.on_nudge = lambda queue, _ids: self._arrived(queue, loop)
        self.writer.on_commit = lambda nudges: self._committed(nudges, loop)
        self.writer.start()
        await self._pick_up()
        self.broker.start()
        running = [*(courier.run() for courier in self.couriers.values()), self.relay.run(), self.notifier.run()]
        self._loops = [asyncio.create_task(each) for each in running]

    async def _pick_up(self) -> None:
        try:
            if self.configuration.hub.profile == "demo":
                # What business time is must not begin anew at each start.
                await self.writer.run(keep_facts, Fact("business_offset", str(self.now.offset.total_seconds())))
            if self.alone and (found := await self.writer.run(recover, Recover(self.now.wall()))):
                log.info("hub.recovered", count=found.deliveries + found.notices + found.messages)
        except Unavailable as error:
            # It starts all the same, and says so to whoever sends: leases then run out by themselves.
            log.error("hub.not_recovered", reason=error.refusal.type)

    async def stop(self) -> None:
        """Stop every loop, then finish what the writer was asked to keep."""
        for running in self._loops:
            running.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await asyncio.to_thread(self.broker.close)
        await asyncio.to_thread(self.writer.close)
        await asyncio.gather(*(client.aclose() for client in self.webhook_clients))
        await asyncio.to_thread(self.mailer.close)

    async def read(self, query: Callable[..., T], *arguments: Any) -> T:
        """Run one read of the store in a thread; raises `Unavailable`."""
        return await asyncio.to_thread(read_or_unavailable, query, self.reader, *arguments)

    def _arrived(self, queue: str, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closing: the next start finds the rows
            loop.call_soon_threadsafe(self._nudged, queue)

    def _nudged(self, queue: str) -> None:
        courier = self.couriers.get(queue.partition(".")[2])
        if courier is not None:
            courier.nudge()

    def _committed(self, nudges: Nudges, loop: asyncio.AbstractEventLoop) -> None:
        for connection_id, ids in nudges.deliveries.items():
            self.broker.publish(f"deliveries.{connection_id}", ids)
        for connection_id in nudges.inbox:
            self.broker.publish(f"deliveries.{connection_id}", [])
        if nudges.notices:
            with contextlib.suppress(RuntimeError):  # the loop is closing: the next start sends them
                loop.call_soon_threadsafe(self.notifier.nudge)


def build(folder: Path, *, alone: bool = False, now: SystemNow | None = None) -> Hub:
    """Compose a hub from an instance's folder; raises `ConfigurationError` and `KeyFolderError` with what to do.

    `alone` says that the caller holds the lock on its SQLite file (see `hub.services.recover`); `now` is the machine's.
    """
    configuration = config.load(folder)
    plugins = find_plugins(configuration)
    partnership.check_named(configuration, plugins)
    enabled = partnership.enable(configuration, plugins)
    directory = partnership.build_directory(configuration, enabled)
    ring = KeyRing.load(configuration.path("keys"))
    vault = Envelope(ring)
    engine = open_store(configuration)
    reader = open_engine(store_url(configuration), reader=True)
    writer = Writer(engine)
    used = Used(writer)
    now = now or SystemNow(_offset(configuration, reader))
    clients = _clients(configuration, reader)
    public_url = configuration.hub.public_url.rstrip("/")
    broker = Broker(configuration.hub.broker.url, [f"deliveries.{name}" for name in enabled])
    webhook_clients = webhook_clients_of(configuration.partnership)
    mailer = Mailer(_mail_settings(configuration))
    composer = Composer(
        directory,
        vault,
        public_url,
        _subscriptions(configuration, webhook_clients),
        partial(_in_thread, read_state.notice_context, reader),
        now,
    )
    notifier = Notifier(writer.run, composer, mailer, WebhookSender(sign_webhook), now)
    couriers = _couriers(enabled, writer, vault, now)
    library, calendar = Library(mapping_folders(configuration, plugins)), england_and_wales()
    follow_ups = FollowUps(directory, library, vault, calendar)
    return Hub(
        configuration=configuration,
        directory=directory,
        enabled=enabled,
        plugins=plugins,
        library=library,
        calendar=calendar,
        now=now,
        vault=vault,
        ring=ring,
        reader=reader,
        writer=writer,
        tokens=TokenEndpoint(public_url, f"{public_url}/oauth/token", ring, clients, used),
        clients=clients,
        broker=broker,
        couriers=couriers,
        relay=_relay(writer, reader, directory, broker, couriers, notifier, now),
        notifier=notifier,
        mailer=mailer,
        webhook_clients=list(webhook_clients.values()),
        receive=partial(receive, vault=vault),
        record_heard=partial(record_heard, vault=vault, follow_ups=follow_ups),
        withdraw=partial(withdraw, follow_ups=follow_ups),
        alone=alone,
    )


def find_plugins(configuration: config.Configuration) -> list[discovery.Found]:
    """Return the installed plugins, each judged by the instance's allow-list; none is imported."""
    allow = configuration.allow.allow
    return discovery.find_plugins([discovery.Allowed(each.name, each.version, each.sha256) for each in allow])


def store_url(configuration: config.Configuration) -> str:
    """Return the database's URL; a relative SQLite path starts at the instance's folder."""
    url = configuration.hub.store.url
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{configuration.path(url.removeprefix(prefix))}"
    return url


def open_store(configuration: config.Configuration) -> Engine:
    """Open the database for writing, at this version's schema."""
    url = store_url(configuration)
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(url)
    upgrade(engine)
    return engine


def mapping_folders(configuration: config.Configuration, plugins: list[discovery.Found]) -> list[Path]:
    """Return where mappings are looked for: the instance's folder wins over a pack's, a pack's over the shipped one."""
    packs = [plugin.folder / "mappings" for plugin in plugins if plugin.status == "allowed" and plugin.folder]
    folders = [configuration.path("mappings"), *packs, partnership.shipped("mappings")]
    return [folder for folder in folders if folder.is_dir()]


def _couriers(
    enabled: dict[str, partnership.Enabled], writer: Writer, vault: Envelope, now: SystemNow
) -> dict[str, Courier]:
    verbs = Verbs(partial(settle, vault=vault), partial(respond, vault=vault))
    return {name: _courier(each, writer, verbs, vault, now) for name, each in enabled.items()}


def _courier(each: partnership.Enabled, writer: Writer, verbs: Verbs, vault: Envelope, now: SystemNow) -> Courier:
    limits = each.manifest.limits
    deadline = timedelta(seconds=limits.deadline_seconds)
    host = HostProcess(each.configure)
    asks_only = each.manifest.reconcile == "asks"
    return Courier(
        each.connection.id,
        host,
        writer.run,
        verbs,
        vault,
        now,
        deadline,
        limits.in_flight,
        asks_only=asks_only,
        proves=max((Level[name] for name in each.manifest.levels), default=Level.L1),
    )


def _relay(  # noqa: PLR0913 - what a relay is made of
    writer: Writer,
    reader: Engine,
    directory: Directory,
    broker: Broker,
    couriers: dict[str, Courier],
    notifier: Notifier,
    now: SystemNow,
) -> Relay:
    def nudge(connection_id: str, ids: list[str]) -> None:
        # Its own couriers are told directly: while the broker is away, what is due still goes, a round later.
        if (courier := couriers.get(connection_id)) is not None:
            courier.nudge()
        broker.publish(f"deliveries.{connection_id}", ids)

    watch_all = partial(watch, directory=directory)
    sweep_all = partial(sweep, asks=frozenset(each.id for each in directory.connections.values() if each.asks_only))
    rounds = Rounds(
        due_deliveries=lambda: _in_thread(read_due.due_deliveries, reader, now.wall(), tuple(couriers)),
        due_inbox=lambda: _in_thread(read_due.due_inbox, reader, now.wall()),
        has_due_notices=lambda: _in_thread(read_due.has_due_notices, reader, now.wall()),
        sweep=lambda item: writer.run(sweep_all, item),
        watch=lambda item: writer.run(watch_all, item),
    )
    return Relay(rounds, nudge, notifier.nudge, now)


def _in_thread(query: Callable[..., T], *arguments: Any) -> Awaitable[T]:
    return asyncio.to_thread(query, *arguments)


def _offset(configuration: config.Configuration, reader: Engine) -> timedelta:
    """Business time parts from wall time in the demo's profile alone, and survives a restart there."""
    if configuration.hub.profile != "demo":
        return timedelta(0)
    kept = read_state.fact(reader, "business_offset")
    if kept is not None:
        return timedelta(seconds=float(kept))
    if not configuration.hub.business_start:
        return timedelta(0)
    now = SystemNow()
    return datetime.fromisoformat(configuration.hub.business_start) - now.wall()


def _clients(configuration: config.Configuration, reader: Engine) -> ClientLookup:
    known = {
        client.id: Client(
            client.id,
            client.partner,
            configuration.path(client.jwks).read_text(encoding="utf-8"),
            frozenset(client.scopes),
        )
        for client in configuration.partnership.clients
    }

    def read(client_id: str) -> Client | None:
        client = known.get(client_id)
        if client is None:
            return None
        revoked = read_or_unavailable(read_state.revoked_clients, reader, client_id) is not None
        return Client(client.id, client.partner, client.jwks, client.scopes, revoked)

    return ClientLookup(read)


def webhook_clients_of(partners: config.PartnershipTable) -> dict[str, GuardedClient]:
    """Make one guarded client for each case system that takes notices, which reaches that system's own address only."""
    tls = make_ssl_context()
    return {
        client.id: GuardedClient(
            Reach.to([urlsplit(client.webhook_url).netloc], client.webhook_allow_addresses, deadline_seconds=20), tls
        )
        for client in partners.clients
        if client.webhook_url
    }


def _subscriptions(configuration: config.Configuration, via: dict[str, GuardedClient]) -> dict[str, Subscription]:
    return {
        client.id: Subscription(
            client.webhook_url,
            tuple(configuration.secret(reference) for reference in client.webhook_secrets),
            via[client.id],
        )
        for client in configuration.partnership.clients
        if client.webhook_url
    }


def _mail_settings(configuration: config.Configuration) -> MailSettings:
    mail = configuration.hub.mail
    return MailSettings(
        host=mail.host,
        port=mail.port,
        from_address=mail.from_address,
        domain=urlsplit(configuration.hub.public_url).hostname or "localhost",
        tls=mail.tls,
        username=mail.username,
        password=configuration.secret(mail.password) if mail.password else "",
    )
