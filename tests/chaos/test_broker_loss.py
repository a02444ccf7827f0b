"""A broker that loses every message, or is away: deliveries still go, found by the relay's own rounds."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.sdk.testing.sandbox import Behaviour
from tests.chaos import books
from tests.chaos.load import share_for
from tests.chaos.served import serve_here
from tests.chaos.town import HOUSING, TREATMENT, Town, open_town, until

pytestmark = pytest.mark.chaos

#: Where a RabbitMQ may be reached.
_HOST, _PORT = os.environ.get("HUB_TEST_RABBITMQ", "127.0.0.1:5672").split(":")


class Link:
    """The wire to the broker: it can swallow everything that the hub says, or be cut."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.swallowing = False
        self.cut_off = False
        self.swallowed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, and let none be made."""
        self.cut_off = True
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut it for good."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            if self.cut_off:
                ours.close()
                continue
            theirs = socket.create_connection((_HOST, int(_PORT)))
            self._pairs.append((ours, theirs))
            for source, sink, from_hub in ((ours, theirs, True), (theirs, ours, False)):
                threading.Thread(target=self._pass_on, args=(source, sink, from_hub), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, from_hub: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if from_hub and self.swallowing:
                    self.swallowed += len(data)
                else:
                    sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def link() -> Any:
    """A wire to a real RabbitMQ."""
    try:
        socket.create_connection((_HOST, int(_PORT)), timeout=2).close()
    except OSError:
        if os.environ.get("CI"):
            raise
        pytest.skip("no RabbitMQ here: set HUB_TEST_RABBITMQ to host:port")
    made = Link()
    yield made
    made.close()


def send_and_count(town: Town, key: str) -> None:
    """Send a share and see both of its parcels delivered, once."""
    cases = town.case_system()
    cases.send(share_for(key), key)
    until("both parcels to be delivered", lambda: books.drained(town), 30)
    cases.close()
    assert {row["state"] for row in town.rows("SELECT state FROM deliveries")} == {"delivered"}
    assert books.lost_or_doubled_effects(town) == {}


def broker_is_there(town: Town) -> bool:
    return bool(httpx.get(f"{town.hub.url}/readyz", timeout=5, trust_env=False).json()["broker"])


def test_deliveries_go_while_rabbitmq_loses_every_message_or_is_away(tmp_path: Path, link: Link) -> None:
    url = f"amqp://guest:guest@127.0.0.1:{link.port}//"
    with open_town(tmp_path, more=["[broker]", f'url = "{url}"']) as town:
        # given a hub whose nudges go over RabbitMQ
        send_and_count(town, "with-a-broker")
        # when every message it publishes is lost on the way, then what is due goes by the relay's rounds
        link.swallowing = True
        send_and_count(town, "with-a-broker-that-loses-everything")
        assert link.swallowed > 0
        # and when the broker goes away, the same, and the hub says that it is away
        link.cut()
        send_and_count(town, "without-a-broker")
        until("the hub to notice", lambda: not broker_is_there(town), 30)
        send_and_count(town, "without-a-broker-still")
        # and it is used again when it is back
        link.swallowing = link.cut_off = False
        send_and_count(town, "with-a-broker-again")
        until("the hub to notice that it is back", lambda: broker_is_there(town), 30)


def test_deliveries_go_while_every_message_in_memory_is_lost(tmp_path: Path) -> None:
    with open_town(tmp_path) as town, serve_here(town) as hub:
        # given a hub that hears none of its own nudges
        lost: list[str] = []
        hub.broker.on_nudge = lambda queue, _ids: lost.append(queue)
        for name in (HOUSING, TREATMENT):
            town.partners[name].behave(Behaviour.PROMPT)
        # when a share is sent, then both parcels go by the relay's rounds
        send_and_count(town, "nudges-lost")
        until("a nudge to be lost", lambda: bool(lost), 20)
