"""What the health pack's tests share: keys, the sandbox as a process, a hub's stand-in, parcels from the mapping."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hub_health_fhir.connector import BarsConnector, BarsSettings
from joserfc.jwk import KeySet, RSAKey

from hub.mapping import Mapping, load_mapping
from hub.sdk import DeliveryKind, Parcel
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess

SAMPLES = Path(__file__).parent / "samples"
MAPPING = Path(__file__).parents[1] / "hub_health_fhir" / "mappings" / "bars-servicerequest" / "1.0.0"


@pytest.fixture(scope="session")
def client_key() -> RSAKey:
    """The hub's key, as registered with the API platform."""
    return RSAKey.generate_key(2048, {"kid": "hub-1", "use": "sig"})


@pytest.fixture(scope="session")
def partner_key() -> RSAKey:
    """The partner's key, with which it proves itself to the hub."""
    return RSAKey.generate_key(2048, {"kid": "partner-1", "use": "sig"})


@pytest.fixture(scope="session")
def mapping() -> Mapping:
    """The pack's mapping."""
    return load_mapping(MAPPING, MAPPING.parent.parent / "codes")


@pytest.fixture(scope="session")
def mappings() -> Path:
    """The folder of the pack's mappings."""
    return MAPPING.parent.parent


@dataclass
class HubStandIn:
    """Receives the partner's answers on a real socket, as the hub's `$process-message` does."""

    url: str = ""
    status: int = 200
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    """A server in a thread: controls of the sandbox block, so the answer must be taken elsewhere."""
    stand_in = HubStandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            stand_in.received.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(stand_in.status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            stand_in.arrived.set()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_port}/fhir/R4/$process-message"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield stand_in
    server.shutdown()
    thread.join()
    server.server_close()


def write_settings(hub: HubStandIn, partner_key: RSAKey, folder: Path, **more: Any) -> dict[str, Any]:
    """Settings of a sandbox whose partner answers to this hub."""
    key_file = folder / "partner.pem"
    key_file.write_bytes(partner_key.as_pem(private=True))
    return {
        "callback_url": hub.url,
        "issuer": "county-treatment",
        "key_file": str(key_file),
        "alg": "RS512",
        "kid": "partner-1",
        "decide": "none",
        "slow_seconds": 0.3,
    } | more


@pytest.fixture
def sandbox(tmp_path: Path, client_key: RSAKey, partner_key: RSAKey, hub: HubStandIn) -> Iterator[SandboxProcess]:
    """The BaRS receiver as a process of its own, serving the publisher's own (invalid) capability statement."""
    jwks = KeySet([client_key]).as_dict(private=False)
    metadata = str(SAMPLES / "capabilitystatement.json")
    settings = write_settings(hub, partner_key, tmp_path, metadata_file=metadata)
    process = SandboxProcess("hub_health_fhir.sandbox", tmp_path, client_jwks=dict(jwks), settings=settings)
    with process:
        yield process


def make_connector(url: str, **more: Any) -> BarsConnector:
    """A connector for the sandbox at `url`."""
    values: dict[str, Any] = {
        "base_url": url,
        "token_url": f"{url}/oauth/token",
        "client_id": "hub-api-key",
        "key_id": "hub-1",
        "organisation_ods": "A1001",
        "organisation_name": "Riverside day centre",
        "software_system": "https://hub.example/Id/device-identifier",
        "software_id": "HUB-1",
        "software_name": "Trusted Person Hub",
        "software_version": "0.1.0",
        "use_context": "a1t1|referral|servicerequest-request|new",
    }
    return BarsConnector(BarsSettings.model_validate(values | more))


@pytest.fixture
def context(client_key: RSAKey) -> Callable[..., PlainContext]:
    """Makes a connector's context that holds the client's key."""

    def make(timeout: float = 10.0) -> PlainContext:
        return PlainContext(secrets={"private_key": client_key.as_pem(private=True).decode()}, timeout=timeout)

    return make


def view(name: str = "everything") -> dict[str, Any]:
    """One of the mapping's own cases, as what a mapping sees."""
    loaded: dict[str, Any] = json.loads((MAPPING / "cases" / f"{name}.in.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def parcel(mapping: Mapping) -> Callable[..., Parcel]:
    """Makes a parcel; `address` is the target, `case` one of the mapping's cases, `delivery_case` the share's own."""

    def make(
        address: str = "2000011147",
        case: str = "everything",
        attempt: int = 1,
        *,
        delivery_case: str = "",
        mapping: Mapping = mapping,
        **delivery: str,
    ) -> Parcel:
        seen = view(case)
        seen["delivery"] |= {"key": str(uuid.uuid4()), "case": delivery_case or str(uuid.uuid4())} | delivery
        seen["service"]["address"] = address
        return Parcel(
            token="t-1",
            kind=DeliveryKind(seen["delivery"]["kind"]),
            attempt=attempt,
            idempotency_key=seen["delivery"]["key"],
            case=seen["delivery"]["case"],
            body=mapping.run(seen),
            content_type=mapping.content_type,
            address=address,
            deadline=time.time() + 30,
        )

    return make


Reply = Callable[[bytes], bytes | None]


@asynccontextmanager
async def raw_server(reply: Reply) -> AsyncIterator[str]:
    """An intermediary on a real socket: reads one request, writes what `reply` makes of it (if anything), closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        await reader.readexactly(length)
        answer = reply(head)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http_reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Write an HTTP reply by hand; header names use underscores."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def mirrored(head: bytes) -> dict[str, str]:
    """Both ids as they stand in a request's head, to be echoed."""
    found = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    lower = {name.lower(): value for name, value in found.items()}
    return {"x_request_id": lower["x-request-id"], "x_correlation_id": lower["x-correlation-id"]}


@pytest.fixture
def bars() -> Callable[..., BarsConnector]:
    """Makes a connector for the sandbox at a URL; named settings replace the usual ones."""
    return make_connector


@pytest.fixture
def intermediary() -> Callable[[Reply], AbstractAsyncContextManager[str]]:
    """Starts a server that answers by hand."""
    return raw_server


@pytest.fixture
def reply() -> Callable[..., bytes]:
    """Writes an HTTP reply by hand."""
    return http_reply


@pytest.fixture
def echo() -> Callable[[bytes], dict[str, str]]:
    """Takes both ids out of a request's head."""
    return mirrored


@pytest.fixture
def samples() -> Path:
    """The publisher's own messages, byte for byte."""
    return SAMPLES


@pytest.fixture(scope="session")
def sandbox_once(tmp_path_factory: pytest.TempPathFactory, client_key: RSAKey) -> Iterator[SandboxProcess]:
    """One receiver for all tests that ask it for simulated errors only."""
    jwks = dict(KeySet([client_key]).as_dict(private=False))
    with SandboxProcess("hub_health_fhir.sandbox", tmp_path_factory.mktemp("bars"), client_jwks=jwks) as process:
        yield process


@pytest.fixture
def sandbox_open(tmp_path: Path) -> Iterator[SandboxProcess]:
    """A receiver that asks for no token, as the publisher's public sandbox."""
    with SandboxProcess("hub_health_fhir.sandbox", tmp_path) as process:
        yield process


@pytest.fixture
def settings_for() -> Callable[..., dict[str, Any]]:
    """Makes the settings of a sandbox whose partner answers to a hub."""
    return write_settings
