# ruff: noqa: ARG002 - the library hands every handler the same arguments
"""A real SMTP server and a certificate for this machine, for the notify tests."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Mailbox:
    """What the server took, and how it should behave towards the next mails."""

    taken: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)
    recipient_reply: str = ""
    data_reply: str = ""
    refused: set[str] = field(default_factory=set)
    hang_up: bool = False

    async def handle_RCPT(  # noqa: N802 - the library's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, or answer as told."""
        if self.recipient_reply or address in self.refused:
            return self.recipient_reply or "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail, hang up after it, or answer as told."""
        if self.data_reply:
            return self.data_reply
        self.taken.append(envelope)
        self.encrypted.append(session.ssl is not None)
        self.sessions.append(id(session))
        if self.hang_up:
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """Accept one password only."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        right = data.password == b"canary-password"
        return AuthResult(success=right, handled=right)  # the library answers for what is not handled


@dataclass(frozen=True)
class Post:
    """A running SMTP server."""

    port: int
    mailbox: Mailbox
    controller: Controller


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1 and its server context."""

    pem: str
    server: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate that only whoever is given its PEM trusts."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    made = builder.sign(key, hashes.SHA256())
    pem = made.public_bytes(Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return Certificate(pem.decode(), server)


def _run(controller: Controller, mailbox: Mailbox) -> Iterator[Post]:
    controller.start()
    assert controller.server is not None
    yield Post(controller.server.sockets[0].getsockname()[1], mailbox, controller)
    if controller.server is not None:
        controller.stop()


class _AnyPort(Controller):
    """A controller that can take whichever port is free: the library connects to the port it was told."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def plain_post() -> Iterator[Post]:
    """A server without TLS."""
    mailbox = Mailbox()
    yield from _run(_AnyPort(mailbox, hostname="127.0.0.1", port=0), mailbox)


@pytest.fixture
def starttls_post(certificate: Certificate) -> Iterator[Post]:
    """A server that wants STARTTLS and a password."""
    mailbox = Mailbox()
    controller = _AnyPort(
        mailbox,
        hostname="127.0.0.1",
        port=0,
        tls_context=certificate.server,
        require_starttls=True,
        authenticator=mailbox.authenticate,
        auth_required=True,
    )
    yield from _run(controller, mailbox)


@pytest.fixture
def tls_post(certificate: Certificate) -> Iterator[Post]:
    """A server that speaks TLS from the first byte."""
    mailbox = Mailbox()
    controller = _AnyPort(mailbox, hostname="127.0.0.1", port=0, ssl_context=certificate.server)
    yield from _run(controller, mailbox)
