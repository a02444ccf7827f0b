"""The application: its routes, its errors, and the hub's start and stop around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from hub.api import business_time, callbacks, consents, deliveries, health, problems, services, shares, tokens
from hub.bootstrap import Hub

_ABOUT = "Send what a person agreed to share, once, to each service able to act; and hear what came of it."


def create_app(hub: Hub) -> FastAPI:
    """Return the app that serves a hub; its start starts the hub's loops, and its end stops them."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        try:
            yield
        finally:
            await hub.stop()

    app = FastAPI(
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
    for part in (tokens, shares, consents, deliveries, services, callbacks, health):
        app.include_router(part.router)
    if hub.configuration.hub.profile == "demo":
        app.include_router(business_time.router)
    return app
