"""A hub served in this process, on a town's instance and port, so that a test may move its time or deafen its parts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import uvicorn

from hub.api.app import create_app
from hub.bootstrap import Hub, build
from hub.services.now import SystemNow
from tests.chaos.town import Town, until


@contextmanager
def serve_here(town: Town, now: SystemNow | None = None) -> Iterator[Hub]:
    """Stop the town's hub process and serve its instance from this one."""
    if town.hub.running:
        town.hub.stop()
    hub = build(town.hub.folder, alone=True, now=now)
    config = uvicorn.Config(create_app(hub), log_config=None, access_log=False, server_header=False)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", int(town.hub.url.rpartition(":")[2])), backlog=128)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="served-here")
    thread.start()

    def ready() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{town.hub.url}/readyz", timeout=5, trust_env=False).status_code == 200
        return False

    try:
        until("the hub to be ready", ready, 40)
        yield hub
    finally:
        server.should_exit = True
        thread.join(30)
        hub.reader.dispose()
