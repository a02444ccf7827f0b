"""A FHIR R4 server of a service, to try the closed loop against: `python -m hub_health_fhir.sandbox_task`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import NAMESPACE_URL, uuid5

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.sandbox import Behaviour, Sandbox, Verdict
from hub.sdk.testing.serve import Surroundings, run
from hub.sdk.transports.fhir_task import FHIR_JSON, SYSTEM, Resource, resources
from hub_health_fhir.callbacks import dig, items
from hub_health_fhir.replies import is_valid


class Server:
    """Takes transactions, answers searches of Tasks, tells its subscriber that something changed."""

    def __init__(self, around: Surroundings, crash: Callable[[], NoReturn] | None = None) -> None:
        self._settings = around.settings
        self._ledger, self._issuer = around.ledger, around.issuer()
        self._store: dict[str, Resource] = {}
        routes = [
            Route("/metadata", self._metadata, methods=["GET"]),
            Route("/", self._transaction, methods=["POST"]),
            Route("/Task", self._search, methods=["GET"]),
            Route("/sandbox/say", self._say, methods=["POST"]),
        ]
        slow = float(self._settings.get("slow_seconds", 2.0))
        self.sandbox = Sandbox(
            "fhir-task", routes, ledger=around.ledger, issuer=self._issuer, slow_seconds=slow, crash=crash
        )
        for entry in around.ledger.effects():  # what it had before it crashed
            self._take(json.loads(entry.body))

    async def _metadata(self, request: Request) -> Response:
        self._require(request)
        return _fhir({"resourceType": "CapabilityStatement", "status": "active", "fhirVersion": "4.0.1"})

    async def _transaction(self, request: Request) -> Response:
        """Act on every entry or on none; a condition that holds already makes nothing new."""
        self._require(request)
        key = _key(await request.body())

        def accept(body: bytes, _behaviour: Behaviour) -> Verdict:
            fault = _fault(body)
            if fault:
                return Verdict(_outcome(fault), effect=False)
            new = not self._ledger.has(key)
            return Verdict(_fhir(self._take(json.loads(body)) if new else self._reply(json.loads(body))), effect=new)

        return await self.sandbox.take(
            request,
            key=key,
            accept=accept,
            refuse=lambda _: _outcome("processing"),
            lie=lambda _: _fhir({"resourceType": "Bundle", "type": "transaction-response", "entry": []}),
        )

    def _take(self, bundle: Resource) -> Resource:
        ids = {entry["fullUrl"]: _id(entry) for entry in bundle["entry"]}
        for entry in bundle["entry"]:
            made = json.loads(_relinked(json.dumps(entry["resource"]), ids))
            kind, _, name = ids[entry["fullUrl"]].partition("/")
            held = self._store.get(f"{kind}/{name}", {})
            if held and entry["request"]["method"] == "POST":
                continue
            self._keep(made | {"id": name}, int(dig(held, "meta", "versionId") or 0) + 1)
        return self._reply(bundle)

    def _keep(self, resource: Resource, version: int) -> None:
        meta = {"versionId": str(version), "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds")}
        self._store[f"{resource['resourceType']}/{resource['id']}"] = resource | {"meta": meta}

    def _reply(self, bundle: Resource) -> Resource:
        """Say what stands there now, entry for entry, as `Prefer: return=representation` asks."""
        made = [self._store[_id(entry)] for entry in bundle["entry"]]
        entries = [
            {"resource": each, "response": {"status": "200", "location": f"{each['resourceType']}/{each['id']}"}}
            for each in made
        ]
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}

    async def _search(self, request: Request) -> Response:
        """Find Tasks by id or by identifier, with what they are about where that is asked for."""
        self._require(request)
        wanted = request.query_params
        ids, (system, _, value) = wanted.get("_id", "").split(","), wanted.get("identifier", "").partition("|")
        marked = {"system": system, "value": value}
        fhir_tasks = [each for each in self._store.values() if each["resourceType"] == "Task"]
        found = [each for each in fhir_tasks if each["id"] in ids or marked in each.get("identifier", [])]
        about = [dig(each, "focus", "reference") for each in found] if "_include" in wanted else []
        entries = [*found, *(self._store[each] for each in dict.fromkeys(about) if each in self._store)]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        return _fhir(bundle | {"entry": [{"resource": each} for each in entries]})

    async def _say(self, request: Request) -> Response:
        """Change a Task as its service would: `status`, `owner`, `reason` (a code), `text`; and notify."""
        said = await request.json()
        known = self._store.get(f"Task/{_name('Task', str(said.get('key')))}")
        if known is None:
            return JSONResponse({"error": "key"}, 404)
        reason: Resource = {"coding": [{"code": said["reason"]}]} if said.get("reason") else {}
        reason |= {"text": said["text"]} if said.get("text") else {}
        changed = known | {"status": said["status"]} | ({"statusReason": reason} if reason else {})
        if said.get("owner"):
            changed["owner"] = {"display": said["owner"]}
        self._keep(changed, int(known["meta"]["versionId"]) + 1)
        return JSONResponse({"status": await self._notify()})

    async def _notify(self) -> int:
        """POST the empty notification of a rest-hook Subscription without a payload; 0 where nobody subscribed."""
        url, token = self._settings.get("callback_url"), self._settings.get("callback_token", "")
        if not url:
            return 0
        async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
            return (await client.post(url, headers={"authorization": f"Bearer {token}"})).status_code

    def _require(self, request: Request) -> None:
        if self._issuer is not None:
            self._issuer.require(request)


def _key(body: bytes) -> str:
    """The identifier of the new Task: by it the service knows one delivery from another."""
    try:
        bundle = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    marks = [
        mark
        for entry in items(dig(bundle, "entry"))
        if dig(entry, "request", "url") == "Task"
        for mark in items(dig(entry, "resource", "identifier"))
    ]
    return next((str(mark.get("value")) for mark in marks if mark.get("system") == SYSTEM), "")


def _fault(body: bytes) -> str:
    try:
        bundle = json.loads(body)
    except (ValueError, RecursionError):
        return "structure"
    if not isinstance(bundle, dict) or bundle.get("type") != "transaction" or not is_valid(bundle):
        return "structure"
    kinds = {each["resourceType"] for each in resources(bundle)}
    asked = [dig(entry, "request") for entry in bundle["entry"]]
    conditional = all("?" in each["url"] or each.get("ifNoneExist") for each in asked)
    return "" if {"Task", "Consent"} <= kinds and conditional and _key(body) else "required"


def _id(entry: Resource) -> str:
    """Type/id of what an entry is about: made from its identifier, so that a server that crashed knows it again."""
    resource = entry["resource"]
    marks = [mark["value"] for mark in items(resource.get("identifier")) if mark.get("system") == SYSTEM]
    return f"{resource['resourceType']}/{_name(resource['resourceType'], marks[0])}"


def _name(kind: str, mark: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{kind} {mark}"))


def _relinked(text: str, ids: dict[str, str]) -> str:
    for url, target in ids.items():
        text = text.replace(url, target)
    return text


def _outcome(issue: str) -> Response:
    return _fhir({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": issue}]}, 422)


def _fhir(document: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(document, status, media_type=FHIR_JSON)


def make(around: Surroundings) -> Sandbox:
    """Make the sandbox for a process."""
    return Server(around).sandbox


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM."""
    run(make, argv)


if __name__ == "__main__":
    main()
