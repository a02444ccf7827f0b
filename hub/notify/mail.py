"""Sending email by SMTP: text and HTML, one connection kept open, the same message on every try of one notice."""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Literal

from hub.domain.outcome import RetryLater
from hub.notify.html import html_of
from hub.notify.outcome import Refused, Sent

MailOutcome = Sent | RetryLater | Refused

_POLICY: Final = SMTP.clone(max_line_length=200)
_NOTICE_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_HEADER_LINK: Final = re.compile(r"https?://[!-;=?-~]{1,400}")

#: What stands before the link to that choice.
FEWER: Final = "To get one email a day in place of most of these, or to go back to all:"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where and how to send; raises `ValueError` on a password that would travel in the clear.

    `domain` is the hub's own, for Message-IDs and the greeting; `authorities` is PEM text for a private authority, or
    empty for the usual ones; `timeout` is seconds for each step of the conversation.
    """

    host: str
    port: int
    from_address: str
    domain: str
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    from_name: str = ""
    authorities: str = ""
    timeout: float = 20.0

    def __post_init__(self) -> None:
        if self.username and self.tls == "none":
            raise ValueError("a password needs TLS: set tls to starttls or tls")
        _address(self.from_address)


@dataclass(frozen=True, slots=True)
class Mail:
    """One notice to one reader; `notice_id` and `created` are the notice's own, so that a re-send is the same mail.

    `fewer` is the address where the reader chooses one mail a day, or empty where they have no such choice.
    """

    notice_id: str
    to: str
    subject: str
    text: str
    created: datetime
    fewer: str = ""


class Mailer:
    """Sends mails one after another over one connection, in a thread of its own; `close` it when done."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
        self._connection: smtplib.SMTP | None = None
        self._tls = _context(settings)

    async def send(self, mail: Mail) -> MailOutcome:
        """Send one mail, and say what became of it; never raises for anything that the server or the mail does."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._send, mail)

    def close(self) -> None:
        """Say goodbye to the server, and stop the thread."""
        self._thread.submit(self._hang_up).result()
        self._thread.shutdown()

    def _send(self, mail: Mail) -> MailOutcome:
        try:
            message = compose(mail, self._settings)
        except ValueError:
            return Refused("mail-malformed")
        try:
            self._connected().send_message(message, self._settings.from_address, [mail.to])
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            # After any failure the conversation's state is unknown: begin a new one next time.
            self._drop()
            return _outcome(error)
        return Sent()

    def _connected(self) -> smtplib.SMTP:
        """The kept connection if it still answers, otherwise a new one."""
        if self._connection is not None:
            try:
                if self._connection.noop()[0] == 250:
                    return self._connection
            except (smtplib.SMTPException, OSError):
                pass
            self._drop()
        self._connection = self._connect()
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        chosen = self._settings
        connection: smtplib.SMTP
        if chosen.tls == "tls":
            connection = smtplib.SMTP_SSL(
                chosen.host, chosen.port, chosen.domain, timeout=chosen.timeout, context=self._tls
            )
        else:
            connection = smtplib.SMTP(chosen.host, chosen.port, chosen.domain, timeout=chosen.timeout)
        try:
            if chosen.tls == "starttls":
                connection.starttls(context=self._tls)
            if chosen.username:
                connection.login(chosen.username, chosen.password)
        except (smtplib.SMTPException, OSError):
            connection.close()
            raise
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _hang_up(self) -> None:
        if self._connection is not None:
            try:
                self._connection.quit()
            except (smtplib.SMTPException, OSError):
                self._connection.close()
            self._connection = None


def compose(mail: Mail, settings: MailSettings) -> EmailMessage:
    """The message as it travels, the same on every try; raises `ValueError` on an address or header that is not one."""
    if not _NOTICE_ID.fullmatch(mail.notice_id):
        raise ValueError("a notice id is letters, digits and hyphens")
    message = EmailMessage(_POLICY)
    message["From"] = _address(settings.from_address, settings.from_name)
    message["To"] = _address(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created)
    message["Message-ID"] = f"<{mail.notice_id}@{settings.domain}>"
    # RFC 3834: no holiday replies, and no replies to them.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if mail.fewer:
        if not _HEADER_LINK.fullmatch(mail.fewer):
            raise ValueError("a link in a header is one http or https address")
        message["List-Unsubscribe"] = f"<{mail.fewer}>"  # RFC 2369
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    text = mail.text if not mail.fewer else f"{mail.text}\n{FEWER}\n{mail.fewer}\n"
    message.set_content(text, cte="quoted-printable" if not text.isascii() else "7bit")
    message.add_alternative(html_of(mail.subject, text), subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{mail.notice_id}")  # else every try would be another message
    return message


def _address(spec: str, name: str = "") -> Address:
    """Exactly one address; a list, a name or a line break in it is a `ValueError`."""
    try:
        address = Address(display_name=name, addr_spec=spec)
    except (HeaderParseError, IndexError, ValueError) as error:
        raise ValueError("not one email address") from error
    if address.addr_spec != spec or not address.domain or not spec.isprintable():
        raise ValueError("not one email address")
    return address


def _context(settings: MailSettings) -> ssl.SSLContext | None:
    if settings.tls == "none":
        return None
    context = ssl.create_default_context(cadata=settings.authorities or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


#: What a failure is called, first fit first; each is tried again, because none of them is the server's "never".
_PASSING: Final[tuple[tuple[type[Exception], str], ...]] = (
    (smtplib.SMTPAuthenticationError, "login-refused"),
    (smtplib.SMTPSenderRefused, "sender-refused"),
    (smtplib.SMTPServerDisconnected, "connection-lost"),
    # No STARTTLS where it is asked for (never fall back to the clear), or no login, or no UTF-8 addresses.
    (smtplib.SMTPNotSupportedError, "not-offered"),
    (smtplib.SMTPException, "server-refused"),
    (ssl.SSLError, "tls-failed"),
    (TimeoutError, "timed-out"),
    (OSError, "unreachable"),
)


def _outcome(error: Exception) -> MailOutcome:
    """Sort a failure by what can be done: only the server's own "never" to this mail or reader is final."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return Refused("recipient-refused") if min(codes, default=0) >= 500 else RetryLater("recipient-deferred")
    if isinstance(error, smtplib.SMTPDataError):
        return Refused("message-refused") if error.smtp_code >= 500 else RetryLater("message-deferred")
    if isinstance(error, UnicodeError):
        return Refused("address-unsupported")
    if isinstance(error.__context__, TimeoutError):
        # smtplib reports a silence as a lost connection, and keeps what it was as the context.
        return RetryLater("timed-out")
    return RetryLater(next(reason for kind, reason in _PASSING if isinstance(error, kind)))
