"""TH15: a reader gets few mails, whatever happens, and nothing is lost by it; counted at a real mail server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hub.domain.alert import AlertKind
from hub.domain.answer import Level
from hub.domain.digest import Gathering
from hub.domain.outcome import Delivered
from hub.notify.composer import Composer
from hub.notify.mail import Mailer, MailSettings
from hub.notify.notifier import Notifier
from hub.notify.webhook import WebhookSender
from hub.security.webhooks import sign_webhook
from hub.services.choose_mail import ChooseMail, choose_mail, may_choose
from hub.services.raise_alerts import Cause, hands, raise_alerts
from hub.services.watch import Watch, watch
from hub.store.engine import open_engine, sqlite_url
from hub.store.read_digest import digest_context
from hub.store.read_due import has_due_notices
from hub.store.read_state import notice_context
from hub.store.writer import Writer
from tests.databases import migrated_file
from tests.integration.notify.conftest import Post, plain_post
from tests.laddering import CALENDAR, laddered
from tests.scenery import HOUSING, SENDER, TREATMENT, Scene, Store, directory, settlement

__all__ = ["plain_post"]
pytestmark = pytest.mark.anyio
CHAMPION, OPERATOR = f"{SENDER}@example.org", "op@example.org"
#: Every silence in this file begins on a day that the champion works: a Monday.
MONDAY = datetime.fromisoformat("2026-11-23T10:00:00+00:00")


@dataclass
class Clock:
    """Time as the test has it."""

    at: datetime = MONDAY

    def wall(self) -> datetime:
        """Now."""
        return self.at

    def business(self) -> datetime:
        """Now."""
        return self.at


@dataclass
class Town:
    """A store with shares in it, a notifier that gathers, and the mail server that counts."""

    scene: Scene
    store: Store
    writer: Writer
    post: Post
    clock: Clock
    notifier: Notifier
    shares: int = 0

    def send(self, number: int, service: str = HOUSING) -> list[dict[str, Any]]:
        """Take so many shares, none of which has arrived; when their silences come up, the test says, and no clock."""
        before = {row["id"] for row in self.store.all("deliveries")}
        for each in range(number):
            self.store.accept(self.scene.acceptance(f"share-{self.shares + each}", services=[service]))
        self.shares += number
        new = [row for row in self.store.all("deliveries") if row["id"] not in before]
        rungs = [(each["id"], level) for each in new for level in range(5)]
        self.store.one(lambda tx, items: [tx.stop_clocks(each) for each in items], rungs)
        return new

    def silence(self, deliveries: list[dict[str, Any]], kind: AlertKind, *, urgent: bool = False) -> None:
        """Raise an alert for each of these, as the sweep does."""
        rows = [
            {
                "delivery_id": each["id"],
                "share_id": each["share_id"],
                "service_id": each["service_id"],
                "partner_id": SENDER,
                "client_id": "day-centre-system",
                "urgent": urgent,
                "safety": False,
            }
            for each in deliveries
        ]
        level = Level.L0 if kind is AlertKind.UNDELIVERED else Level.L2
        causes = [Cause(row, level, kind, self.clock.at) for row in rows]

        def verb(tx: Any, items: list[Any]) -> list[int]:
            who = hands(tx, self.scene.directory, CALENDAR, self.clock.at)
            return [raise_alerts(tx, each, who, self.clock.at) for each in items]

        self.store.one(verb, causes)

    def deliver(self, service: str = HOUSING) -> int:
        """Let everything arrive that waits for one service."""
        arrived = 0
        while claimed := self.store.claim(service, limit=200, wall=self.clock.at, business=self.clock.at):
            for each in claimed:
                took = settlement(each, Delivered(f"ref-{each.delivery_id}"), wall=self.clock.at)
                arrived += self.store.one(self.scene.settle, took)
        return arrived

    async def goes_round(self) -> None:
        """Look at the clocks as the relay does, and send what is due."""
        of = partial(watch, directory=self.scene.directory, calendar=CALENDAR)
        self.store.one(of, Watch(self.clock.at, self.clock.at))
        async with asyncio.timeout(30):
            while has_due_notices(self.store.engine, self.clock.at) or self.store.all("notices", state="sending"):
                self.notifier.nudge()
                await asyncio.sleep(0.02)

    async def after(self, **later: int) -> None:
        """Let time pass, and look."""
        self.clock.at += timedelta(**later)
        await self.goes_round()

    def mails(self, to: str) -> list[Any]:
        """What the mail server took for one reader, oldest first."""
        taken = [each for each in self.post.mailbox.taken if each.rcpt_tos == [to]]
        return [message_from_bytes(each.content, policy=SMTP) for each in taken]

    def subjects(self, to: str) -> list[str]:
        """The subjects of those."""
        return [str(each["Subject"]) for each in self.mails(to)]

    def open_alerts(self) -> int:
        """How many alerts are listed."""
        return len(self.store.all("alerts", state="open"))


def text_of(mail: Any) -> str:
    """The plain text of a mail."""
    return str(mail.get_body(("plain",)).get_content()).replace("\r\n", "\n")


@pytest.fixture
async def town(tmp_path: Path, plain_post: Post) -> AsyncIterator[Town]:
    """A town of its own."""
    scene = Scene(tmp_path, directory=laddered())
    engine = open_engine(sqlite_url(migrated_file(tmp_path)))
    store, writer, clock = Store(engine), Writer(engine), Clock()
    writer.start()
    mailer = Mailer(MailSettings("127.0.0.1", plain_post.port, "hub@hub.example", "hub.example", tls="none"))
    read, many = partial(_in_thread, notice_context, engine), partial(_in_thread, digest_context, engine)
    composer = Composer(scene.directory, scene.vault, "https://hub.example", {}, read, clock, many)
    sender: Any = WebhookSender(sign_webhook)
    notifier = Notifier(writer.run, composer, mailer, sender, clock, Gathering())
    running = asyncio.create_task(notifier.run())
    yield Town(scene, store, writer, plain_post, clock, notifier)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await asyncio.to_thread(mailer.close)
    writer.close()
    engine.dispose()


def _in_thread(query: Callable[..., Any], *arguments: Any) -> Any:
    return asyncio.to_thread(query, *arguments)


async def test_th15_an_outage_of_500_alerts_is_one_mail_when_it_starts_and_one_when_it_ends(town: Town) -> None:
    # given 500 shares that a service cannot be sent, whose silences come up over an hour, 50 at first
    waiting = town.send(500)
    for batch in range(10):
        town.silence(waiting[batch * 50 : batch * 50 + 50], AlertKind.UNDELIVERED)
        await town.after(minutes=6)

    # then the champion and the operator each had one mail, and every alert is listed all the same
    assert town.open_alerts() == 500
    for reader in (CHAMPION, OPERATOR):
        assert town.subjects(reader) == ["50 things to look at"]
        said = text_of(town.mails(reader)[0])
        assert "Some of it cannot get to a team just now." in said
        assert said.count("\n- ") + said.startswith("- ") == 20
        assert "There are 30 more." in said

    # when the service takes them all
    assert town.deliver() == 500
    await town.after(minutes=1)

    # then each hears so once, with how many it was
    for reader in (CHAMPION, OPERATOR):
        assert town.subjects(reader)[1:] == ["It works again: 500 things have gone"]
    await town.after(hours=30)
    assert len(town.mails(CHAMPION)) == len(town.mails(OPERATOR)) == 2
    # and of every notice something became
    assert {row["state"] for row in town.store.all("notices", channel="email")} == {"sent"}


async def test_th15_an_outage_that_lasts_is_told_again_each_morning_and_no_more_often(town: Town) -> None:
    # given an outage that a champion knows of
    town.silence(town.send(2), AlertKind.UNDELIVERED)
    await town.after(minutes=1)
    # when more comes up through the day
    for _ in range(5):
        town.silence(town.send(3), AlertKind.UNDELIVERED)
        await town.after(hours=1)
    assert len(town.mails(CHAMPION)) == 1
    # then it is told the next morning, all of it in one mail, and once
    town.clock.at = datetime.fromisoformat("2026-11-24T09:00:30+00:00")
    await town.goes_round()
    assert town.subjects(CHAMPION)[1:] == ["15 things to look at"]
    await town.after(hours=5)
    assert len(town.mails(CHAMPION)) == 2


async def test_th15_what_comes_up_within_a_window_goes_in_one_mail_and_counts_as_told_once_that_was_taken(
    town: Town,
) -> None:
    # given a first silence, told at once and by itself
    town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED)
    await town.goes_round()
    assert re.fullmatch(r"No answer yet: ...-...", town.subjects(CHAMPION)[0])
    # when seven more come up within the next quarter of an hour, one after another
    for each in town.send(7, TREATMENT):
        town.silence([each], AlertKind.UNANSWERED)
        await town.after(minutes=2)
    assert len(town.mails(CHAMPION)) == 1
    waits = town.store.all("notices", recipient=f"champion-{SENDER}", topic="alert.unanswered", state="queued")
    assert len(waits) == 7
    assert {row["sent_at"] for row in waits} == {None}
    # then they go in one, each with its reference and link
    await town.after(minutes=2)
    assert town.subjects(CHAMPION)[1:] == ["7 things to look at"]
    said = text_of(town.mails(CHAMPION)[1])
    assert len(set(re.findall(r"https://hub\.example/alerts/[0-9a-f]{32}", said))) == 7
    told = town.store.all("notices", recipient=f"champion-{SENDER}", topic="alert.unanswered")
    assert {(row["state"], row["sent_at"] is not None) for row in told} == {("sent", True)}


async def test_th15_a_mail_for_many_that_is_not_taken_leaves_all_of_it_untold_and_is_tried_again(town: Town) -> None:
    # given a mail server that has no room just now
    town.post.mailbox.data_reply = "452 no room"
    town.silence(town.send(3, TREATMENT), AlertKind.UNANSWERED)
    await town.goes_round()
    mine = {"recipient": f"champion-{SENDER}", "topic": "alert.unanswered"}
    assert {row["state"] for row in town.store.all("notices", **mine)} == {"queued"}
    # when it has again
    town.post.mailbox.data_reply = ""
    await town.after(seconds=10)
    # then all three are told, in the one mail
    assert town.subjects(CHAMPION) == ["3 things to look at"]
    assert {row["state"] for row in town.store.all("notices", **mine)} == {"sent"}


async def test_th15_what_is_urgent_waits_for_no_window_and_no_hour(town: Town) -> None:
    # given a champion who had a mail a moment ago
    town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED)
    await town.goes_round()
    # when urgent ones come up, one a minute, ten of them, and others between them
    for _ in range(10):
        town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED, urgent=True)
        town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED)
        await town.after(minutes=1)
    # then each urgent one is there, by itself, and of the others nothing yet
    assert len(town.mails(CHAMPION)) == 11
    assert all(re.fullmatch(r"No answer yet: ...-...", each) for each in town.subjects(CHAMPION))


async def test_th15_an_hour_has_a_most_and_the_last_mail_says_so(town: Town) -> None:
    # given alerts that come up all the time, for two hours
    for _ in range(24):
        town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED)
        await town.after(minutes=5)
    # then no hour had more than four of these mails
    mails = town.store.all("notices", recipient=f"champion-{SENDER}")
    sent = sorted(row["sent_at"] for row in mails if row["topic"].startswith("digest"))
    assert len(sent) == 8
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in zip(sent, sent[4:], strict=False))
    # and the fourth said that it is the last for now
    last = [text_of(each) for each in town.mails(CHAMPION) if "the last of these emails for an hour" in text_of(each)]
    assert last
    assert all("is in your list now" in each for each in last)
    # and when they end, nothing is left untold
    await town.after(hours=1)
    mine = town.store.all("notices", recipient=f"champion-{SENDER}", topic="alert.unanswered")
    assert len(mine) == 24
    assert {row["state"] for row in mine} == {"sent"}


async def test_th15_what_is_over_before_its_turn_is_not_mailed_and_stays_on_record(town: Town) -> None:
    # given a champion who had a mail just now, and an alert that waits for the next
    town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED)
    await town.goes_round()
    (waiting,) = town.send(1)
    town.silence([waiting], AlertKind.UNDELIVERED)
    await town.goes_round()
    # when it arrives before that
    assert town.deliver() == 1
    await town.after(minutes=20)
    # then nobody is bothered with it, and the log says why
    assert len(town.mails(CHAMPION)) == 1
    why = [row["detail"]["reason"] for row in town.store.all("audit_events", action="notice.cancelled")]
    assert why.count("over") >= 1


async def test_th15_a_heads_up_goes_by_the_same_rules(town: Town) -> None:
    # given early words and silences, in one window (R49)
    town.silence(town.send(2, TREATMENT), AlertKind.UNANSWERED)
    town.silence(town.send(2), AlertKind.EARLY)
    # when
    await town.goes_round()
    # then they are one mail
    assert town.subjects(CHAMPION) == ["4 things to look at"]
    assert "An early word: " in text_of(town.mails(CHAMPION)[0])


async def test_th15_a_mailbox_that_says_never_passes_the_alert_on_at_once_and_the_operator_hears_once(
    town: Town,
) -> None:
    # given a champion whose mail server says that there is no such mailbox
    refused = {CHAMPION}
    town.post.mailbox.refused = refused
    # when three alerts come up for them, one after another
    for _ in range(3):
        town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED)
        await town.goes_round()
        await town.after(seconds=1)
        await town.after(minutes=16)
    # then their deputy has all three, at once, and was told
    assert {row["holder"] for row in town.store.all("alerts")} == {"deputy"}
    assert town.subjects("deputy@example.org")[0].startswith("This is with you now: ")
    # and the operator heard of the mailbox once, and of no alert that reached nobody
    assert town.subjects(OPERATOR) == ["Mail to one of your readers is refused"]
    # when it takes mail again, a day later
    refused.clear()
    await town.after(days=1, minutes=1)
    town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED)
    await town.after(minutes=16)
    # then the champion has what is new
    assert town.subjects(CHAMPION)[-1].startswith("No answer yet: ")


async def test_th15_one_mail_a_day_waits_for_the_morning_and_what_is_urgent_does_not(town: Town) -> None:
    # given a champion who asked for one mail a day
    champion = f"champion-{SENDER}"
    town.store.one(choose_mail, ChooseMail(champion, daily=True, wall=town.clock.at))
    # when silences come up all day, one of them urgent
    for hour in range(5):
        town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED, urgent=hour == 3)
        await town.after(hours=1)
    # then the urgent one came at once, and nothing else
    assert len(town.mails(CHAMPION)) == 1
    # and in the morning all the others, in one
    town.clock.at = datetime.fromisoformat("2026-11-24T09:00:30+00:00")
    await town.goes_round()
    assert town.subjects(CHAMPION)[1:] == ["4 things to look at"]
    # and once they take it back, what waits goes
    town.silence(town.send(1, TREATMENT), AlertKind.UNANSWERED)
    await town.after(hours=1)
    assert len(town.mails(CHAMPION)) == 2
    town.store.one(choose_mail, ChooseMail(champion, daily=False, wall=town.clock.at))
    await town.goes_round()
    assert len(town.mails(CHAMPION)) == 3


def test_th15_the_last_who_is_named_and_the_operator_may_not_ask_for_fewer() -> None:
    # given a partnership with a whole ladder, and one with nobody but champions
    whole, bare = laddered(), directory()
    # then whoever has somebody beside them may; nobody else
    assert may_choose(whole, f"champion-{SENDER}")
    assert not may_choose(bare, f"champion-{SENDER}")
    assert not may_choose(whole, "operator")
    assert not may_choose(whole, "nobody-we-know")
