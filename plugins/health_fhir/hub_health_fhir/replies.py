"""The documents that the BaRS sandbox writes: OperationOutcome, the synchronous reply, the later response message."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from hub_health_fhir.callbacks import Message, dig, words
from hub_health_fhir.headers import DOS

Resource = dict[str, Any]

#: status -> (error code, issue code): the first that BaRS 1.4 lists; a target value may name another issue code.
FAULTS = {
    400: ("REC_BAD_REQUEST", "invalid"),
    401: ("SEND_UNAUTHORIZED", "expired"),
    403: ("SEND_FORBIDDEN", "forbidden"),
    404: ("PROXY_NOT_FOUND", "not-found"),
    405: ("REC_METHOD_NOT_ALLOWED", "not-supported"),
    406: ("REC_NOT_ACCEPTABLE", "processing"),
    408: ("REC_TIMEOUT", "timeout"),
    409: ("REC_CONFLICT", "duplicate"),
    422: ("REC_UNPROCESSABLE_ENTITY", "not-supported"),
    425: ("REC_TOO_EARLY", "duplicate"),
    429: ("REC_TOO_MANY_REQUESTS", "throttled"),
    500: ("REC_SERVER_ERROR", "exception"),
    501: ("REC_NOT_IMPLEMENTED", "not-supported"),
    503: ("REC_SERVICE_UNAVAILABLE", "transient"),
}

#: What the partner can say -> (ServiceRequest.status, Encounter.status, message reason).
DECISIONS = {
    "accepted": ("active", "planned", "new"),
    "in_progress": ("active", "in-progress", "new"),
    "completed": ("completed", "finished", "update"),
    "declined": ("revoked", "cancelled", "update"),
}


def operation_outcome(status: int, issue: str = "", diagnostics: str = "") -> Resource:
    """Write the error document for a status; `diagnostics` never carries patient data."""
    code, usual = FAULTS[status]
    coding = {"system": "https://fhir.nhs.uk/Codesystem/http-error-codes", "code": code}
    told = {"severity": "error", "code": issue or usual, "details": {"coding": [coding]}}
    return {
        "resourceType": "OperationOutcome",
        "id": str(uuid4()),
        "issue": [told | ({"diagnostics": diagnostics} if diagnostics else {})],
    }


def is_valid(bundle: Resource) -> bool:
    """Tell whether a document is a Bundle of FHIR R4 shape; an unknown resource type inside is not."""
    try:
        Bundle.model_validate(bundle)
    except (ValidationError, KeyError):
        return False
    return True


def fault_of(message: Message, service_id: str) -> tuple[int, str] | None:
    """Check a request as a BaRS receiver would; returns the status and issue code to refuse it with."""
    bundle = message.bundle
    if not is_valid(bundle):
        return 400, "structure"
    header = dig(bundle, "entry", 0, "resource")
    if bundle.get("type") != "message" or dig(header, "resourceType") != "MessageHeader":
        return 400, "structure"
    if not bundle.get("id") or not all(url.startswith("urn:uuid:") for url, _ in message.resources):
        return 400, "required"
    if dig(header, "eventCoding", "code") != "servicerequest-request":
        return 422, "not-supported"
    if dig(header, "destination", 0, "endpoint") != f"{DOS}|{service_id}":
        return 400, "invariant"
    focus = message.follow(dig(header, "focus", 0))
    reason, status = dig(header, "reason", "coding", 0, "code"), focus.get("status")
    known = {
        ("new", "active"),
        ("update", "active"),
        ("update", "revoked"),
        ("delete", "revoked"),
        ("delete", "active"),
    }
    return None if (reason, status) in known else (400, "invariant")


def assigned(bundle: Resource) -> Resource:
    """Write the synchronous reply: the same Bundle, with the receiver's own id on every resource."""
    key = words(bundle.get("id"))
    entries = [
        entry | {"resource": entry["resource"] | {"id": str(uuid5(NAMESPACE_URL, f"{key} {entry.get('fullUrl')}"))}}
        for entry in bundle["entry"]
    ]
    return bundle | {"entry": entries}


def response_message(original: Resource, said: dict[str, Any], now: datetime) -> Resource:
    """Write a `servicerequest-response` to an earlier request; raises `KeyError` for a decision that is not one.

    `said` holds `decision`, and optionally `owner`, `reason`, `text` and `reference` (a message to answer instead).
    """
    message = Message(original, tuple((words(entry.get("fullUrl")), entry["resource"]) for entry in original["entry"]))
    status, encounter_status, reason = DECISIONS[said["decision"]]
    referral = message.first("ServiceRequest")
    urls = {name: f"urn:uuid:{uuid4()}" for name in ("header", "encounter", "referral", "owner", "team")}
    encounter: Resource = {
        "resourceType": "Encounter",
        "status": encounter_status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
    }
    answered = referral | {
        "status": status,
        "encounter": {"reference": urls["encounter"]},
        "performer": [{"reference": urls["owner"]}],
        "subject": referral["subject"],
    }
    answered.pop("supportingInfo", None)
    answered.pop("requester", None)
    if said.get("reason"):
        encounter["reasonCode"] = answered["reasonCode"] = [{"text": said["reason"]}]
    if said.get("text"):
        answered["note"] = [{"text": said["text"]}]
    owner: Resource = {"resourceType": "PractitionerRole", "organization": {"reference": urls["team"]}}
    if said.get("owner"):
        owner["code"] = [{"text": said["owner"]}]
    service = message.first("HealthcareService").get("name") or "The receiving service"
    parts = {
        "header": _header(message, said.get("reference") or original["id"], reason, urls),
        "referral": answered,
        "encounter": encounter,
        "owner": owner,
        "team": {"resourceType": "Organization", "name": service},
    }
    entries = [{"fullUrl": urls[name], "resource": resource} for name, resource in parts.items()]
    subject = dig(referral, "subject", "reference")
    entries += [entry for entry in original["entry"] if entry.get("fullUrl") == subject]
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "message",
        "timestamp": now.isoformat(timespec="seconds"),
        "entry": entries,
    }


def _header(message: Message, answers: str, reason: str, urls: dict[str, str]) -> Resource:
    request = message.first("MessageHeader")
    return {
        "resourceType": "MessageHeader",
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "servicerequest-response",
        },
        "destination": [{"endpoint": dig(request, "source", "endpoint")}],
        "sender": {"reference": urls["team"]},
        "responsible": {"reference": urls["owner"]},
        "source": {"endpoint": dig(request, "destination", 0, "endpoint")},
        "reason": {"coding": [{"system": "https://fhir.nhs.uk/CodeSystem/message-reason-bars", "code": reason}]},
        "response": {"identifier": answers, "code": "ok"},
        "focus": [{"reference": urls["referral"]}],
    }
