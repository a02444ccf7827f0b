"""R45: every kind of mail the hub can send, byte by byte: no name, need, service or place in any part or header."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.domain.answer_note import ABOUT_ANSWER
from hub.domain.ring import RingKind
from hub.domain.route import Directory
from hub.notify import alert_words, digest_words, entry_words, operator_words, words
from hub.notify.composer import Composer
from hub.notify.mail import MailSettings, compose
from hub.services.before import SENT_ON
from hub.services.choose_mail import links_of
from hub.services.helped import THANKS
from hub.services.hold_entries import ENTRY_HELD
from hub.services.hold_share import HELD, NOT_SAFE
from hub.services.invite import MakeInvite, make_invite
from hub.services.now import SystemNow
from hub.services.nudge import NUDGE
from hub.services.override_rows import OVERRIDE_USED
from hub.services.remind_held import STILL_HELD
from hub.services.ring import AskToRing, Gap, ask_to_ring
from hub.services.tell import (
    DIGEST,
    INVITE,
    LAST_DIGEST,
    LOOK_TOGETHER,
    OPERATOR,
    OUTAGE_ENDED,
    RING_IN_PRIVATE,
    UNREADABLE,
    WRONG_TEAM,
    notice_row,
)
from hub.services.tell_absent import HANDOVER
from hub.services.who_hears import CONVENE
from hub.store.engine import open_engine, sqlite_url
from hub.store.read_digest import digest_context
from hub.store.read_state import notice_context
from tests.acceptance.canaries import Canaries
from tests.databases import migrated_file
from tests.laddering import Follow, laddered
from tests.scenery import CONNECTION, HOUSING, NOW, SENDER, TREATMENT, Scene, Store, story

pytestmark = pytest.mark.anyio
SETTINGS = MailSettings("mail.example", 587, "hub@hub.example", "hub.example")
PUBLIC = "https://hub.example"

#: Every topic of a mail that speaks of a share, and whom it goes to.
OF_A_SHARE = (
    *(f"alert.{kind}" for kind in ("unanswered", "undelivered")),
    *alert_words._TOLD,  # the very table they are made from
    *(NUDGE, HELD, STILL_HELD, NOT_SAFE, OVERRIDE_USED, CONVENE, SENT_ON, HANDOVER, LOOK_TOGETHER, RING_IN_PRIVATE),
    *("death", "heard_copy", ABOUT_ANSWER, "dead_lettered", "in_doubt", "alert.unsent", "webhook.gone", WRONG_TEAM),
)
OF_NO_SHARE = ("audit.unsealed", UNREADABLE, THANKS, "message_refused", "connection_held", ENTRY_HELD, LOOK_TOGETHER)
TO_A_TEAM = {THANKS, "heard_copy", ABOUT_ANSWER}
#: What of a mail may name its reader: where it goes, and nothing else.
ENVELOPE = {"To"}


@dataclass
class Written:
    """A mail as it travels, with all that stands in it, decoded."""

    topic: str
    raw: bytes
    message: EmailMessage

    def everything(self) -> Iterator[tuple[str, str]]:
        """Every header but the reader's address, and every part."""
        for name, value in self.message.items():
            if name not in ENVELOPE:
                yield name, str(value)
        for part in self.message.walk():
            if not part.is_multipart():
                yield part.get_content_type(), part.get_content()


class Elements(HTMLParser):
    """What an HTML mail is made of, and every address in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "background", "srcset"}]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def marked(of: Canaries) -> Directory:
    """A partnership of which every name, need, address and place is marked."""
    plain = laddered()
    services = {
        each.id: replace(
            each,
            name=of[f"name of {each.id}"],
            email=f"{each.id}@{of['mailbox']}.example",
            phone=of["phone"],
            area=of["area"],
            address=of["address"],
            owner=of["owner"],
            purposes=(*each.purposes, of["need"]),
            challenge=of["challenge"],
        )
        for each in plain.services.values()
    }
    partners = {
        each.id: replace(
            each,
            name=of[f"partner {each.id}"],
            lead=of["lead"],
            address=of["place"],
            champion=replace(each.champion, name=of["champion"]),
        )
        for each in plain.partners.values()
    }
    return replace(plain, partnership=of["partnership"], services=services, partners=partners)


@pytest.fixture
async def every_mail(tmp_path: Path) -> tuple[list[Written], Canaries, set[str]]:
    """One mail of each kind, made from real rows about a real share, and which words modules made them."""
    of = Canaries()
    scene, engine = Scene(tmp_path), open_engine(sqlite_url(migrated_file(tmp_path)))
    store = Store(engine)
    follow = Follow(scene, store, laddered())
    alert, delivery = follow.alert, store.only("deliveries")
    ids = {"share_id": delivery["share_id"], "delivery_id": delivery["id"], "alert_id": alert["id"]}
    wanted = MakeInvite(delivery["id"], delivery["share_id"], 0, "team@mailbox.example", NOW, timedelta(days=14))
    invited = store.run(lambda tx, items: make_invite(tx, items, vault=scene.vault), wanted)[0]
    for number, topic in enumerate(words._RINGS):
        asked = AskToRing(
            *(f"ring{number}", RingKind.PLEASE_RING_ME, SENDER, "day-centre-system", "a" * 64, "coordinator"),
            *(NOW, NOW, NOW, Gap(of["gap need"], of["gap area"]) if topic == "ring.gap" else None),
        )
        store.one(ask_to_ring, asked)
    rows = [notice_row("email", topic, _reader(topic), NOW, **ids) for topic in OF_A_SHARE]
    rows += [notice_row("email", topic, _reader(topic), NOW) for topic in OF_NO_SHARE]
    rows += [
        notice_row("email", topic, _reader(topic), NOW, connection_id=CONNECTION[HOUSING])
        for topic in ("connection_held", ENTRY_HELD)
    ]
    rows += [notice_row("email", t, "coordinator", NOW, ring_id=f"ring{n}") for n, t in enumerate(words._RINGS)]
    rows.append(notice_row("email", INVITE, f"invite:{invited.id}", NOW, **ids))
    rows += [notice_row("email", t, f"champion-{SENDER}", NOW) for t in (DIGEST, LAST_DIGEST, OUTAGE_ENDED)]
    rows += [notice_row("email", t, OPERATOR, NOW) for t in (DIGEST, OUTAGE_ENDED)]
    members = [
        notice_row("email", topic, row["recipient"], NOW, **ids) | {"digest_id": row["id"]}
        for row in rows[-5:]
        for topic in ("alert.undelivered", "alert.unanswered", "alert.early", "dead_lettered")
    ]
    store.one(lambda tx, items: [tx.insert("notices", list(each)) for each in items], [*rows, *members])
    store.one(lambda tx, items: [tx.hold(each, "login-refused", NOW) for each in items], CONNECTION[HOUSING])

    async def read(notice: Any) -> Any:
        return notice_context(engine, notice)

    async def digest(notice: Any) -> Any:
        return digest_context(engine, notice)

    links = links_of(laddered(), scene.vault, PUBLIC)
    assert f"champion-{SENDER}" in links
    fewer = links_of(laddered(), scene.vault, PUBLIC)
    assert f"champion-{SENDER}" in fewer
    composer = Composer(
        marked(of), scene.vault, PUBLIC, {}, read, SystemNow(), digest, lambda each: fewer.get(each, "")
    )
    written, made = await composed_by(composer, rows)
    engine.dispose()
    return written, of, made


async def composed_by(composer: Composer, rows: list[Any]) -> tuple[list[Written], set[str]]:
    """One mail of each notice, and the functions that had a part in it."""
    written: list[Written] = []
    made: set[str] = set()

    def watch(frame: Any, event: str, _arg: Any) -> None:
        if event == "return" and frame.f_globals.get("__name__", "").startswith("hub.notify."):
            made.add(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")

    sys.setprofile(watch)
    try:
        for row in rows:
            composed = await composer(row)
            assert composed.mail is not None, row["topic"]
            raw = compose(composed.mail, SETTINGS).as_bytes()
            message = message_from_bytes(raw, policy=SMTP)
            assert isinstance(message, EmailMessage)
            written.append(Written(row["topic"], raw, message))
    finally:
        sys.setprofile(None)
    return written, made


def _reader(topic: str) -> str:
    return f"service:{HOUSING}" if topic in TO_A_TEAM else f"champion-{SENDER}"


async def test_r45_no_mail_of_any_kind_names_anybody_a_need_a_service_or_a_place(every_mail: Any) -> None:
    # given one mail of each kind, about a share and a partnership in which all that may not be told is known
    mails, of, _ = every_mail
    assert len(of.by_place) >= 12
    untold = {
        *(*story(), *of.by_place.values(), HOUSING, TREATMENT, SENDER, "find-somewhere-to-live"),
        *("housing", "treatment", f"champion-{SENDER}", "day-centre-system", "deputy", "login-refused"),
    }

    # when each is read as it travels and part by part, headers and links included
    told = [
        (mail.topic, where, each)
        for mail in mails
        for where, said in mail.everything()
        for each in untold
        if each.lower() in said.lower()
    ]

    # then nothing of it is there
    assert told == []
    assert {mail.topic: places for mail in mails if (places := of.within(_without_address(mail)))} == {}


async def test_r45_no_words_of_mail_are_left_out_of_that(every_mail: Any) -> None:
    # given every function that makes the words of a mail
    *_, made = every_mail
    modules = (alert_words, digest_words, entry_words, operator_words, words)
    makers = {
        f"{module.__name__}.{name}"
        for module in modules
        for name, of in inspect.getmembers(module, inspect.isfunction)
        if of.__module__ == module.__name__ and "Words" in str(of.__annotations__.get("return", ""))
    }
    # then each had a part in the mails above
    assert makers - made == set()


async def test_r45_each_mail_is_text_and_html_of_the_same_words_and_fetches_nothing(every_mail: Any) -> None:
    for mail in every_mail[0]:
        # given both alternatives of a mail
        assert mail.message.get_content_type() == "multipart/alternative"
        plain, html = mail.message.get_body(("plain",)), mail.message.get_body(("html",))
        assert plain is not None
        assert html is not None
        seen = Elements(html.get_content())
        # then it is made of nothing that a mail program would have to fetch, run or guard against
        assert seen.tags <= {*("html", "head", "meta", "title", "style", "body", "table", "tr", "td"),
                             *("h1", "p", "a", "ul", "li", "code", "br")}, mail.topic  # fmt: skip
        assert not re.search(r"url\(|@import|https?://", re.sub(r"https://hub\.example/", "", html.get_content()))
        # and every address in it is the hub's own, and stands in the text too
        assert {urlsplit(each).netloc for each in seen.addresses} <= {"hub.example"}
        assert all(each in plain.get_content() for each in seen.addresses)
        # and every word of the text is in the HTML
        shown = " ".join("".join([*seen.text, *seen.addresses]).split())
        wanted = plain.get_content().replace("`", "").replace("- ", "").split("\n")
        assert [line for line in wanted if " ".join(line.split()) not in shown] == [], mail.topic


async def test_r45_headers_are_those_of_a_machine_and_tell_no_more(every_mail: Any) -> None:
    allowed = {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
        *("MIME-Version", "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post"),
    }
    ids = set()
    for mail in every_mail[0]:
        assert set(mail.message.keys()) <= allowed
        assert mail.message["Auto-Submitted"] == "auto-generated"
        assert str(mail.message["From"]) == "hub@hub.example"
        ids.add(str(mail.message["Message-ID"]))
        # RFC 5322: no line of a mail is longer than 998 bytes
        assert max(map(len, mail.raw.splitlines())) <= 998
    assert len(ids) == len(every_mail[0])
    # and whoever may ask for fewer can do so by one click, at an address that names nobody
    offered = [mail.message["List-Unsubscribe"] for mail in every_mail[0] if mail.message["List-Unsubscribe"]]
    assert offered
    assert all(re.fullmatch(r"<https://hub\.example/mail/[0-9a-zA-Z_-]{40}>", str(each)) for each in offered)
    assert {mail.message["List-Unsubscribe-Post"] for mail in every_mail[0] if mail.message["List-Unsubscribe"]} == {
        "List-Unsubscribe=One-Click"
    }


def _without_address(mail: Written) -> bytes:
    """A mail's bytes, without where it goes."""
    return b"\n".join(line for line in mail.raw.splitlines() if not line.startswith(b"To:"))
