"""The smallest partner that the engine can run: one parcel route, as a process of its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.sandbox import Behaviour, Sandbox, Verdict
from hub.sdk.testing.serve import Surroundings, run


def make(surroundings: Surroundings) -> Sandbox:
    ledger = surroundings.ledger

    async def take(request: Request) -> Response:
        key = request.headers["idempotency-key"]

        def accept(body: bytes, _behaviour: Behaviour) -> Verdict:
            status = 200 if ledger.has(key) else 201
            return Verdict(JSONResponse({"size": len(body)}, status), effect=status == 201)

        return await request.app.state.sandbox.take(
            request,
            key=key,
            case="case-1",
            accept=accept,
            refuse=lambda _: JSONResponse({"error": "no"}, 422),
            lie=lambda body: JSONResponse({"size": len(body)}, 201),
        )

    async def look(request: Request) -> Response:
        return JSONResponse({"found": ledger.has(request.query_params["key"])})

    routes = [Route("/parcels", take, methods=["POST"]), Route("/parcels", look, methods=["GET"])]
    return Sandbox("parcels", routes, ledger=ledger, slow_seconds=surroundings.settings.get("slow_seconds", 2.0))


if __name__ == "__main__":
    run(make)
