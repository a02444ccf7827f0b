"""Nudges over kombu: ids that say "this is due", published and consumed in threads of their own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import structlog
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.exceptions import KombuError
from kombu.mixins import ConsumerMixin

log = structlog.get_logger(__name__)

#: A publish that cannot finish raises after this long; without it kombu waits on a stalled link for ever.
_PUBLISH_SECONDS = 5.0
_EXCHANGE = Exchange("hub.nudges", type="direct", durable=True)
_MEMORY = {"polling_interval": 0.01}  # the default of one second would be felt on every share


def _connect(url: str) -> Connection:
    options = _MEMORY if url.startswith("memory") else {}
    # Without a host kombu warns at every start that it takes this one.
    url = "memory://localhost/" if url == "memory://" else url
    return Connection(url, transport_options=options, heartbeat=0 if options else 30, connect_timeout=5)


def _queue(name: str) -> Queue:
    # Quorum queues survive the loss of a node; in memory the argument means nothing.
    return Queue(f"hub.{name}", _EXCHANGE, routing_key=name, durable=True, queue_arguments={"x-queue-type": "quorum"})


class Nudges:
    """Publishes nudges to named queues and hands those that arrive to `on_nudge(queue, ids)`, from a thread."""

    def __init__(
        self, url: str, queues: list[str], on_nudge: Callable[[str, list[str]], None] = lambda _queue, _ids: None
    ) -> None:
        self.on_nudge = on_nudge
        self._url = url
        self._queues = {name: _queue(name) for name in queues}
        self._outbox: queue.SimpleQueue[tuple[str, list[str]] | None] = queue.SimpleQueue()
        self._consumer = _Listener(_connect(url), list(self._queues.values()), self._arrived)
        self._threads = [
            threading.Thread(target=self._publish_all, name="nudges-out", daemon=True),
            threading.Thread(target=self._consumer.run, name="nudges-in", daemon=True),
        ]
        self.is_connected = True

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop both threads; what was not published is found again by the poll."""
        self._outbox.put(None)
        self._consumer.should_stop = True
        for thread in self._threads:
            thread.join(timeout=3)

    def publish(self, name: str, ids: list[str]) -> None:
        """Queue a nudge; never blocks and never fails: a nudge is a hint, and one for nobody here is dropped."""
        if name in self._queues:
            self._outbox.put((name, ids))

    def _arrived(self, name: str, ids: list[str]) -> None:
        self.on_nudge(name, ids)

    def _publish_all(self) -> None:
        connection: Connection | None = None
        producer: Producer | None = None
        while (nudge := self._outbox.get()) is not None:
            name, ids = nudge
            try:
                if connection is None or producer is None:
                    connection = _connect(self._url)
                    producer = Producer(connection, exchange=_EXCHANGE, serializer="json")
                producer.publish(
                    {"ids": ids},
                    routing_key=name,
                    declare=[self._queues[name]],
                    delivery_mode=2,
                    timeout=_PUBLISH_SECONDS,
                )
                self._mark(connected=True)
            except (OSError, KombuError, *_recoverable(connection)):
                # The row is the truth and the poll finds it: say once that the broker is away, and go on.
                self._mark(connected=False)
                _close(connection)
                connection, producer = None, None

    def _mark(self, *, connected: bool) -> None:
        if connected != self.is_connected:
            self.is_connected = connected
            log.warning("broker.back" if connected else "broker.away")


def _recoverable(connection: Connection | None) -> tuple[type[Exception], ...]:
    return tuple(connection.recoverable_connection_errors) if connection is not None else ()


def _close(connection: Connection | None) -> None:
    if connection is not None:
        connection.release()


class _Listener(ConsumerMixin):  # type: ignore[misc]  # kombu is not typed
    """Consumes every queue; a nudge is acknowledged at once, for losing it costs time only."""

    def __init__(self, connection: Connection, queues: list[Queue], on_nudge: Callable[[str, list[str]], None]) -> None:
        self.connection = connection
        self._queues = queues
        self._on_nudge = on_nudge

    def get_consumers(self, consumer: type[Consumer], channel: Any) -> list[Consumer]:  # noqa: ARG002
        return [
            consumer(queues=self._queues, callbacks=[self._arrived], accept=["json"], prefetch_count=50, no_ack=True)
        ]

    def on_connection_error(self, exc: Exception, interval: float) -> None:  # noqa: ARG002
        log.warning("broker.consumer_away", seconds=interval)

    def _arrived(self, body: dict[str, Any], message: Any) -> None:
        ids = body.get("ids") if isinstance(body, dict) else None
        if isinstance(ids, list):
            self._on_nudge(str(message.delivery_info.get("routing_key", "")), [str(each) for each in ids])
