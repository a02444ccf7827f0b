"""The inviter through a real mail server and a real store: one link, kept as a hash, to an agreed mailbox alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hub.domain.answer import Level
from hub.domain.outcome import Delivered, Rejected, RetryLater
from hub.notify.inviter import Inviter
from hub.notify.mail import Mailer, MailSettings
from hub.services.invite import digest_of, make_invite, token_of
from hub.services.now import SystemNow
from hub.store.engine import open_engine, sqlite_url
from hub.store.writer import Writer
from tests.databases import migrated_file
from tests.scenery import HOUSING, Scene, Store

pytestmark = pytest.mark.anyio
TEAM = "duty@council.example"


class House:
    """A store with one claimed share in it, and an inviter that may write to one team."""

    def __init__(self, folder: Path, port: int) -> None:
        self.scene = Scene(folder)
        self.store = Store(open_engine(sqlite_url(migrated_file(folder))))
        self.store.accept(self.scene.acceptance(services=[HOUSING]))
        (self.claimed,) = self.store.claim()
        self.writer = Writer(self.store.engine)
        self.mailer = Mailer(MailSettings("127.0.0.1", port, "hub@hub.example", "hub.example", tls="none", timeout=5))
        self.invite = Inviter(
            partial(self.writer.run, partial(make_invite, vault=self.scene.vault)),
            self.mailer.send,
            self.scene.vault,
            "https://hub.example",
            SystemNow(),
            frozenset({TEAM}),
            timedelta(days=14),
            timedelta(seconds=20),
        )


@pytest.fixture
def house(tmp_path: Path, plain_post: Any) -> Iterator[House]:
    made = House(tmp_path, plain_post.port)
    made.writer.start()
    yield made
    made.writer.close()
    made.mailer.close()
    made.store.engine.dispose()


async def test_a_team_gets_one_link_however_often_it_is_sent(house: House, plain_post: Any) -> None:
    # given a delivery whose first e-mail went out, and whose outcome was lost
    assert await house.invite(house.claimed, TEAM) == Delivered(level=Level.L1)
    # when it is sent again
    assert await house.invite(house.claimed, TEAM) == Delivered(level=Level.L1)
    # then it is the same e-mail, to the same mailbox
    first, second = plain_post.mailbox.taken
    assert first.content == second.content
    assert first.rcpt_tos == [TEAM]
    # and the store knows the link by a keyed hash: what opens it stands nowhere
    row = house.store.only("invites")
    token = token_of(house.scene.vault, house.claimed.delivery_id, 0)
    assert row["token"] == digest_of(house.scene.vault, token)
    assert token not in str(house.store.all("invites") + house.store.all("audit_events"))
    assert f"https://hub.example/answer/{token}" in _text(first.content)
    assert row["expires_at"] - row["created_at"] == timedelta(days=14)
    assert [event["action"] for event in house.store.all("audit_events")].count("invite.made") == 1


async def test_r45_the_email_holds_nothing_of_anyone(house: House, plain_post: Any) -> None:
    # given, when
    await house.invite(house.claimed, TEAM)
    # then neither its headers nor its words name a person, a need, a service or a place
    raw = plain_post.mailbox.taken[0].content.decode().lower()
    share = house.scene.share
    said = [part.text for part in share.sections if part.text] + [share.trusted_person.name, share.person.reference]
    said += [str(value) for part in share.sections for value in (part.fields or {}).values() if len(str(value)) > 3]
    assert said
    assert [each for each in said if each.lower() in raw] == []
    assert HOUSING not in raw.replace(TEAM, "")
    assert house.claimed.delivery_id not in raw
    assert house.claimed.share_id not in raw


async def test_a_connector_cannot_have_a_link_sent_anywhere_else(house: House, plain_post: Any) -> None:
    # given a mailbox that the partnership did not write down, when a connector names it, then nothing goes or is made
    assert await house.invite(house.claimed, "me@elsewhere.example") == Rejected("mailbox-not-agreed")
    assert plain_post.mailbox.taken == []
    assert house.store.all("invites") == []


async def test_what_the_mail_server_says_is_the_outcome(house: House, plain_post: Any) -> None:
    # given a mailbox that is not there, when, then it is told as refused for good, so that somebody hears of it
    plain_post.mailbox.recipient_reply = "550 no such mailbox"
    assert await house.invite(house.claimed, TEAM) == Rejected("recipient-refused")
    # given one that is full for now, when, then it is tried again
    plain_post.mailbox.recipient_reply = "452 mailbox full"
    assert await house.invite(house.claimed, TEAM) == RetryLater("recipient-deferred")


def _text(content: bytes) -> str:
    read = message_from_bytes(content, policy=SMTP)
    assert datetime.now(UTC) - read["Date"].datetime < timedelta(minutes=5)
    return str(read.get_body(("plain",)).get_content())
