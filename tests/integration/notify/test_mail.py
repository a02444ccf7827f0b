"""Mails through real SMTP conversations: encrypted, one connection, the same message again, outcomes by value."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from hub.domain.outcome import RetryLater
from hub.notify.mail import Mail, Mailer, MailSettings
from hub.notify.outcome import Refused, Sent
from hub.notify.words import alert

pytestmark = pytest.mark.anyio

WORDS = alert("no_answer", "K7M-4QX", timedelta(hours=50), "https://hub.example/alerts/0192f3")
CREATED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MAIL = Mail("0192f3-77", "champion@borough.example", WORDS.subject, WORDS.text, CREATED)
SETTINGS = MailSettings("127.0.0.1", 0, "hub@hub.example", "hub.example", tls="none", timeout=5)

MakeMailer = Callable[..., Mailer]


@pytest.fixture
def mailer() -> Iterator[MakeMailer]:
    """Makes mailers, and closes them."""
    made: list[Mailer] = []

    def make(**changed: Any) -> Mailer:
        made.append(Mailer(replace(SETTINGS, **changed)))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def test_a_mail_arrives_over_starttls_after_a_login(
    starttls_post: Any, certificate: Any, mailer: MakeMailer
) -> None:
    # given a server that wants STARTTLS and a password
    post = mailer(
        port=starttls_post.port,
        tls="starttls",
        username="hub",
        password="canary-password",
        authorities=certificate.pem,
    )
    # when a mail is sent, then the server took exactly it, encrypted, from the one login
    assert await post.send(MAIL) == Sent()
    box = starttls_post.mailbox
    assert (box.encrypted, box.logins) == ([True], ["hub"])
    assert (box.taken[0].mail_from, box.taken[0].rcpt_tos) == ("hub@hub.example", [MAIL.to])
    read = message_from_bytes(box.taken[0].content, policy=SMTP)
    assert read["Message-ID"] == "<0192f3-77@hub.example>"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read.get_body(("plain",)).get_content().replace("\r\n", "\n") == WORDS.text


async def test_a_mail_arrives_over_tls_from_the_first_byte(tls_post: Any, certificate: Any, mailer: MakeMailer) -> None:
    # given a server with TLS at once, when a mail is sent, then it is there
    assert await mailer(port=tls_post.port, tls="tls", authorities=certificate.pem).send(MAIL) == Sent()
    assert len(tls_post.mailbox.taken) == 1


async def test_a_certificate_nobody_vouches_for_gets_no_mail_and_no_password(
    starttls_post: Any, mailer: MakeMailer
) -> None:
    # given a server whose certificate is not trusted, when a mail is sent, then it waits, and nothing was said
    stranger = mailer(port=starttls_post.port, tls="starttls", username="hub", password="canary-password")
    assert await stranger.send(MAIL) == RetryLater("tls-failed")
    assert (starttls_post.mailbox.taken, starttls_post.mailbox.logins) == ([], [])


async def test_a_server_without_starttls_gets_nothing_in_the_clear(plain_post: Any, mailer: MakeMailer) -> None:
    # given settings that ask for STARTTLS and a server without it, when a mail is sent, then it waits
    assert await mailer(port=plain_post.port, tls="starttls").send(MAIL) == RetryLater("not-offered")
    assert plain_post.mailbox.taken == []


async def test_a_wrong_password_waits_for_the_operator(
    starttls_post: Any, certificate: Any, mailer: MakeMailer
) -> None:
    # given a wrong password, when a mail is sent, then it waits: the mail itself is not at fault
    wrong = mailer(port=starttls_post.port, tls="starttls", username="hub", password="old", authorities=certificate.pem)
    assert await wrong.send(MAIL) == RetryLater("login-refused")


async def test_many_mails_share_one_connection_and_a_resend_is_the_same(plain_post: Any, mailer: MakeMailer) -> None:
    # given one mailer, when several mails and a re-send go out, then one session carried them all
    post = mailer(port=plain_post.port)
    for notice in ("a-1", "a-2", "a-1"):
        assert await post.send(replace(MAIL, notice_id=notice)) == Sent()
    box = plain_post.mailbox
    assert len(set(box.sessions)) == 1
    assert box.taken[0].content == box.taken[2].content
    assert box.taken[0].content != box.taken[1].content


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"recipient_reply": "550 No such mailbox"}, Refused("recipient-refused")),
        ({"recipient_reply": "450 Try later"}, RetryLater("recipient-deferred")),
        ({"data_reply": "554 Not wanted"}, Refused("message-refused")),
        ({"data_reply": "451 Try later"}, RetryLater("message-deferred")),
    ],
)
async def test_the_servers_no_and_not_now_are_told_apart(
    plain_post: Any, mailer: MakeMailer, changed: dict[str, str], outcome: Refused | RetryLater
) -> None:
    # given a server that answers so, when a mail is sent, then the outcome says whether to try again
    post = mailer(port=plain_post.port)
    for name, value in changed.items():
        setattr(plain_post.mailbox, name, value)
    assert await post.send(MAIL) == outcome
    # and the next mail is not spoilt by it
    for name in changed:
        setattr(plain_post.mailbox, name, "")
    assert await post.send(MAIL) == Sent()


async def test_a_connection_lost_after_the_mail_is_tried_again_as_the_same_mail(
    plain_post: Any, mailer: MakeMailer
) -> None:
    # given a server that takes the mail and hangs up before saying so
    post = mailer(port=plain_post.port)
    plain_post.mailbox.hang_up = True
    assert await post.send(MAIL) == RetryLater("connection-lost")
    # when it is sent again, then the reader's system sees one message id twice
    plain_post.mailbox.hang_up = False
    assert await post.send(MAIL) == Sent()
    first, second = plain_post.mailbox.taken
    assert first.content == second.content


async def test_a_kept_connection_that_died_is_replaced(plain_post: Any, mailer: MakeMailer) -> None:
    # given a mailer whose server was restarted on the same port
    post = mailer(port=plain_post.port)
    assert await post.send(MAIL) == Sent()
    plain_post.controller.stop()
    restarted = Controller(plain_post.mailbox, hostname="127.0.0.1", port=plain_post.port)
    restarted.start()
    # when it sends again, then the mail goes at the first try
    try:
        assert await post.send(MAIL) == Sent()
    finally:
        restarted.stop()
    assert len(set(plain_post.mailbox.sessions)) == 2


async def test_nobody_there_and_nobody_speaking_both_wait(mailer: MakeMailer) -> None:
    # given a port nobody listens on, and one where nobody ever speaks
    with closing(socket.socket()) as free, closing(socket.socket()) as silent:
        free.bind(("127.0.0.1", 0))
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        # when a mail is sent, then it waits, and never longer than the timeout
        assert await mailer(port=free.getsockname()[1]).send(MAIL) == RetryLater("unreachable")
        assert await mailer(port=silent.getsockname()[1], timeout=0.3).send(MAIL) == RetryLater("timed-out")


async def test_a_mail_that_is_not_one_is_refused_before_anybody_is_called(mailer: MakeMailer) -> None:
    # given two addresses in one, when it is sent, then it is refused without a connection
    post = mailer(port=1)
    assert await post.send(replace(MAIL, to="one@a.example, two@b.example")) == Refused("mail-malformed")
