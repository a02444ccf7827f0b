"""The engine of a partner sandbox: a real server that speaks a partner's protocol and misbehaves when told to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.sdk.testing.ledger import Entry, Ledger
from hub.sdk.testing.tokens import TokenIssuer

#: The exit status of a sandbox that was told to crash (sysexits' EX_SOFTWARE).
CRASHED = 70


class Behaviour(StrEnum):
    """How the partner treats what arrives next."""

    PROMPT = "prompt"  #: takes it and answers
    SLOW = "slow"  #: takes it, and replies after `slow_seconds`
    REFUSING = "refusing"  #: the partner's own technical refusal
    SILENT = "silent"  #: takes it, and never answers
    DOWN = "down"  #: 503 to everything, before reading
    CRASHING = "crashing"  #: acts on it, records it, and dies before replying
    LYING = "lying"  #: says that it took it, and did not


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the partner made of one arrival: its reply, and whether it acted."""

    reply: Response
    effect: bool


Accept = Callable[[bytes, Behaviour], Verdict]
Refuse = Callable[[bytes], Response]


def _crash() -> NoReturn:
    os._exit(CRASHED)


class Sandbox:
    """A partner's system: the pack's routes, the ledger, and the controls under `/sandbox/`.

    A pack's handler for parcels ends in `take`; a pack that can answer on demand brings its own `/sandbox/say` route.
    """

    def __init__(  # noqa: PLR0913 - each part is a separate thing a pack may bring
        self,
        name: str,
        routes: Sequence[Route],
        *,
        ledger: Ledger,
        issuer: TokenIssuer | None = None,
        slow_seconds: float = 2.0,
        crash: Callable[[], NoReturn] | None = None,
    ) -> None:
        self.name = name
        self.ledger = ledger
        self.issuer = issuer
        self.behaviour = Behaviour.PROMPT
        self._times: int | None = None
        self._slow_seconds = slow_seconds
        self._crash = crash or _crash
        controls = [
            Route("/sandbox/behaviour", self._show_behaviour, methods=["GET"]),
            Route("/sandbox/behaviour", self._set_behaviour, methods=["PUT"]),
            Route("/sandbox/ledger", self._show_ledger, methods=["GET"]),
            *(issuer.routes if issuer else ()),
        ]
        unable = Route("/sandbox/say", _unable_to_say, methods=["POST"])  # the pack's own route comes first
        self._app = Starlette(routes=[*controls, *routes, unable], middleware=[Middleware(_Door, sandbox=self)])
        self._app.state.sandbox = self

    @property
    def app(self) -> Starlette:
        """The ASGI application to serve."""
        return self._app

    def behave(self, behaviour: Behaviour, times: int | None = None) -> None:
        """Behave so from now on, or only for the next `times` arrivals."""
        self.behaviour, self._times = behaviour, times

    def use(self) -> Behaviour:
        """Return the behaviour for this arrival and count it."""
        behaviour = self.behaviour
        if self._times is not None:
            self._times -= 1
            if self._times <= 0:
                self.behave(Behaviour.PROMPT)
        return behaviour

    async def take(  # noqa: PLR0913 - what identifies an arrival, and the three ways to treat it
        self, request: Request, *, key: str, accept: Accept, refuse: Refuse, lie: Refuse, case: str = ""
    ) -> Response:
        """Read one parcel, treat it as the behaviour says, record it, reply.

        `accept` decides and stores in one step without awaiting, so that two arrivals of one key cannot both have an
        effect; it finds an earlier one with `ledger.find(key)`. `lie` makes a reply that claims success.
        """
        body = await request.body()
        behaviour = self.use()
        if behaviour is Behaviour.REFUSING:
            verdict = Verdict(refuse(body), effect=False)
        elif behaviour is Behaviour.LYING:
            verdict = Verdict(lie(body), effect=False)
        else:
            verdict = accept(body, behaviour)
        crashing = behaviour is Behaviour.CRASHING
        status = 0 if crashing else verdict.reply.status_code
        self.ledger.append(
            Entry(time.time(), key, case, request.url.path, body, _headers(request), status, verdict.effect)
        )
        if crashing:
            self._crash()
        if behaviour is Behaviour.SLOW:
            await anyio.sleep(self._slow_seconds)
        return verdict.reply

    async def _show_behaviour(self, _request: Request) -> Response:
        return JSONResponse({"behaviour": self.behaviour, "times": self._times})

    async def _set_behaviour(self, request: Request) -> Response:
        wanted = await request.json()
        try:
            behaviour, times = Behaviour(wanted["behaviour"]), wanted.get("times")
            understood = times is None or (isinstance(times, int) and times > 0)
        except (KeyError, TypeError, ValueError):
            understood = False
        if not understood:
            return JSONResponse({"error": "behaviour or times", "behaviours": list(Behaviour)}, 400)
        self.behave(behaviour, times)
        return await self._show_behaviour(request)

    async def _show_ledger(self, _request: Request) -> Response:
        return JSONResponse({"name": self.name, "entries": [entry.as_json() for entry in self.ledger.entries()]})


class _Door:
    """Stands before every route: a partner that is down says 503 without reading, also to look-ups and token calls."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        down = scope["type"] == "http" and self._sandbox.behaviour is Behaviour.DOWN
        if down and not scope["path"].startswith("/sandbox/"):
            self._sandbox.use()
            await JSONResponse({"error": "down"}, 503, headers={"Retry-After": "1"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _unable_to_say(_request: Request) -> Response:
    return JSONResponse({"error": "this partner cannot answer on demand"}, 501)


def _headers(request: Request) -> dict[str, str]:
    """The request's headers by lower-case name, without the credential."""
    return {name: value for name, value in request.headers.items() if name != "authorization"}
