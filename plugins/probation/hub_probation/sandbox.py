"""A service in the shape of the HMPPS External API to try the connector against: look-ups, and a queue to write to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.sandbox import Behaviour, Sandbox, Verdict
from hub.sdk.testing.serve import Surroundings, run

#: Made-up people: what the API says of each. `merged` is 303, `filtered` 404, `limited` 403.
PEOPLE: dict[str, dict[str, Any]] = {
    "X100001": {"name": ("Sam", "Rivers", "1988-04-02"), "team": "N01"},
    "X100002": {"name": ("Alex", "Fields", "1990-01-15"), "merged": "X100003"},
    "X100003": {"name": ("Alexandra", "Fields", "1990-01-15"), "team": "N02"},
    "X100004": {"name": ("Jo", "Limited", "1985-06-30"), "limited": True},
    "X100005": {"name": ("Kit", "Restricted", "1979-12-01"), "team": "N01", "restricted": ["officer@justice.example"]},
    "X100006": {"name": ("Lee", "Unallocated", "1995-03-03")},
    "X100007": {"name": ("Max", "Filtered", "1991-07-07"), "filtered": True},
    "X100008": {"name": ("Pat", "Double", "1980-05-05"), "team": "N01"},
    "X100010": {"name": ("Sam", "Ní Bhriain", "1988-04-02"), "team": "N01"},
    "X100009": {"name": ("Pat", "Double", "1980-05-05"), "team": "N02"},
}


class ExternalApi:
    """Answers look-ups by its path list, and writes contacts to a queue that does not dedupe."""

    def __init__(self, surroundings: Surroundings) -> None:
        settings = surroundings.settings
        self._people = dict(PEOPLE)
        self._moved: dict[str, str] = {}
        self.moves: list[bytes] = []
        self._key: str = settings.get("api_key", "")
        self._limits_off: bool = settings.get("limits_off", False)
        self._callback_url: str = settings.get("callback_url", "")
        self._secret: str = settings.get("callback_secret", "")
        routes = [
            Route("/v1/persons", self._search, methods=["GET"]),
            Route("/v1/persons/{id}", self._person, methods=["GET"]),
            Route("/v1/persons/{id}/access-limitations", self._limitations, methods=["GET"]),
            Route("/v1/persons/{id}/person-responsible-officer", self._officer, methods=["GET"]),
            Route("/v1/contacts/third-party", self._write, methods=["POST"]),
            Route("/token", self._token, methods=["GET"]),
            Route("/v1/persons/{id}/contact-events", self._contacts, methods=["GET"]),
            Route("/v1/contacts/third-party/{key}/team", self._readdress, methods=["PUT"]),
            Route("/sandbox/allocate", self._allocate, methods=["POST"]),
            Route("/sandbox/say", self._say, methods=["POST"]),
        ]
        self.sandbox = Sandbox(
            "probation", routes, ledger=surroundings.ledger, slow_seconds=settings.get("slow_seconds", 2.0)
        )

    async def _search(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        asked = tuple(request.query_params.get(name, "") for name in ("first_name", "last_name", "date_of_birth"))
        found = [{"hmppsId": each, "firstName": asked[0]} for each, of in self._people.items() if of["name"] == asked]
        return JSONResponse({"data": found, "pagination": {"page": 1, "isLastPage": True}})

    async def _person(self, request: Request) -> Response:
        shown = self._refused(request) or self._withheld(request)
        return shown or JSONResponse({"data": {"hmppsId": request.path_params["id"]}})

    async def _limitations(self, request: Request) -> Response:
        if shown := self._refused(request) or self._withheld(request):
            return shown
        if self._limits_off:
            return _error(503, "the feature is off")
        only = [{"email": each} for each in self._people[request.path_params["id"]].get("restricted", [])]
        return JSONResponse({"data": {"excludedFrom": [], "restrictedTo": only}})

    async def _officer(self, request: Request) -> Response:
        if shown := self._refused(request) or self._withheld(request):
            return shown
        team = self._people[request.path_params["id"]].get("team")
        officer = {"name": {"forename": "A", "surname": "N"}, "team": {"code": team, "description": "Team"}}
        return JSONResponse({"data": {"prisonOffenderManager": None, "communityOffenderManager": team and officer}})

    async def _write(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        key = request.headers.get("idempotency-key", "")

        def accept(_: bytes, __: Behaviour) -> Verdict:
            message = {"message": "Third party contact event written to queue", "messageId": str(uuid.uuid4())}
            return Verdict(JSONResponse({"data": message}), effect=True)

        return await self.sandbox.take(
            request,
            key=key,
            accept=accept,
            refuse=lambda _: _error(400, "validation"),
            lie=lambda _: JSONResponse("queued"),
        )

    async def _token(self, request: Request) -> Response:
        keys = {"accessKeyId": "ASIATEST", "secretAccessKey": "for-this-sandbox", "sessionToken": "a-session"}
        return self._refused(request) or JSONResponse(keys)

    async def _contacts(self, request: Request) -> Response:
        """What was written for a person, with more in it than anybody but their team should read."""
        if shown := self._refused(request) or self._withheld(request):
            return shown
        ours = [each for each in self.sandbox.ledger.entries() if self._is_of(each.headers, request.path_params["id"])]
        listed = [
            {
                "externalReference": each.key,
                "teamId": self._moved.get(each.key, each.headers["x-team-code"]),
                "description": "not for others",
                "notes": "not for others",
            }
            for each in ours
        ]
        return JSONResponse({"data": [{"contactType": "AP Referral", "notes": "not ours"}, *listed]})

    def _is_of(self, headers: Mapping[str, str], hmpps_id: str) -> bool:
        named = headers.get("x-hmpps-id", "")
        return bool(named) and hmpps_id in {named, self._people.get(named, {}).get("merged")}

    async def _readdress(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        self._moved[request.path_params["key"]] = request.headers["x-team-code"]
        self.moves.append(await request.body())
        return JSONResponse({"data": {"message": "Third party contact route event written to queue"}})

    async def _allocate(self, request: Request) -> Response:
        """Change what is known of somebody: the team that has them, or the record that theirs was merged into."""
        wanted = await request.json()
        person = self._people[wanted["id"]]
        self._people[wanted["id"]] = person | {name: wanted[name] for name in ("team", "merged") if name in wanted}
        return JSONResponse({"moved": self._moved, "bodies": [each.decode() for each in self.moves]})

    async def _say(self, request: Request) -> Response:
        wanted = await request.json()
        names = ("outcome", "notes", "officer")
        said = {"externalReference": wanted["key"]} | {name: wanted[name] for name in names if name in wanted}
        body, at, message_id = json.dumps(said), datetime.now(UTC), f"msg_{uuid.uuid4().hex}"
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self._secret).sign(message_id, at, body),
        }
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            reply = await client.post(self._callback_url, content=body.encode(), headers=headers)
        return JSONResponse({"status": reply.status_code, "messageId": message_id})

    def _refused(self, request: Request) -> Response | None:
        known = self._key and request.headers.get("x-api-key") == self._key
        return None if known else _error(403, "this consumer is not known")

    def _withheld(self, request: Request) -> Response | None:
        """What the API says of somebody whom it does not show: never heard of, filtered, limited, merged."""
        of = self._people.get(request.path_params["id"])
        if of is None or of.get("filtered"):
            return _error(404, "not found")
        if of.get("limited"):
            return _error(403, "limited access")
        if of.get("merged"):
            return Response(status_code=303, headers={"location": f"/v1/persons/{of['merged']}"})
        return None


def _error(status: int, message: str) -> Response:
    return JSONResponse({"status": status, "userMessage": message, "developerMessage": message}, status)


def make(surroundings: Surroundings) -> Sandbox:
    """Make the API from its surroundings."""
    return ExternalApi(surroundings).sandbox


if __name__ == "__main__":
    run(make)
