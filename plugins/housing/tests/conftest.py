"""A council as a real process, a hub that verifies its callbacks on a real port, and a connector between them."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from hub_housing.connector import CouncilSettings, DutyToRefer
from joserfc.jwk import ECKey, KeySet
from standardwebhooks import Webhook

from hub.sdk import CallbackRequest, DeliveryKind, Parcel
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess

SECRET = "whsec_" + base64.b64encode(b"a shared secret of some length").decode()
KEY = ECKey.generate_key("P-256", parameters={"kid": "hub-1"})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Hub:
    """Where callbacks arrive: what was signed by the council is kept, anything else is refused."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)  #: replied first, in this order; then 204
    arrived: Queue[CallbackRequest] = field(default_factory=Queue)
    tries: int = 0

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        self.tries += 1
        Webhook(SECRET).verify(body, headers, json_parse=False)
        if self.statuses:
            return self.statuses.pop(0)
        self.arrived.put(CallbackRequest(headers, body))
        return 204


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(hub.receive({name.lower(): value for name, value in self.headers.items()}, body))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}/v1/callbacks/city-housing"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def start_council(tmp_path: Path, hub: Hub) -> Iterator[Callable[..., SandboxProcess]]:
    """Start a council with some settings changed."""
    started: list[SandboxProcess] = []

    def start(**settings: Any) -> SandboxProcess:
        whole = {"callback_url": hub.url, "callback_secret": SECRET, "slow_seconds": 0.5} | settings
        jwks = KeySet([KEY]).as_dict(private=False)
        started.append(SandboxProcess("hub_housing.sandbox", tmp_path, client_jwks=jwks, settings=whole).start())
        return started[-1]

    yield start
    for council in started:
        if council.running:
            council.stop()


@pytest.fixture
def council(start_council: Callable[..., SandboxProcess]) -> SandboxProcess:
    return start_council()


@pytest.fixture
def connector(council: SandboxProcess) -> DutyToRefer:
    return connect(council.url)


@pytest.fixture
def connect_to() -> Callable[[str], DutyToRefer]:
    """Make a connector for a council at an address."""
    return connect


def connect(url: str) -> DutyToRefer:
    return DutyToRefer(CouncilSettings(base_url=url, token_url=f"{url}/oauth/token", client_id="hub", key_id="hub-1"))


@pytest.fixture
async def context() -> AsyncIterator[PlainContext]:
    async with PlainContext(secrets={"client_key": KEY.as_pem(private=True).decode()}) as context:
        yield context


@pytest.fixture
def make_parcel() -> Callable[..., Parcel]:
    """Make a parcel; its body is what the mapping makes of the fullest case."""
    folder = Path(__file__).parents[1] / "hub_housing/mappings/duty-to-refer/1.0.0/cases"

    def make(case: str = "everything-agreed", *, key: str = "", body: bytes | None = None) -> Parcel:
        return Parcel(
            token="t-1",
            kind=DeliveryKind.SHARE,
            attempt=1,
            idempotency_key=key or str(uuid.uuid4()),
            case=str(uuid.uuid4()),
            body=(folder / f"{case}.out.json").read_bytes() if body is None else body,
            content_type="application/json",
            address="housing-options",
            deadline=0.0,
        )

    return make
