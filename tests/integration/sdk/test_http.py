"""The guarded client over real sockets: what it refuses, when it says that a parcel left, and what a reply may cost."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import unicodedata
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.courier.lending import Lender
from hub.host.borrowing import Borrower
from hub.host.wire import Configure
from hub.sdk.connector import NoReply, NotSent
from hub.sdk.http import GuardedClient, make_ssl_context
from hub.sdk.reach import SANDBOX_ADDRESSES, Reach

pytestmark = pytest.mark.anyio


class Starts:
    """Counts how often the client said that a parcel is about to leave, and what had arrived by then."""

    def __init__(self, partner=None) -> None:
        self.count, self.arrived_before, self.partner = 0, None, partner

    async def __call__(self) -> None:
        self.count += 1
        self.arrived_before = len(self.partner.requests) if self.partner else None


@pytest.fixture(params=["itself", "lent"])
async def made(request) -> AsyncIterator[Callable[..., GuardedClient]]:
    """The maker of clients that connect by themselves, and of those that the hub lends connections to."""
    closing = []

    def make(reach: Reach, tls: ssl.SSLContext | None = None) -> GuardedClient:
        if request.param == "itself":
            return GuardedClient(reach, tls)
        asked, asking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        networks = tuple(map(str, reach.allow_addresses))
        told = Configure("c", "c", "p", "d", {}, {}, hosts=tuple(reach.hosts), allow_addresses=networks)
        closing.extend([borrower := Borrower(asking), Lender(told, asked)])
        return GuardedClient(reach, tls, borrower)

    yield make
    for each in closing:
        each.close()


@pytest.fixture
async def client(partner, made) -> AsyncIterator[GuardedClient]:
    reach = Reach.to([f"127.0.0.1:{partner.port}"], SANDBOX_ADDRESSES, reply_bytes=10_000, deadline_seconds=5)
    client = made(reach)
    yield client
    await client.aclose()


def cheats(port: int) -> list[str]:
    return [
        f"http://127.0.0.1:{port}/", f"http://localhost:{port}/", f"http://localhost.:{port}/", f"http://LOCALHOST:{port}/",
        f"http://127.1:{port}/", f"http://127.0.1:{port}/", f"http://0x7f000001:{port}/", f"http://0x7f.0.0.1:{port}/",
        f"http://2130706433:{port}/", f"http://017700000001:{port}/", f"http://0177.0.0.1:{port}/",
        f"http://0.0.0.0:{port}/", f"http://0:{port}/", f"http://[::1]:{port}/", f"http://[::]:{port}/",
        f"http://[::ffff:127.0.0.1]:{port}/", f"http://[::ffff:7f00:1]:{port}/", f"http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
        f"http://[::127.0.0.1]:{port}/", f"http://[64:ff9b::7f00:1]:{port}/", f"http://[2002:7f00:1::]:{port}/",
        f"http://127.0.0.2:{port}/", f"http://127.127.127.127:{port}/", f"http://①②⑦.0.0.1:{port}/",
        f"http://127。0。0。1:{port}/", f"http://ip6-localhost:{port}/", f"https://127.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://192.168.0.1/", "http://100.100.100.200/",
        f"http://user:pass@127.0.0.1:{port}/", f"http://good.example@127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}\\@good.example/", f"http://good.example#@127.0.0.1:{port}/", "file:///etc/passwd",
        "gopher://127.0.0.1/", "ftp://127.0.0.1/", "unix:///run/docker.sock", "//127.0.0.1/", "", "http://",
    ]  # fmt: skip


async def test_th17_no_spelling_of_an_inner_address_gets_through(partner, made) -> None:
    """TH17: the cheat list, with every host on the connection's list so that the address check stands alone."""
    # given a connection whose host list holds every host of the cheat list, and no inner network
    urls = cheats(partner.port)
    hosts = set()
    for url in urls:
        host = url.partition("://")[2].rpartition("@")[2].split("/")[0]
        hosts.add(unicodedata.normalize("NFKC", host).replace("\u3002", "."))
    hosts = {h for h in hosts if "#" not in h and "\\" not in h} | {"127.0.0.1", "good.example"}
    client, starts = made(Reach.to(hosts, deadline_seconds=5)), Starts()
    # when each is tried
    reasons = {}
    for url in urls:
        with pytest.raises(NotSent) as caught:
            await client.send("POST", url, content=b"a person's story", on_start=starts)
        reasons[url] = caught.value.reason
    await client.aclose()
    # then nothing was connected, nothing was said to have left, and most fell to the address check itself
    assert len(urls) >= 40
    assert (partner.connections, starts.count) == (0, 0)
    assert set(reasons.values()) <= {"address-refused", "host-refused", "bad-url", "connection"}
    assert reasons[f"http://127.0.0.1:{partner.port}/"] == "address-refused"
    assert reasons[f"http://localhost:{partner.port}/"] == "address-refused"
    assert reasons["http://169.254.169.254/latest/meta-data/"] == "address-refused"
    assert sum(reason == "address-refused" for reason in reasons.values()) >= 15


async def test_th17_a_redirect_is_handed_back_and_never_followed(partner, client) -> None:
    # given a partner that redirects to itself under another name
    async def redirect(_reader, writer):
        writer.write(b"HTTP/1.1 307 Gone elsewhere\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")

    partner.script = redirect
    # when a parcel is posted
    response = await client.send("POST", partner.url, content=b"x")
    # then the connector sees the 307 and only one request was made
    assert response.status == 307
    assert len(partner.requests) == 1


async def test_a_reply_comes_back_whole(partner, client) -> None:
    starts = Starts(partner)
    response = await client.send("POST", partner.url, headers={"x-a": "b"}, content=b"parcel", on_start=starts)
    assert (response.status, response.body, response.headers["x-id"]) == (200, b"ok", "7")
    assert partner.requests[0].endswith(b"\r\n\r\nparcel")
    assert (starts.count, starts.arrived_before) == (1, 0)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{other}/", "http://localhost:{port}/", "https://example.com/"])
async def test_a_host_that_is_not_on_the_list_is_refused(partner, client, url: str) -> None:
    with pytest.raises(NotSent, match="host-refused"):
        await client.send("GET", url.format(port=partner.port, other=partner.port + 1))
    assert partner.connections == 0


async def test_a_refused_port_is_not_sent_and_not_started(client, partner, unused_port) -> None:
    # given a host where nobody listens
    dead = GuardedClient(Reach.to(["127.0.0.1"], SANDBOX_ADDRESSES))
    starts = Starts()
    # when a parcel is posted there
    with pytest.raises(NotSent, match="connection"):
        await dead.send("POST", f"http://127.0.0.1:{unused_port}/", content=b"x", on_start=starts)
    await dead.aclose()
    # then nobody was told that it left
    assert starts.count == 0


async def test_a_partner_that_dies_after_reading_leaves_a_doubt(client, partner) -> None:
    # given a partner that takes the request and drops the connection
    async def die(_reader, writer):
        writer.transport.abort()

    partner.script = die
    starts = Starts(partner)
    # when a parcel is posted
    with pytest.raises(NoReply, match="connection"):
        await client.send("POST", partner.url, content=b"x", on_start=starts)
    # then it was said to have left before it did, and it was sent once
    assert (starts.count, starts.arrived_before, len(partner.requests)) == (1, 0, 1)


async def test_a_put_on_a_pooled_connection_that_drops_is_not_repeated(client, partner) -> None:
    # given a pooled connection whose partner dies at the second request
    await client.send("PUT", partner.url, content=b"1")

    async def die(_reader, writer):
        writer.transport.abort()

    partner.script = die
    # when a second PUT goes over it
    with pytest.raises(NoReply):
        await client.send("PUT", partner.url, content=b"2")
    # then the client did not send it again by itself, on this connection or another
    assert (len(partner.requests), partner.connections) == (2, 1)


async def test_requests_share_connections_and_no_cookies(client, partner) -> None:
    async def cookie(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")

    partner.script = cookie
    for _ in range(3):
        await client.send("POST", partner.url, content=b"x")
    assert partner.connections == 1
    assert not any(b"\r\ncookie:" in request.lower() for request in partner.requests)


async def test_one_deadline_covers_a_reply_that_drips(client, partner) -> None:
    # given a partner that sends a byte at a time and never ends
    async def drip(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
        while not writer.transport.is_closing():
            writer.write(b".")
            await asyncio.sleep(0.02)

    partner.script = drip
    # when the request may take 0.3 seconds, then it ends there
    before = asyncio.get_running_loop().time()
    with pytest.raises(NoReply, match="deadline"):
        await client.send("POST", partner.url, content=b"x", seconds=0.3)
    assert asyncio.get_running_loop().time() - before < 2
    await asyncio.wait_for(partner.ended.wait(), 5)


async def test_a_deadline_that_has_passed_sends_nothing(client, partner) -> None:
    with pytest.raises(NotSent, match="deadline-passed"):
        await client.send("POST", partner.url, content=b"x", seconds=-1)
    assert partner.connections == 0


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (b"Content-Length: 20000", b"x" * 20_000, "reply-too-large"),
        (b"Content-Encoding: gzip", gzip.compress(b"0" * 50_000_000, mtime=0), "reply-too-large"),
        (b"Content-Encoding: gzip", gzip.compress(b"fine", mtime=0)[:-9], "encoding-broken"),
        (b"Content-Encoding: gzip", b"not gzip at all", "encoding-broken"),
        (b"Content-Encoding: br", b"x", "encoding-refused"),
        (b"Content-Encoding: gzip, gzip", b"x", "encoding-refused"),
    ],
)
async def test_a_reply_that_would_cost_too_much_is_cut_off(client, partner, head, body, reason) -> None:
    """TH18: the cap counts unpacked bytes."""

    async def reply(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    partner.script = reply
    with pytest.raises(NoReply, match=reason):
        await client.send("POST", partner.url, content=b"x")


async def test_a_packed_reply_is_unpacked(client, partner) -> None:
    packed = gzip.compress(b"hello" * 100)

    async def reply(_reader, writer):
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        writer.write(head.encode() + packed)

    partner.script = reply
    response = await client.send("GET", partner.url)
    assert response.body == b"hello" * 100
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("junk", [b"\x00\x01\x02 not http\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"])
async def test_a_reply_that_is_not_http_is_no_reply(client, partner, junk: bytes) -> None:
    async def reply(_reader, writer):
        writer.write(junk)
        writer.close()

    partner.script = reply
    with pytest.raises(NoReply):
        await client.send("POST", partner.url, content=b"x")


async def test_a_parcel_over_the_limit_and_a_header_with_a_line_break_are_not_sent(partner) -> None:
    client = GuardedClient(Reach.to(["127.0.0.1"], SANDBOX_ADDRESSES, body_bytes=10))
    with pytest.raises(NotSent, match="body-too-large"):
        await client.send("POST", partner.url, content=b"x" * 11)
    with pytest.raises((NotSent, NoReply)):
        await client.send("POST", partner.url, content=b"x", headers={"x-a": "b\r\nX-Evil: 1"})
    await client.aclose()
    assert not any(b"Evil" in request for request in partner.requests)


async def test_proxies_of_the_environment_are_ignored(partner, client, monkeypatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    fresh = GuardedClient(Reach.to(["127.0.0.1"], SANDBOX_ADDRESSES))
    assert (await fresh.send("GET", partner.url)).status == 200
    await fresh.aclose()


def authority(folder: Path) -> tuple[str, str, Path, Path]:
    """Make a self-signed certificate for 127.0.0.1 that serves as server, client and authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    (folder / "c.pem").write_text(pem)
    (folder / "k.pem").write_text(private)
    return pem, private, folder / "c.pem", folder / "k.pem"


async def test_mutual_tls_works_and_an_unknown_authority_is_not_sent(tmp_path, made) -> None:
    # given a partner that asks for a client certificate
    pem, private, certificate_file, key_file = authority(tmp_path)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=pem)
    served.load_cert_chain(certificate_file, key_file)
    served.verify_mode = ssl.CERT_REQUIRED
    names = []

    async def serve(reader, writer):
        names.append(writer.get_extra_info("peercert")["subject"])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=served)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    reach = Reach.to(["127.0.0.1"], SANDBOX_ADDRESSES)
    ours, stranger = made(reach, make_ssl_context(pem, private, pem)), made(reach)
    # when our client calls, and one that does not know the authority
    assert (await ours.send("GET", url)).status == 200
    starts = Starts()
    with pytest.raises(NotSent):
        await stranger.send("POST", url, content=b"x", on_start=starts)
    # then ours showed its certificate and the other sent nothing
    assert names == [((("commonName", "partner"),),)]
    assert starts.count == 0
    await ours.aclose()
    await stranger.aclose()
    server.close()
