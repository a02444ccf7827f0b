"""Mutual TLS as the host makes it: without our certificate nobody answers, with it the look-up goes through."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hub_probation.connector import ResponsibleTeam
from hub_probation.sandbox import make

from hub.host.context import CallContext
from hub.sdk import Delivered, Level, RetryLater
from hub.sdk.http import GuardedClient, make_ssl_context
from hub.sdk.reach import SANDBOX_ADDRESSES, Reach, host_and_port
from hub.sdk.testing.ledger import Ledger
from hub.sdk.testing.process import free_port
from hub.sdk.testing.serve import Surroundings

pytestmark = pytest.mark.anyio

KEY = "a-key-made-for-this-test"


class Authority:
    """An authority made for one test, that signs a server's and a client's certificate."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._build("authority", self.key.public_key(), authority=True)

    def issue(self, name: str) -> tuple[str, str]:
        """Return a certificate and its key as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        plain = serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        return _pem(self._build(name, key.public_key(), authority=False)), pem.decode()

    def _build(self, name: str, key: ec.EllipticCurvePublicKey, *, authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if authority else self.certificate.subject
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(hours=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        own, parent = x509.SubjectKeyIdentifier.from_public_key(key), self.key.public_key()
        builder = builder.add_extension(own, critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(parent)
        return builder.add_extension(signer, critical=False).sign(self.key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def api(authority: Authority, tmp_path: Path) -> AsyncIterator[str]:
    """The API behind TLS that asks for a client's certificate."""
    certificate, key = authority.issue("localhost")
    (tmp_path / "server.pem").write_text(certificate + key, encoding="ascii")
    (tmp_path / "authority.pem").write_text(_pem(authority.certificate), encoding="ascii")
    port = free_port()
    url = f"https://localhost:{port}"
    config = uvicorn.Config(
        make(Surroundings(url, Ledger(), None, {"api_key": KEY})).app,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_level="critical",
        ssl_certfile=str(tmp_path / "server.pem"),
        ssl_keyfile=str(tmp_path / "server.pem"),
        ssl_ca_certs=str(tmp_path / "authority.pem"),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(server._serve)
        with anyio.fail_after(20):
            while not server.started:
                await anyio.lowlevel.checkpoint()
        yield url
        server.should_exit = True


async def checked(url: str, tls: ssl.SSLContext, connect: Callable[[str], ResponsibleTeam]) -> object:
    client = GuardedClient(Reach.to([host_and_port(url)], SANDBOX_ADDRESSES), tls)
    try:
        deadline = datetime.datetime.now(datetime.UTC).timestamp() + 20
        return await connect(url).check(CallContext(client, {"api_key": KEY}, deadline))
    finally:
        await client.aclose()


async def test_with_our_certificate_the_look_up_goes_through(
    api: str, authority: Authority, connect: Callable[[str], ResponsibleTeam]
) -> None:
    tls = make_ssl_context(*authority.issue("trusted-person-hub"), _pem(authority.certificate))
    assert await checked(api, tls, connect) == Delivered(level=Level.L0)


async def test_without_it_or_with_another_s_nobody_answers(
    api: str, authority: Authority, connect: Callable[[str], ResponsibleTeam]
) -> None:
    none = make_ssl_context("", "", _pem(authority.certificate))
    stranger = make_ssl_context(*Authority().issue("trusted-person-hub"), _pem(authority.certificate))
    for tls in (none, stranger):
        assert isinstance(await checked(api, tls, connect), RetryLater)
