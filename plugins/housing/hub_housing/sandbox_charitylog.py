"""A staging area in the shape of Charitylog's API to try the connector on: it takes people, and dedupes nothing."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.sandbox import Behaviour, Sandbox, Verdict
from hub.sdk.testing.serve import Surroundings, run

#: What each person needs, as the API says of itself.
NEEDED = ("org_type_id", "surname")


class StagingArea:
    """What an administrator imports or rejects; what is sent twice stands there twice."""

    def __init__(self, surroundings: Surroundings) -> None:
        settings = surroundings.settings
        self._keys = {name: settings.get(f"{name}_key", "") for name in ("source", "org", "user")}
        routes = [
            Route("/v2/clients/selectable_fields", self._fields, methods=["GET"]),
            Route("/v2/external_referral", self._take, methods=["PUT"]),
        ]
        self.sandbox = Sandbox(
            "charitylog", routes, ledger=surroundings.ledger, slow_seconds=settings.get("slow_seconds", 2.0)
        )

    async def _fields(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse(["org_type_id", "first_name", "surname", "description"])

    async def _take(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        return await self.sandbox.take(
            request,
            key=request.headers.get("idempotency-key", ""),
            accept=self._accept,
            refuse=lambda _: JSONResponse({"error": "not accepted"}, 422),
            lie=lambda _: JSONResponse("OK"),
        )

    def _accept(self, body: bytes, _: Behaviour) -> Verdict:
        try:
            fields = parse_qs(body.decode("ascii"), strict_parsing=True)
        except ValueError:
            return Verdict(JSONResponse({"error": "not a form"}, 400), effect=False)
        people = {name.partition("[")[0] for name in fields}
        missing = [need for each in sorted(people) for need in NEEDED if f"{each}[{need}]" not in fields]
        if missing or not fields.get("0[org_type_id]", [""])[0].isdecimal():
            return Verdict(JSONResponse({"error": f"missing {', '.join(missing)}"}, 422), effect=False)
        return Verdict(JSONResponse({"created": len(people)}), effect=True)

    def _refused(self, request: Request) -> Response | None:
        known = all(key and request.headers.get(name) == key for name, key in self._keys.items())
        return None if known else JSONResponse({"error": "keys"}, 401)


def make(surroundings: Surroundings) -> Sandbox:
    """Make the staging area from its surroundings."""
    return StagingArea(surroundings).sandbox


if __name__ == "__main__":
    run(make)
