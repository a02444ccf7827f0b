"""What runs in a hub as long as it does: a courier for each connection, the relay, the sealer and the eraser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from hub import config, partnership
from hub.broker.nudges import Nudges as Broker
from hub.correspondents import gathering_of
from hub.courier.courier import Courier, Verbs
from hub.courier.host_process import HostProcess
from hub.courier.relay import Relay, Rounds
from hub.courier.sealer import Sealer
from hub.domain.answer import Level
from hub.domain.calendar import england_and_wales
from hub.domain.consent import ending_by
from hub.domain.route import Directory
from hub.entries import Entries, EntryRound
from hub.notify.composer import Composer
from hub.notify.drop import Drop
from hub.notify.inviter import Inviter
from hub.notify.mail import Mailer
from hub.notify.notifier import Notifier
from hub.notify.webhook import Subscription, WebhookSender
from hub.security.checkpoints import CheckpointSigner
from hub.security.envelope import Envelope
from hub.security.live_keys import LiveKeys
from hub.security.shredded import ShreddedLog
from hub.security.webhooks import sign_webhook
from hub.services.choose_mail import links_of
from hub.services.follow_up import FollowUps
from hub.services.now import SystemNow
from hub.services.seal import seal, tell_unsealed
from hub.services.shred import shred
from hub.services.sweep import sweep
from hub.services.watch import watch
from hub.store import read_due
from hub.store.engine import Engine
from hub.store.eraser import Eraser
from hub.store.read_digest import digest_context
from hub.store.read_state import notice_context
from hub.store.writer import Writer

T = TypeVar("T")


def couriers_of(  # noqa: PLR0913 - what a courier is made of
    enabled: dict[str, partnership.Enabled],
    writer: Writer,
    vault: Envelope,
    now: SystemNow,
    invite: Mapping[str, Inviter],
    entries: Entries,
    told: FollowUps,
) -> dict[str, Courier]:
    """Return a courier for every connection that is sent to, each with a host process of its own."""
    verbs = Verbs.bound(vault, told)
    # What a partner fetches itself waits for it: no courier takes that, and no host runs.
    # Nor is anything sent to, or asked of, whoever is in shadow mode (R75).
    called = {
        name: each for name, each in enabled.items() if each.manifest.transport != "pull" and not each.connection.shadow
    }
    made = {name: replace(verbs, invite=invite.get(name)) for name in called}
    return {name: _courier(each, writer, made[name], vault, now, entries) for name, each in called.items()}


def paged(enabled: dict[str, partnership.Enabled]) -> dict[str, timedelta]:
    """Return the connections that are answered on the page, with how long one parcel may take."""
    return {
        name: timedelta(seconds=each.manifest.limits.deadline_seconds)
        for name, each in enabled.items()
        if "page" in each.manifest.answers
    }


def _courier(  # noqa: PLR0913 - as above
    each: partnership.Enabled,
    writer: Writer,
    verbs: Verbs,
    vault: Envelope,
    now: SystemNow,
    entries: Entries,
) -> Courier:
    limits = each.manifest.limits
    deadline = timedelta(seconds=limits.deadline_seconds)
    host = HostProcess(each.configure, run_as=each.reached.run_as)
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
        polls=timedelta(minutes=each.manifest.poll_minutes) if each.manifest.poll_minutes else None,
        may_send=partial(entries.may_send, each.connection.id),
    )


def sealer_of(writer: Writer, keys: LiveKeys, now: SystemNow) -> Sealer:
    """Return what seals the audit, signed with the hub's own key (TH13)."""
    seal_all = partial(seal, sign=CheckpointSigner(keys))
    return Sealer(partial(writer.run, seal_all), partial(writer.run, tell_unsealed), now)


def eraser_of(configuration: config.Configuration, writer: Writer, engine: Engine) -> Eraser:
    """Return what forgets stories on the partnership's two dates (R59)."""
    shredded, policy = ShreddedLog(configuration.path("keys")), partnership.forgetting(configuration.partnership)
    return Eraser(writer.run, partial(shred, policy=policy, write_down=shredded.add), shredded.ids, engine)


def notifier_of(  # noqa: PLR0913 - what a notifier is made of
    configuration: config.Configuration,
    directory: Directory,
    vault: Envelope,
    writer: Writer,
    reader: Engine,
    mailer: Mailer,
    to: Mapping[str, Subscription | Drop],
    now: SystemNow,
) -> Notifier:
    """Return what tells people by mail and case systems by webhook or file."""
    read, read_many = partial(in_thread, notice_context, reader), partial(in_thread, digest_context, reader)
    public_url, gathering = configuration.hub.public_url.rstrip("/"), gathering_of(configuration)
    links = links_of(directory, vault, public_url) if gathering is not None else {}
    composer = Composer(directory, vault, public_url, to, read, now, read_many, lambda reader: links.get(reader, ""))
    return Notifier(writer.run, composer, mailer, WebhookSender(sign_webhook), now, gathering)


def relay_of(  # noqa: PLR0913 - what a relay is made of
    writer: Writer,
    reader: Engine,
    directory: Directory,
    broker: Broker,
    couriers: dict[str, Courier],
    notifier: Notifier,
    now: SystemNow,
    eraser: Eraser,
    entries: Entries,
) -> Relay:
    """Return what looks, round by round, for whatever is due: deliveries, answers, notices, clocks and alerts."""

    def nudge(connection_id: str, ids: list[str]) -> None:
        # Its own couriers are told directly: while the broker is away, what is due still goes, a round later.
        if (courier := couriers.get(connection_id)) is not None:
            courier.nudge()
        broker.publish(f"deliveries.{connection_id}", ids)

    watch_all = partial(watch, directory=directory)
    renewal = partial(ending_by, calendar=england_and_wales(), days=directory.consent_ending_days)
    asks = frozenset(each.id for each in directory.connections.values() if each.asks_only)
    sweep_all = partial(sweep, asks=asks, renewal=renewal)
    rounds = Rounds(
        due_deliveries=lambda: in_thread(read_due.due_deliveries, reader, now.wall(), tuple(couriers)),
        due_inbox=lambda: in_thread(read_due.due_inbox, reader, now.wall()),
        has_due_notices=lambda: in_thread(read_due.has_due_notices, reader, now.wall()),
        sweep=lambda item: writer.run(sweep_all, item),
        watch=lambda item: writer.run(watch_all, item),
        forget=eraser,
        entries=EntryRound(entries, reader, writer, now),
    )
    return Relay(rounds, nudge, notifier.nudge, now)


def in_thread(query: Callable[..., T], *arguments: Any) -> Awaitable[T]:
    """Run a read away from the event loop."""
    return asyncio.to_thread(query, *arguments)
