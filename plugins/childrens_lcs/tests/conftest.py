"""A council's children's system as a real process, a door that verifies its callbacks, and connectors between them."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from hub_childrens_lcs.connector import AllocatedWorker, FrontDoor, LcsSettings, TrustedRelationships
from joserfc.jwk import ECKey, KeySet
from standardwebhooks import Webhook

from hub.sdk import CallbackRequest, DeliveryKind, Parcel
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess

SECRET = "whsec_" + base64.b64encode(b"a shared secret of some length").decode()
KEY = ECKey.generate_key("P-256", parameters={"kid": "hub-1"})
MAPPINGS = Path(__file__).parents[1] / "hub_childrens_lcs/mappings"
CONNECTORS = {
    "front-door": FrontDoor,
    "allocated-worker": AllocatedWorker,
    "trusted-relationships": TrustedRelationships,
}
CASES = {
    "front-door": "lcs-contact/1.0.0/cases/everything-agreed",
    "allocated-worker": "lcs-contact/1.0.0/cases/an-open-child",
    "trusted-relationships": "lcs-panel-referral/1.0.0/cases/everything-in-order",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def hub() -> Iterator[tuple[str, Queue[CallbackRequest]]]:
    """Where callbacks arrive: what the council signed is kept, anything else is an error."""
    arrived: Queue[CallbackRequest] = Queue()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            Webhook(SECRET).verify(body, headers, json_parse=False)
            arrived.put(CallbackRequest(headers, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/callbacks/front-door", arrived
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def start_council(tmp_path: Path, hub: tuple[str, Any]) -> Iterator[Callable[..., SandboxProcess]]:
    """Start a children's system with some settings changed."""
    started: list[SandboxProcess] = []

    def start(**settings: Any) -> SandboxProcess:
        whole = {"callback_url": hub[0], "callback_secret": SECRET, "slow_seconds": 0.5} | settings
        jwks = KeySet([KEY]).as_dict(private=False)
        started.append(SandboxProcess("hub_childrens_lcs.sandbox", tmp_path, client_jwks=jwks, settings=whole).start())
        return started[-1]

    yield start
    for council in started:
        if council.running:
            council.stop()


@pytest.fixture
def council(start_council: Callable[..., SandboxProcess]) -> SandboxProcess:
    return start_council()


@pytest.fixture
def connect() -> Callable[..., FrontDoor]:
    """Make a connector for a council at an address."""

    def make(url: str, name: str = "front-door") -> FrontDoor:
        settings = LcsSettings(base_url=url, token_url=f"{url}/oauth/token", client_id="hub", key_id="hub-1")
        return CONNECTORS[name](settings)

    return make


@pytest.fixture
def client_key() -> str:
    return KEY.as_pem(private=True).decode()


@pytest.fixture
async def context(client_key: str) -> AsyncIterator[PlainContext]:
    async with PlainContext(secrets={"client_key": client_key}) as context:
        yield context


@pytest.fixture
def make_parcel() -> Callable[..., Parcel]:
    """Make a parcel whose body is what a mapping makes of a case."""

    def make(
        name: str = "front-door", case: str = "", *, kind: DeliveryKind = DeliveryKind.SHARE, key: str = ""
    ) -> Parcel:
        folder = (MAPPINGS / CASES[name]).parent
        file = folder / f"{case}.out.json" if case else MAPPINGS / f"{CASES[name]}.out.json"
        return Parcel(
            token="t-1",
            kind=kind,
            attempt=1,
            idempotency_key=key or str(uuid.uuid4()),
            case=str(uuid.uuid4()),
            body=file.read_bytes(),
            content_type="application/json",
            address=name,
            deadline=time.time() + 60,
        )

    return make
