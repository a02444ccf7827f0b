"""The hub of the quarter: its real services, store, composer, notifier and mailer, under a time that rounds move."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from hub.domain.answer import Answer, AnswerState
from hub.domain.calendar import england_and_wales
from hub.domain.digest import Gathering
from hub.domain.outcome import Delivered, RetryLater
from hub.domain.share import Person, Share
from hub.notify.composer import Composer
from hub.notify.mail import Mailer, MailSettings
from hub.notify.notifier import Notifier
from hub.notify.webhook import Subscription, WebhookSender
from hub.sdk.connector import Inbound
from hub.sdk.connector import Response as Reply
from hub.sdk.testing.process import SandboxProcess
from hub.services.claim import Claim, Claimed, claim
from hub.services.decide import Sender
from hub.services.plan import derive_ids, plan
from hub.services.receipt import receipt
from hub.services.receive import Message
from hub.services.remember import OneTime
from hub.services.respond import Response
from hub.services.settle import Settlement
from hub.services.submit import Acceptance, accept, prepare
from hub.services.sweep import Sweep, sweep
from hub.services.watch import Watch, watch
from hub.store.engine import open_engine, sqlite_url
from hub.store.read_digest import digest_context
from hub.store.read_due import has_due_notices
from hub.store.read_state import notice_context
from hub.store.writer import Writer
from tests.databases import migrated_file
from tests.quarter.fates import OUTAGES, Fate
from tests.quarter.oracle import Story
from tests.quarter.partnership import PURPOSE, directory
from tests.scenery import Scene, Store

_DUE = """
    SELECT DISTINCT connection_id AS name FROM deliveries WHERE state IN ('queued', 'retrying') AND due_at <= :at
"""
_NOBODY_SEALS = timedelta(days=50 * 365)  # that is another test's


@dataclass(slots=True)
class Time:
    """Both times, which the rounds move."""

    at: datetime

    def wall(self) -> datetime:
        return self.at

    def business(self) -> datetime:
        return self.at


class Taken:
    """A case system that takes every webhook."""

    async def send(self, *_: object, **__: object) -> Reply:
        return Reply(204)


@dataclass(slots=True)
class World:
    """One hub and everybody around it."""

    folder: Path
    mailbox: SandboxProcess
    mails: Path
    time: Time
    scene: Scene = field(init=False)
    store: Store = field(init=False)
    writer: Writer = field(init=False)
    mailer: Mailer = field(init=False)
    stories: dict[str, Story] = field(default_factory=dict)  #: by delivery
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)  #: its connection and key
    answers: list[tuple[datetime, str, AnswerState]] = field(default_factory=list)
    calendar: Any = field(default_factory=england_and_wales)
    _read: int = 0

    def __post_init__(self) -> None:
        self.scene = Scene(self.folder / "scene", directory=directory())
        self.store = Store(open_engine(sqlite_url(migrated_file(self.folder))))
        event.listen(self.store.engine, "connect", _without_waiting)
        self.writer = Writer(self.store.engine)
        port = int(self.mailbox.url.rpartition(":")[2])
        self.mailer = Mailer(MailSettings("127.0.0.1", port, "hub@quarter.example", "quarter.example", tls="none"))

    def _plan(self, fate: Fate) -> Acceptance:
        of, key = self.scene, f"key-{fate.number}"
        ids = derive_ids(of.vault, fate.sender, key)
        sender = Sender(of.directory.partners[fate.sender], f"cases-{fate.sender}", "worker-1")
        share = _share_of(of.share, fate)
        planned = plan(share, sender, ids, of.directory, of.mappings, fate.sent_at, self.calendar)
        once = OneTime("author", f"{fate.number:064x}", fate.sent_at + timedelta(hours=1))
        return prepare(
            planned, of.vault, of.directory, self.time.at, key, f"{fate.number:064x}", receipt(planned), once
        )

    def send(self, sent: Sequence[Fate]) -> None:
        """Keep what was sent since the last round, in one commit."""
        made = [self._plan(each) for each in sent]
        for fate, kept in zip(sent, self.store.run(accept, *made), strict=True):
            assert isinstance(kept, Acceptance), kept
            (parcel,) = kept.plan.parcels
            self.stories[parcel.delivery_id] = Story(fate)
            self.keys[parcel.delivery_id] = fate.service, parcel.key
            self.answers += [(fate.sent_at + after, parcel.delivery_id, state) for after, state in fate.says]

    def deliver(self) -> None:
        """Try whatever is due, on every connection that has something."""
        at = self.time.at
        due = self.rows(
            _DUE,
            at=self._written(at),
        )
        names = [each["name"] for each in due]
        if not names:
            return
        asked = [Claim(name, 1_000, at, at, timedelta(seconds=30), unsealed_for=_NOBODY_SEALS) for name in names]
        claimed = dict(zip(names, self.store.run(claim, *asked), strict=True))
        settled = [self._tried(each, down=is_down(name, at)) for name, found in claimed.items() for each in found]
        self.store.run(self.scene.settle, *settled)
        for each in settled:
            if isinstance(each.outcome, Delivered):
                self.stories[each.delivery_id].reached(1, at)

    def _tried(self, each: Claimed, *, down: bool) -> Settlement:
        outcome = RetryLater("not-there") if down else Delivered(f"ref-{each.delivery_id}")
        at = self.time.at
        return Settlement(each.delivery_id, each.attempt, outcome, at, at, 0.5, started=not down)

    def answer(self) -> None:
        """Take in what services said since the last round, of what they have."""
        at = self.time.at
        due = sorted(each for each in self.answers if each[0] <= at and 1 in self.stories[each[1]].rungs)
        if not due:
            return
        self.answers = [each for each in self.answers if each not in set(due)]
        names = [f"{delivery_id}-{state}-{said_at.isoformat()}" for said_at, delivery_id, state in due]
        digests = [self.scene.vault.digest("message", each) for each in names]
        came = zip(due, digests, strict=True)
        messages = [Message(self.keys[each[1]][0], digest, b"{}", (), at) for each, digest in came]
        self.store.run(self.scene.receive, *messages)
        rows = {
            row["message_id"]: row["id"]
            for row in self.rows("SELECT id, message_id FROM inbox WHERE state = 'pending'")
        }
        read = zip(due, names, digests, strict=True)
        self.store.run(self.scene.respond, *(self._said(each, name, rows[digest]) for each, name, digest in read))
        for _, delivery_id, state in due:
            self._heard(self.stories[delivery_id], state, at)

    def _said(self, each: tuple[datetime, str, AnswerState], name: str, inbox_id: str) -> Response:
        _, delivery_id, state = each
        connection, key = self.keys[delivery_id]
        answer = Answer(state, owner="Duty desk", reason="no room" if state is AnswerState.DECLINED else "")
        at = self.time.at
        return Response(inbox_id, connection, Inbound(name, key, None, (answer,)), at, at, at)

    @staticmethod
    def _heard(story: Story, state: AnswerState, at: datetime) -> None:
        rung = {AnswerState.RECEIVED: 2, AnswerState.COMPLETED: 4}.get(state, 3)
        story.reached(rung, at)
        if state in {AnswerState.DECLINED, AnswerState.COMPLETED}:
            story.over = story.over or at

    def look(self) -> None:
        """Watch the clocks until nothing is left to see, as the relay does."""
        see = partial(watch, directory=self.scene.directory, calendar=self.calendar)
        while self.store.one(see, Watch(self.time.at, self.time.at)):
            pass

    def sweep(self) -> None:
        """Put right what was left behind."""
        self.store.one(sweep, Sweep(self.time.at, self.time.at))

    async def tell(self, notifier: Notifier) -> None:
        """Send every notice that is due."""
        while self.waiting():
            notifier.nudge()
            await asyncio.sleep(0.001)

    def waiting(self) -> bool:
        """Tell whether a notice is due, or on its way."""
        return has_due_notices(self.store.engine, self.time.at) or self.on_their_way() > 0

    def on_their_way(self) -> int:
        """How many notices are being sent."""
        return int(self._one("SELECT count(*) AS n FROM notices WHERE state = 'sending'")["n"])

    @staticmethod
    def _written(at: datetime) -> str:
        return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

    def notifier(self) -> Notifier:
        """Make what sends: the mails go by SMTP to a real server."""
        of = self.scene
        hooks = {
            f"cases-{name}": Subscription("https://cases.example", ("",), Taken()) for name in of.directory.partners
        }

        async def read(notice: Any) -> Any:
            return notice_context(self.store.engine, notice)

        async def read_many(notice: Any) -> Any:
            return digest_context(self.store.engine, notice)

        compose = Composer(of.directory, of.vault, "https://hub.quarter.example", hooks, read, self.time, read_many)
        sender = WebhookSender(lambda *_: {})  # what is signed is another test's
        return Notifier(self.writer.run, compose, self.mailer, sender, self.time, Gathering())

    def new_mails(self) -> list[dict[str, Any]]:
        """Return what the mail server took since it was last asked."""
        if not self.mails.exists():
            return []
        lines = self.mails.read_text(encoding="utf-8").splitlines()
        new, self._read = lines[self._read :], len(lines)
        return [json.loads(each) for each in new]

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self.store.engine.connect() as connection:
            return [dict(each) for each in connection.execute(text(statement), values).mappings()]

    def _one(self, statement: str, **values: Any) -> dict[str, Any]:
        (found,) = self.rows(statement, **values)
        return found


def _without_waiting(connection: Any, _record: Any) -> None:
    """What a power cut would take is no matter here: that is another test's."""
    connection.execute("PRAGMA synchronous=OFF")


def is_down(service: str, at: datetime) -> bool:
    """Tell whether a service cannot be reached."""
    begin, end = OUTAGES.get(service, (at, at))
    return begin <= at < end


def _share_of(share: Share, fate: Fate) -> Share:
    consent = replace(
        share.consents[0],
        reference=f"c-{fate.number}",
        service=fate.service,
        purpose=PURPOSE,
        facts={},
        until=fate.sent_at.date() + timedelta(days=150),
        agreed=replace(share.consents[0].agreed, on=fate.sent_at.date()),
    )
    return replace(
        share,
        reference=f"case-{fate.number}",
        person=Person(f"P-{fate.number}"),
        consents=[consent],
        services=None,
        urgent=fate.urgent,
        at_risk_now=fate.at_risk,
        plan=None,
    )
