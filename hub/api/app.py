"""The application: its routes, its errors, and the hub's start and stop around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from hub.answer import fewer, links, pages
from hub.api import (
    absences,
    business_time,
    callbacks,
    checkpoint,
    choice,
    consents,
    deliveries,
    for_the_person,
    further,
    health,
    helped,
    metrics,
    problems,
    pull,
    rings,
    services,
    shares,
    subject_access,
    tokens,
    told,
    trusted_people,
)
from hub.api.description import Described
from hub.bootstrap import Hub
from hub.console.routes import add_console
from hub.web import style

_ABOUT = "Send what a person agreed to share, once, to each service able to act; and hear what came of it."


def create_app(hub: Hub) -> FastAPI:
    """Return the app that serves a hub; its start starts the hub's loops, and its end stops them."""

    registry = CollectorRegistry()
    registry.register(metrics.StateCollector(hub))
    listen = hub.configuration.hub.listen

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        watched = metrics.serve_metrics(registry, listen.host, listen.metrics_port) if listen.metrics_port else None
        try:
            yield
        finally:
            if watched is not None:
                watched[0].shutdown()
                watched[0].server_close()
            await hub.stop()

    app = Described(
        title="Trusted Person Hub",
        description=_ABOUT,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.hub = hub
    app.state.in_flight = shares.InFlight()
    problems.install(app)
    app.add_middleware(metrics.Measured, registry=registry)
    heard = (consents, deliveries, helped, pull, told, further, rings, callbacks)
    for part in (
        tokens,
        shares,
        for_the_person,
        subject_access,
        choice,
        trusted_people,
        absences,
        *heard,
        services,
        checkpoint,
        health,
        style,
        pages,
        links,
        fewer,
    ):
        app.include_router(part.router)
    add_console(app)
    if hub.configuration.hub.profile == "demo":
        app.include_router(business_time.router)
    return app
