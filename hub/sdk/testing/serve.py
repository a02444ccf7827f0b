"""Running a sandbox as a process of its own: its command line, its one ready line, and its end on SIGTERM."""

from __future__ import annotations

import argparse
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from hub.sdk.testing.ledger import Ledger
from hub.sdk.testing.sandbox import Sandbox
from hub.sdk.testing.tokens import TokenIssuer


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a sandbox is made from: its own address, its ledger, its clients' public keys, its settings."""

    url: str
    ledger: Ledger
    client_jwks: dict[str, Any] | None
    settings: dict[str, Any]

    def issuer(self, path: str = "/oauth/token") -> TokenIssuer | None:
        """A token endpoint for the clients whose keys were given; none when there are no keys."""
        return TokenIssuer(self.client_jwks, self.url + path) if self.client_jwks is not None else None


class _Server(uvicorn.Server):
    """Says on standard output, once, that it listens and where."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"ready {self._url}", flush=True)


def run(sandbox_factory: Callable[[Surroundings], Sandbox], argv: Sequence[str] | None = None) -> None:
    """Serve the sandbox until SIGTERM: the `main` of every pack's `sandbox.py`."""
    options = _options(argv)
    listener = socket.create_server((options.host, options.port), backlog=512)
    url = f"http://{options.host}:{listener.getsockname()[1]}"
    surroundings = Surroundings(
        options.known_as or url,
        Ledger(options.ledger),
        _read_json(options.client_jwks, None),
        _read_json(options.settings, {}),
    )
    app = sandbox_factory(surroundings).app
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", lifespan="off", timeout_graceful_shutdown=2, server_header=False
    )
    _Server(config, url).run(sockets=[listener])


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A sandbox of a partner's system.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 picks a free one")
    parser.add_argument("--known-as", help="the URL that clients know it by, where something stands before it")
    parser.add_argument("--ledger", type=Path, help="file that keeps what arrived, as JSON lines")
    parser.add_argument("--client-jwks", type=Path, help="public keys of the clients, a JWK set")
    parser.add_argument("--settings", type=Path, help="the pack's own settings, a JSON file")
    return parser.parse_args(argv)


def _read_json(file: Path | None, otherwise: Any) -> Any:
    return otherwise if file is None else json.loads(file.read_text(encoding="utf-8"))
