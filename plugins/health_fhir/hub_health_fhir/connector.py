"""The BaRS connector: one referral message to one NHS service through the NHS API platform (BaRS 1.2 to 1.4, FHIR R4).

Before the first message to a service it is asked what it takes, and before a cancellation whether there is anything
open to cancel. Neither question carries a parcel.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any, Self
from uuid import uuid4

from pydantic import StringConstraints, model_validator

from hub.sdk import (
    CallbackRequest,
    Connector,
    Context,
    Delivered,
    DeliveryKind,
    Halt,
    Inbound,
    InDoubt,
    Level,
    Outcome,
    Parcel,
    Register,
    Rejected,
    Response,
    RetryLater,
    Settings,
    hookimpl,
)
from hub.sdk.connector import NoReply, NotSent
from hub.sdk.transports.oauth import BearerTokens, TokenRefused
from hub_health_fhir import headers
from hub_health_fhir.callbacks import dig, read_response
from hub_health_fhir.cancelling import closed_already, look_up
from hub_health_fhir.closed_loop import FhirTask
from hub_health_fhir.discovery import Discovery, json_of
from hub_health_fhir.errors import outcome_of
from hub_health_fhir.gp_mesh import GpMesh

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n]+$", max_length=200)]


class BarsSettings(Settings):
    """What partner IT fills in for one receiving service; the signing key is the secret `private_key`."""

    base_url: Url  #: for example https://int.api.service.nhs.uk/booking-and-referral/FHIR/R4
    token_url: Url | None = None  #: none only for the public sandbox, which asks for no token
    client_id: str = ""  #: the API key of the application
    key_id: str = ""  #: the `kid` under which the public key was registered
    algorithm: str = "RS512"
    version: Annotated[str, StringConstraints(pattern=r"^1\.[2-9]\.\d$")] = "1.4.0"  #: that the receiver answers in
    organisation_ods: Line | None = None
    organisation_name: Line | None = None
    software_system: Line | None = None
    software_id: Line | None = None
    software_name: Line | None = None
    software_version: Line | None = None
    practitioner_role: Line | None = None  #: SDS role profile id, sent where it is known
    use_context: Line | None = None  #: agreed at onboarding: use case, category, event and reason between bars
    discover: bool = True  #: ask a service what it takes before the first message to it

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Who sends is told whole or not at all, and from 1.4 on it must be told; raises `ValueError`."""
        organisation = ("organisation_ods", "organisation_name")
        software = ("software_system", "software_id", "software_name", "software_version")
        for names in (organisation, software, ("use_context",)):
            lacking = [name for name in names if getattr(self, name) is None]
            if lacking and (len(lacking) < len(names) or not self.version.startswith(("1.2.", "1.3."))):
                raise ValueError(f"{', '.join(lacking)}: version {self.version} asks for it")
        return self


class BarsConnector(Connector[BarsSettings]):
    """Sends one message Bundle; a second send of the same parcel carries the same body and ids, which BaRS dedupes."""

    settings_type = BarsSettings

    def __init__(self, settings: BarsSettings) -> None:
        super().__init__(settings)
        self._tokens: BearerTokens | None = None
        self._discovery = Discovery()

    async def check(self, context: Context) -> Outcome:
        """Ask the platform for its capability statement, with a token: no parcel is sent, and nothing kept counts."""
        self._discovery.purge()
        response = await self._look(context, "", str(uuid4()), "/metadata")
        if not isinstance(response, Response):
            return response
        # Read leniently: the publisher's own statement is not valid R4.
        known = dig(json_of(response), "resourceType") == "CapabilityStatement"
        return Delivered(level=Level.L0) if known else RetryLater("not-a-bars-endpoint")

    async def deliver(self, parcel: Parcel, context: Context) -> Outcome:
        """Ask what has to be asked, then send: each question that is not answered well ends it before anything left."""
        if not parcel.address:
            return Rejected("routing:no-service-id")
        if _bundle_id(parcel.body) != parcel.idempotency_key:
            return Rejected("bundle-id-is-not-the-key")  # its answer could never be matched
        if self.settings.discover:
            ask = partial(self._look, context, parcel.address, str(uuid4()))
            use_case = (self.settings.use_context or "").partition("|")[0]
            if refusal := await self._discovery.refusal(parcel.address, use_case, context.now, ask):
                return refusal
        if parcel.kind is DeliveryKind.PLEASE_STOP_USING and (instead := await self._instead(parcel, context)):
            return instead
        outcome = await self._send(parcel, context)
        if isinstance(outcome, Rejected):
            self._discovery.purge(parcel.address)  # what was known of it may be out of date
        return outcome

    async def _instead(self, parcel: Parcel, context: Context) -> Outcome | None:
        """Look whether the referral is still open; None says: send the cancellation.

        Only on the first try. A later one may find closed what the first try closed, so it is sent, which the receiver
        dedupes. A receiver that refuses the question is sent it too: a withdrawal does not wait for a way to ask.
        """
        question = look_up(parcel.body)
        if parcel.attempt > 1 or not question:
            return None
        match await self._look(context, parcel.address, parcel.case, question):
            case Response() as found:
                return closed_already(found, parcel.body)
            case RetryLater() as later:
                return later
            case _:
                return None

    async def _look(self, context: Context, service_id: str, case: str, path: str) -> Response | Outcome:
        """Ask for something and return the 200, or what to do instead: nothing left, so it is never a doubt."""
        request_id = str(uuid4())
        sent = self._headers(request_id, case)
        sent |= {"nhsd-target-identifier": headers.target(service_id)} if service_id else {}
        response = await self._attempt(context, "GET", path, sent)
        if isinstance(response, Response):
            if response.status == 200:
                return response
            response = outcome_of(response, echoed=_echoes(response, request_id, case), now=context.now)
        unclear = isinstance(response, InDoubt | Delivered)
        return RetryLater(getattr(response, "reason", "unexpected-status")) if unclear else response

    async def _send(self, parcel: Parcel, context: Context) -> Outcome:
        """POST the Bundle and read the synchronous reply (200 proves L1, with receiver-assigned ids L2)."""
        sent = self._headers(parcel.idempotency_key, parcel.case) | {
            "nhsd-target-identifier": headers.target(parcel.address),
            "content-type": headers.FHIR_JSON,
        }
        response = await self._attempt(context, "POST", "/$process-message", sent, parcel.body)
        if not isinstance(response, Response):
            return response
        echoed = _echoes(response, parcel.idempotency_key, parcel.case)
        if response.status == 200:
            return _accepted(response, parcel.idempotency_key, echoed=echoed)
        return outcome_of(response, echoed=echoed, now=context.now)

    async def reconcile(self, parcel: Parcel, context: Context) -> Outcome:
        """Find out by sending the same body and ids again: BaRS answers 409 `duplicate` to what it already has.

        A definite refusal proves that the first try was not taken, since a receiver refuses duplicates first.
        """
        match await self._send(parcel, context):
            case Delivered() as arrived:
                return arrived
            case Rejected(reason) if reason != "conflict-human-review":
                return RetryLater(f"not-arrived:{reason}"[:80])
            case outcome:
                return InDoubt(getattr(outcome, "reason", "unknown"))

    def parse_callback(self, request: CallbackRequest) -> Inbound:
        """Read a `servicerequest-response` message; raises `ValueError` for anything else."""
        return read_response(request)

    async def _attempt(
        self, context: Context, method: str, path: str, sent: dict[str, str], content: bytes | None = None
    ) -> Response | Outcome:
        """Send once and return the reply, or say what became of it when there is none."""
        try:
            return await self._authorised(context, method, path, sent, content)
        except TokenRefused as failure:
            return Halt(failure.reason)
        except NotSent as failure:
            return RetryLater(failure.reason)
        except NoReply as failure:
            return InDoubt(failure.reason)

    async def _authorised(
        self, context: Context, method: str, path: str, sent: dict[str, str], content: bytes | None
    ) -> Response:
        """Send with a token; one that the platform no longer takes is renewed once (BaRS 401)."""
        url, starts = self.settings.base_url + path, content is not None
        credential = await self._credential(context)
        response = await context.send(method, url, headers=sent | credential, content=content, starts=starts)
        if response.status == 401 and self._tokens is not None:
            self._tokens.renew(credential["authorization"])
            credential = await self._credential(context)
            response = await context.send(method, url, headers=sent | credential, content=content, starts=starts)
        return response

    async def _credential(self, context: Context) -> dict[str, str]:
        """Return the Authorization header; raises `NotSent` (also `TokenRefused`) when there is no token to be had."""
        settings = self.settings
        if settings.token_url is None:
            return {}
        if self._tokens is None:
            key = context.secrets["private_key"]
            self._tokens = BearerTokens(
                settings.token_url, settings.client_id, key, alg=settings.algorithm, kid=settings.key_id
            )
        return {"authorization": await self._tokens.authorization(context)}

    def _headers(self, request_id: str, case: str) -> dict[str, str]:
        """The headers that every BaRS request carries; what 1.2 and 1.3 do not ask for stands only where it is set."""
        of = self.settings
        sent = {"accept": headers.accept(of.version), "x-request-id": request_id, "x-correlation-id": case}
        if of.organisation_ods and of.organisation_name:
            sent["nhsd-end-user-organisation"] = headers.organisation(of.organisation_ods, of.organisation_name)
        if of.software_system and of.software_id and of.software_name and of.software_version:
            device = headers.software(of.software_system, of.software_id, of.software_name, of.software_version)
            sent["nhsd-requesting-software"] = device
        if of.practitioner_role:
            sent["nhsd-requesting-practitioner"] = headers.practitioner(of.practitioner_role)
        if of.use_context:
            sent["use-context"] = of.use_context
        return sent


def _accepted(response: Response, key: str, *, echoed: bool) -> Outcome:
    """Believe a 200 only when it echoes our ids and holds our Bundle: an intermediary can say 200 too."""
    bundle = json_of(response)
    if not echoed or dig(bundle, "resourceType") != "Bundle":
        return InDoubt("intermediary-answered")
    if dig(bundle, "id") not in {None, key}:
        return InDoubt("reply-names-another-message")
    for entry in dig(bundle, "entry") or ():
        assigned = dig(entry, "resource", "id")
        if dig(entry, "resource", "resourceType") == "ServiceRequest" and isinstance(assigned, str):
            return Delivered(receipt=assigned[:64], level=Level.L2)
    return Delivered(level=Level.L1)


def _echoes(response: Response, request_id: str, case: str) -> bool:
    """Tell whether both ids came back, as the receiver must send them."""
    mirrored = (response.headers.get("x-request-id", ""), response.headers.get("x-correlation-id", ""))
    return tuple(value.lower() for value in mirrored) == (request_id.lower(), case.lower())


def _bundle_id(body: bytes) -> Any:
    """Return the id of the Bundle about to be sent, or None where it is no such thing."""
    try:
        return dig(json.loads(body), "id")
    except (ValueError, RecursionError):
        return None


@hookimpl
def register_connectors(register: Register) -> None:
    """Offer each connector under the id that the manifest uses."""
    register("bars", BarsConnector)
    register("gp-mesh", GpMesh)
    register("fhir-task", FhirTask)
