"""Composing mails: the same message on every try, machine-made for all to see, to one reader only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP

import pytest

from hub.notify.mail import Mail, MailSettings, compose

CREATED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SETTINGS = MailSettings("mail.example", 587, "hub@hub.example", "hub.example", from_name="Trusted Person Hub")
LINK = "https://hub.example/alerts/" + "0192f3" * 14
MAIL = Mail("0192f3-77", "champion@borough.example", "No answer yet: K7M-4QX", f"It waits.\n\n{LINK}\n", CREATED)


def test_a_resend_is_the_same_message() -> None:
    # given one notice, when it is composed twice, then every byte is the same
    assert compose(MAIL, SETTINGS).as_bytes() == compose(MAIL, SETTINGS).as_bytes()
    assert compose(MAIL, SETTINGS)["Message-ID"] == "<0192f3-77@hub.example>"


def test_a_mail_is_text_and_html_marked_as_automatic_and_keeps_its_link_whole() -> None:
    # given a composed mail, when it is read as it travels, then headers are right and the link is on one line
    raw = compose(MAIL, SETTINGS).as_bytes()
    read = message_from_bytes(raw, policy=SMTP)
    assert read["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in read.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert read["From"] == "Trusted Person Hub <hub@hub.example>"
    assert LINK.encode() in raw.splitlines()


@pytest.mark.parametrize(
    "changed",
    [
        {"to": "one@a.example, two@b.example"},
        {"to": "Somebody <one@a.example>"},
        {"to": "one@a.example\r\nBcc: two@b.example"},
        {"to": "one"},
        {"to": "one@"},
        {"to": ""},
        {"to": "@a.example"},
        {"to": "one@a.example;two@b.example"},
        {"subject": "Hello\r\nBcc: two@b.example"},
        {"subject": "Hello\nthere"},
        {"notice_id": "a>b"},
        {"notice_id": "a@b"},
        {"notice_id": ""},
    ],
)
def test_nothing_can_be_smuggled_into_a_header(changed: dict[str, str]) -> None:
    # given a value that would change the headers, when the mail is composed, then it is refused
    with pytest.raises(ValueError, match=r"address|notice id|[Hh]eader|linefeed|newline"):
        compose(replace(MAIL, **changed), SETTINGS)


def test_a_password_never_goes_in_the_clear_nor_into_a_log() -> None:
    # given settings with a password, when TLS is off, then they are refused; otherwise repr does not show it
    with pytest.raises(ValueError, match="needs TLS"):
        replace(SETTINGS, tls="none", username="hub", password="canary-password")
    assert "canary-password" not in repr(replace(SETTINGS, username="hub", password="canary-password"))
