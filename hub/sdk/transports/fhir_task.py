"""The FHIR R4 closed loop: a transaction of ServiceRequest, Task and Consent goes out, the Task says what became of it.

Partner contracts 2.4. Every resource that goes bears our identifier, and is created only where none bears it yet.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from pydantic import StringConstraints

from hub.domain.answer import Answer, Level
from hub.domain.outcome import Delivered, Halt, InDoubt, Outcome, Rejected, RetryLater
from hub.sdk.connector import CallbackRequest, Connector, Context, Inbound, NoReply, Parcel, Response
from hub.sdk.settings import Settings
from hub.sdk.transports.oauth import BearerTokens
from hub.sdk.transports.rest import ask, fetch
from hub.sdk.transports.waiting import retry_after

Resource = dict[str, Any]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]

#: The system of our identifier; its value on a Task is the parcel's key, and nothing else of ours stands in a URL.
SYSTEM = "urn:trusted-person-hub:delivery"
FHIR_JSON = "application/fhir+json"
#: The server says what it made of each entry, so that a receipt names our own key.
_ASKS = {"accept": FHIR_JSON, "prefer": "return=representation"}
#: Tasks that one search asks about: together they stay well below what a URL may be long.
_MOST_AT_ONCE = 40
#: What was told is remembered of so many Tasks, so that this host tells only what is new.
_MOST_TOLD = 20_000
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
#: The server asks us to come back: too slow, a conflict of two transactions, too early, too many, too busy.
_LATER = frozenset({408, 409, 425, 429, 503})


class FhirTaskSettings(Settings):
    """What partner IT fills in for one FHIR server; the signing key, or the shared secret, is `client_key`."""

    base_url: Url
    token_url: Url
    client_id: str
    key_id: str = ""
    algorithm: Literal["ES256", "ES384", "RS256", "RS512", "PS256", "client_secret"] = "ES384"
    scope: str = ""


S = TypeVar("S", bound=FhirTaskSettings)


class FhirTaskConnector(Connector[S]):
    """Posts one transaction a parcel, and reads the Tasks that it made; a pack overrides `answer`."""

    _tokens: BearerTokens | None = None

    def __init__(self, settings: S) -> None:
        super().__init__(settings)
        self._told: dict[str, Answer] = {}  #: by Task, what the hub has of it
        self._telling: dict[str, tuple[str, Answer]] = {}

    def answer(self, fhir_task: Resource, request: Resource) -> Answer | None:
        """Say what a Task and the request it is about tell; None where they tell nothing yet."""
        raise NotImplementedError

    async def check(self, context: Context) -> Outcome:
        """Ask for the capability statement, with a token: no parcel is sent."""
        return await self._ask(context, "GET", "/metadata", _read_statement)

    async def deliver(self, parcel: Parcel, context: Context) -> Outcome:
        """Post the transaction; a server that does not say what it made is asked for it."""
        if _kind(load(parcel.body)) != "Bundle":
            return Rejected("not-a-bundle")
        read = partial(_read_made, key=parcel.idempotency_key, now=context.now)
        outcome = await self._ask(context, "POST", "", read, parcel)
        if outcome != _UNNAMED:
            return outcome
        found = await self.reconcile(parcel, context)
        return found if isinstance(found, Delivered) else outcome

    async def reconcile(self, parcel: Parcel, context: Context) -> Outcome:
        """Search for the Task that bears our key; only the server's own word ends the doubt."""
        query = urlencode({"identifier": f"{SYSTEM}|{parcel.idempotency_key}"})
        read = partial(_read_found, key=parcel.idempotency_key, now=context.now)
        match await self._ask(context, "GET", f"/Task?{query}", read):
            case Delivered() | RetryLater("not-arrived") as certain:
                return certain
            case outcome:
                return InDoubt(getattr(outcome, "reason", "unknown"))

    def parse_callback(self, request: CallbackRequest) -> Inbound:
        """Take a notification of a Subscription: whatever it holds, it says only where to look.

        Raises `ValueError` for what is no FHIR at all.
        """
        body = load(request.body)
        if request.body and not _kind(body):
            raise ValueError("not-fhir")
        named = set(_named(body))
        return Inbound("notification", named.pop() if len(named) == 1 else "", look=True)

    async def collect(self, context: Context) -> AsyncIterator[Inbound]:
        """Read again every Task that may still be answered, with the request that it is about."""
        waiting = [each for each in context.waiting if _ID.fullmatch(each)]
        for start in range(0, len(waiting), _MOST_AT_ONCE):
            for fhir_task, request in await self._search(waiting[start : start + _MOST_AT_ONCE], context):
                answer = self.answer(fhir_task, request)
                if answer is not None and self._told.get(fhir_task["id"]) != answer:
                    version = f"{_version(fhir_task)} {_version(request)}".strip()
                    self._telling[version] = (fhir_task["id"], answer)
                    yield Inbound(version, _key(fhir_task) or fhir_task["id"], answers=(answer,))

    async def acknowledge(self, reference: str, context: Context) -> None:  # noqa: ARG002 - the contract's shape
        """Remember what the hub has; the server itself needs no word of it."""
        told = self._telling.pop(reference, None)
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()  # it is told again then, and the hub knows it by the same version
        self._told |= dict([told] if told else [])

    async def _search(self, ids: Sequence[str], context: Context) -> list[tuple[Resource, Resource]]:
        query = urlencode({"_id": ",".join(ids), "_include": "Task:focus", "_count": str(_MOST_AT_ONCE)})
        url = f"{self.settings.base_url}/Task?{query}"
        reply = await fetch(context, self._client(context), "GET", url, headers=_ASKS)
        bundle = load(reply.body)
        if reply.status != 200 or _kind(bundle) != "Bundle":
            raise NoReply(f"http-{reply.status}")
        found = list(resources(bundle))
        known = {f"{_kind(each)}/{each.get('id')}": each for each in found}
        fhir_tasks = [each for each in found if _kind(each) == "Task" and each.get("id") in ids]
        return [(fhir_task, known.get(_target(fhir_task.get("focus")), {})) for fhir_task in fhir_tasks]

    async def _ask(self, context: Context, method: str, path: str, read: Any, parcel: Parcel | None = None) -> Outcome:
        url = self.settings.base_url + path
        return await ask(context, self._client(context), method, url, read, parcel=parcel, headers=_ASKS)

    def _client(self, context: Context) -> BearerTokens:
        of, key = self.settings, context.secrets["client_key"]
        if self._tokens is None:
            self._tokens = BearerTokens(of.token_url, of.client_id, key, of.algorithm, kid=of.key_id, scope=of.scope)
        return self._tokens


#: The server took it and did not say what it made of it.
_UNNAMED = InDoubt("reply-names-no-task")


def load(body: bytes) -> Any:
    """Return the JSON of a body, or None for what is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def resources(bundle: Any) -> Iterator[Resource]:
    """Yield the resources of a Bundle, read leniently."""
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield resource


def _kind(resource: Any) -> str:
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return kind if isinstance(kind, str) else ""


def _read_statement(reply: Response) -> Outcome:
    statement = load(reply.body)
    if reply.status != 200:
        return _failed(reply, None)
    ours = _kind(statement) == "CapabilityStatement" and str(statement.get("fhirVersion", "4")).startswith("4")
    return Delivered(level=Level.L0) if ours else RetryLater("not-an-r4-endpoint")


def _read_made(reply: Response, key: str, now: datetime) -> Outcome:
    """Believe a success only by the Task that bears our key."""
    if reply.status not in {200, 201}:
        return _failed(reply, now)
    return _ours(load(reply.body), key) or _UNNAMED


def _read_found(reply: Response, key: str, now: datetime) -> Outcome:
    bundle = load(reply.body)
    if reply.status != 200:
        return _failed(reply, now)
    if _kind(bundle) != "Bundle" or bundle.get("type") != "searchset":
        return InDoubt("look-up-unreadable")
    return _ours(bundle, key) or (
        InDoubt("look-up-unreadable") if any(resources(bundle)) else RetryLater("not-arrived")
    )


def _ours(bundle: Any, key: str) -> Delivered | None:
    ours = (each for each in resources(bundle) if _kind(each) == "Task" and _key(each) == key)
    return next((Delivered(each["id"]) for each in ours if _ID.fullmatch(str(each.get("id", "")))), None)


def _key(fhir_task: Resource) -> str:
    """Return our own key of a Task; "" where the server keeps none."""
    marks = fhir_task.get("identifier")
    found = (mark for mark in marks if isinstance(mark, dict)) if isinstance(marks, list) else ()
    return next((str(mark.get("value")) for mark in found if mark.get("system") == SYSTEM), "")


def _failed(reply: Response, now: datetime | None) -> Outcome:
    code = f"http-{reply.status}"
    if reply.status in {401, 403}:
        return Halt(code)
    if reply.status in _LATER:
        return RetryLater(code, retry_after(reply, now) if now else None)
    return Rejected(code) if 400 <= reply.status < 500 else InDoubt(code)


def _version(resource: Resource) -> str:
    """Name one state of a resource: its version, else when it last changed."""
    if not resource:
        return ""
    meta = resource.get("meta")
    of = meta if isinstance(meta, dict) else {}
    version = of.get("versionId") or of.get("lastUpdated") or resource.get("status")
    return f"{_kind(resource)}/{resource.get('id')}/{version}"[:200]


def _target(reference: Any) -> str:
    """Return what a Reference points at as Type/id, whether it is relative, absolute or of one version."""
    target = reference.get("reference") if isinstance(reference, dict) else None
    parts = target.partition("/_history")[0].split("/")[-2:] if isinstance(target, str) else []
    return "/".join(parts)


def _named(body: Any) -> Iterator[str]:
    """Yield the ids of the Tasks that a notification names: itself, its entries, or what its events are about."""
    for resource in (body, *resources(body)):
        if _kind(resource) == "Task":
            yield str(resource.get("id", ""))
        events = resource.get("notificationEvent") if isinstance(resource, dict) else None
        for event in events if isinstance(events, list) else ():
            kind, _, name = _target(event.get("focus") if isinstance(event, dict) else None).partition("/")
            yield name if kind == "Task" else ""
