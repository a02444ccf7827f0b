"""The composition root: the only place that names implementations and hands each what it needs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from hub import config, partnership
from hub.broker.nudges import Nudges as Broker
from hub.containment import contained
from hub.correspondents import (
    answer_pages_of,
    clients_of,
    inviters_of,
    mail_settings_of,
    served_by,
    single_sign_on_of,
    subscriptions_of,
    webhook_clients_of,
)
from hub.courier.courier import Courier
from hub.courier.relay import Relay
from hub.courier.sealer import Sealer
from hub.domain.calendar import WorkingCalendar, england_and_wales
from hub.domain.errors import Unavailable
from hub.domain.route import Directory
from hub.entries import Entries
from hub.host import discovery
from hub.ladder import Ladder, ladder
from hub.loops import couriers_of, eraser_of, notifier_of, paged, relay_of, sealer_of
from hub.mapping.library import Library
from hub.notify.mail import Mailer
from hub.notify.notifier import Notifier
from hub.page_verbs import PageVerbs, page_verbs
from hub.sdk.http import GuardedClient
from hub.security.clients import ClientLookup, TokenEndpoint
from hub.security.envelope import Envelope
from hub.security.live_keys import LiveKeys
from hub.security.single_sign_on import SingleSignOn
from hub.services.fetched import acknowledge_fetched, answer_fetched
from hub.services.follow_up import FollowUps
from hub.services.further import Furthers
from hub.services.invite import make_invite
from hub.services.keep_trusted_person import KnownLinks, keep_trusted_person
from hub.services.now import SystemNow
from hub.services.receive import receive
from hub.services.record_heard import record_heard
from hub.services.recover import Recover, recover
from hub.services.remember import Fact, OneTime, keep_facts, remember
from hub.services.withdraw import withdraw
from hub.store import read_state
from hub.store.engine import Engine, open_engine
from hub.store.eraser import Eraser
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
    keys: LiveKeys
    reader: Engine
    writer: Writer
    tokens: TokenEndpoint
    clients: ClientLookup
    broker: Broker
    couriers: dict[str, Courier]
    relay: Relay
    sealer: Sealer
    notifier: Notifier
    mailer: Mailer
    webhook_clients: list[GuardedClient]
    receive: Callable[[Any, Any], Any]
    record_heard: Callable[[Any, Any], Any]
    acknowledge_fetched: Callable[[Any, Any], Any]
    answer_fetched: Callable[[Any, Any], Any]
    serves: dict[str, frozenset[str]]
    keep_trusted_person: Callable[[Any, Any], Any]
    eraser: Eraser
    withdraw: Callable[[Any, Any], Any]
    furthers: Furthers
    page_verbs: PageVerbs
    ladder: Ladder
    #: No other process can hold a lease: this one holds the lock on a SQLite file.
    alone: bool
    single_sign_on: SingleSignOn | None = field(init=False)
    links: KnownLinks = field(default_factory=KnownLinks)
    _loops: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.single_sign_on = single_sign_on_of(self.configuration)

    async def start(self) -> None:
        """Start every loop on the running event loop; what a crash left behind is picked up by the first round."""
        loop = asyncio.get_running_loop()
        self.broker.on_nudge = lambda queue, _ids: self._arrived(queue, loop)
        self.writer.on_commit = lambda nudges: self._committed(nudges, loop)
        self.writer.start()
        # Before anything is served: a database from a backup may hold what was forgotten since.
        if again := await self.eraser.forget_again(self.now.business(), self.now.wall()):
            log.warning("hub.forgot_again", count=again)
        await self._pick_up()
        await self.sealer.round()  # so that the first receipt has a checkpoint
        self.broker.start()
        running = [courier.run() for courier in self.couriers.values()]
        running += [self.relay.run(), self.sealer.run(), self.notifier.run()]
        self._loops = [asyncio.create_task(each) for each in running]

    async def _pick_up(self) -> None:
        try:
            if self.configuration.hub.profile == "demo":
                # What business time is must not begin anew at each start.
                await self.writer.run(keep_facts, Fact("business_offset", str(self.now.offset.total_seconds())))
            await self.relay.look_at_entries()  # before anything is claimed
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
        if self.single_sign_on is not None:
            await self.single_sign_on.aclose()
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
    enabled = partnership.enable(configuration, plugins, contained(configuration, plugins))
    keys = LiveKeys(configuration.path("keys"), looks_every=0.1)
    vault, public_url = Envelope(keys), configuration.hub.public_url.rstrip("/")
    engine, reader = open_store(configuration), open_engine(store_url(configuration), reader=True)
    writer, now = Writer(engine), now or SystemNow(_offset(configuration, reader))
    entries, clients = Entries(configuration, keys, now), clients_of(configuration, reader)
    directory = replace(partnership.build_directory(configuration, enabled), unchecked=entries.is_unchecked)
    broker = Broker(configuration.hub.broker.url, [f"deliveries.{name}" for name in enabled])
    webhook_clients, mailer = webhook_clients_of(configuration.partnership), Mailer(mail_settings_of(configuration))
    to = subscriptions_of(configuration, webhook_clients)
    notifier = notifier_of(configuration, directory, vault, writer, reader, mailer, to, now)
    make = partial(writer.run, partial(make_invite, vault=vault))
    invite = inviters_of(configuration, paged(enabled), make, mailer.send, vault, now)
    library, calendar = Library(mapping_folders(configuration, plugins)), england_and_wales()
    follow_ups, pages = FollowUps(directory, library, vault, calendar), answer_pages_of(configuration, vault)
    couriers = couriers_of(enabled, writer, vault, now, invite, entries, follow_ups)
    eraser = eraser_of(configuration, writer, engine)
    return Hub(
        configuration=configuration,
        directory=directory,
        enabled=enabled,
        plugins=plugins,
        library=library,
        calendar=calendar,
        now=now,
        vault=vault,
        keys=keys,
        reader=reader,
        writer=writer,
        tokens=TokenEndpoint(public_url, f"{public_url}/oauth/token", keys, clients, Used(writer)),
        clients=clients,
        broker=broker,
        couriers=couriers,
        sealer=sealer_of(writer, keys, now),
        relay=relay_of(writer, reader, directory, broker, couriers, notifier, now, eraser, entries),
        notifier=notifier,
        mailer=mailer,
        webhook_clients=list(webhook_clients.values()),
        receive=partial(receive, vault=vault),
        record_heard=partial(record_heard, vault=vault, follow_ups=follow_ups),
        acknowledge_fetched=partial(acknowledge_fetched, vault=vault),
        answer_fetched=partial(answer_fetched, vault=vault),
        serves=served_by(configuration),
        eraser=eraser,
        keep_trusted_person=partial(keep_trusted_person, vault=vault),
        withdraw=partial(withdraw, follow_ups=follow_ups, senior_contact=directory.senior_contact),
        furthers=Furthers(follow_ups, directory, vault),
        page_verbs=page_verbs(pages, vault),
        ladder=ladder(directory, calendar, vault, {name: page.link_lasts for name, page in pages.items()}, follow_ups),
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
