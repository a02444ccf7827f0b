"""Every screen of the console, in one tuple of routers: a screen is a module of its own, added here."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from hub.console import (
    alert,
    alert_acts,
    barriers,
    cover,
    elsewhere,
    follow_up,
    good_sharing,
    learning,
    me,
    set_password,
    sign_in,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    sign_in.router,
    elsewhere.router,
    set_password.router,
    follow_up.router,
    alert.router,
    alert_acts.router,
    cover.router,
    me.router,
    good_sharing.router,
    barriers.router,
    learning.router,
)


def add_console(app: FastAPI) -> None:
    """Add every screen to the app that serves a hub."""
    for router in ROUTERS:
        app.include_router(router)
    routes = (route for router in ROUTERS for route in router.routes)
    app.state.console_paths = frozenset(route.path for route in routes if isinstance(route, APIRoute))
