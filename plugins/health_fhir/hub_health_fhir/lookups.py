"""What the BaRS sandbox says when it is asked: what it takes, and how the referrals that it holds stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from hub.sdk.testing.ledger import Entry
from hub_health_fhir.callbacks import Message, dig, words
from hub_health_fhir.headers import DOS, USE_CASES
from hub_health_fhir.replies import assigned

Resource = dict[str, Any]

#: A target value such as NHS0001-metadata-503 or NHS0001-definitions-404 asks for that error of that question.
SIMULATED = re.compile(r"-(metadata|definitions|referrals)-(\d{3})(?:-([a-z-]+))?$")
#: NHS0001-definitions-none lists nothing, NHS0001-definitions-other another message alone.
LISTS = re.compile(r"-definitions-(none|other)$")

STATEMENT: Resource = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2026-01-01",
    "kind": "instance",
    "implementation": {"description": "BaRS sandbox"},
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [{"mode": "server", "operation": [{"name": "process-message", "definition": "OperationDefinition"}]}],
}


def definitions(service_id: str) -> Resource:
    """List what this service takes, in the publisher's own shape: `useContext.code` is a list, which R4 forbids."""
    listed = LISTS.search(service_id)
    events = {"none": [], "other": ["booking-request"]}.get(listed[1] if listed else "", ["servicerequest-request"])
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(events),
        "entry": [{"resource": _definition(event, service_id)} for event in events],
    }


def _definition(event: str, service_id: str) -> Resource:
    codes = [{"system": DOS, "code": service_id}, {"system": USE_CASES, "code": "a1t1"}]
    return {
        "resourceType": "MessageDefinition",
        "url": f"https://fhir.nhs.uk/MessageDefinition/bars-message-{event}-referral",
        "status": "active",
        "date": "2026-01-01",
        "eventCoding": {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": event},
        "useContext": [{"code": codes}],
        "focus": [{"code": "ServiceRequest", "min": 1, "max": "1"}],
    }


def referrals(reference: str, taken: Sequence[Entry], said: dict[str, str]) -> Resource:
    """List the referrals of a reference as they stand; `said` is the status that the service itself gave each case."""
    cases: dict[str, Resource] = {}
    for entry, referral in _referrals(taken):
        if reference not in {words(dig(each, "value")) for each in referral.get("identifier", [])}:
            continue
        known = cases.setdefault(entry.case, referral)
        known["status"] = "revoked" if _deletes(entry) else referral["status"]
    found = [{"resource": each | {"status": said.get(case, each["status"])}} for case, each in cases.items()]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found}


def _referrals(taken: Sequence[Entry]) -> Iterator[tuple[Entry, Resource]]:
    for entry in taken:
        message = Message.parse(json.dumps(assigned(json.loads(entry.body))).encode())
        yield entry, message.first("ServiceRequest")


def _deletes(entry: Entry) -> bool:
    header = Message.parse(entry.body).first("MessageHeader")
    return words(dig(header, "reason", "coding", 0, "code")) == "delete"


def simulated(question: str, service_id: str) -> tuple[int, str] | None:
    """Return the status and issue code that a target value asks for, of this question."""
    found = SIMULATED.search(service_id)
    return (int(found[2]), found[3] or "") if found and found[1] == question else None
