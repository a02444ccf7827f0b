"""Metrics: what an operator watches, by connection, state and route; never by person, share or reference (TH22)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub.bootstrap import Hub
from hub.services.tallies import BLOCK
from hub.store import read_state
from hub.store.read_tallies import totals
from hub.store.read_waiting import oldest_due

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class StateCollector(Collector):
    """Counts rows when it is asked, so that the figures are the store's own, whatever process asks."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Give deliveries, alerts, notices and messages by state, what is held, and how long the oldest waits."""
        reader = self._hub.reader
        deliveries = GaugeMetricFamily(
            "hub_deliveries", "Deliveries by connection and state.", labels=["connection", "state"]
        )
        for connection_id, states in read_state.by_connection(reader).items():
            for state, number in states.items():
                deliveries.add_metric([connection_id, state], number)
        yield deliveries
        counts = read_state.counts(reader)
        yield GaugeMetricFamily("hub_shares", "Shares that are kept.", value=counts["shares"])
        for name in ("alerts", "notices", "inbox"):
            family = GaugeMetricFamily(f"hub_{name}", f"{name.capitalize()} by state.", labels=["state"])
            for state, number in counts[name].items():
                family.add_metric([state], number)
            yield family
        held = read_state.held_connections(reader)
        family = GaugeMetricFamily("hub_connection_held", "1 while a connection is held.", labels=["connection"])
        for connection_id in self._hub.enabled:
            family.add_metric([connection_id], int(connection_id in held))
        yield family
        blocks = CounterMetricFamily("hub_gate_blocks", "Refusals by gate and service.", labels=["gate", "service"])
        for each in totals(reader, BLOCK):
            blocks.add_metric([each["name"], each["service_id"]], each["number"])
        yield blocks
        oldest = oldest_due(reader)
        late = (self._hub.now.wall() - oldest["due_at"]).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("hub_oldest_due_seconds", "How overdue the oldest delivery is.", value=max(late, 0.0))


class Measured:
    """Counts and times requests by route, never by path: a path holds ids."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ["method", "route", "status"]
        self._requests = Counter("hub_http_requests", "Requests by route and status.", labels, registry=registry)
        self._seconds = Histogram(
            "hub_http_seconds", "How long requests took.", ["route"], registry=registry, buckets=_BUCKETS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and measure it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._requests.labels(scope["method"], route, status).inc()
            self._seconds.labels(route).observe(time.perf_counter() - begun)


def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> tuple[WSGIServer, Thread]:
    """Serve metrics on a port of their own; raises `OSError` when it cannot listen there."""
    return start_http_server(port, host, registry)
