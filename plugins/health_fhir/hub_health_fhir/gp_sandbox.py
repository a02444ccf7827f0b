"""A GP practice behind a MESH of its own to try the connector on: it checks an ITK3 message and acknowledges it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from hub.sdk.testing.mesh import Post, PostOffice, Written
from hub.sdk.testing.sandbox import Sandbox
from hub.sdk.testing.serve import Surroundings, run
from hub_health_fhir.callbacks import Message, dig
from hub_health_fhir.itk3 import SUCCESS, expects
from hub_health_fhir.news import ITK_CODES
from hub_health_fhir.replies import is_valid

#: What a practice's system answers to a message that it cannot check, or that asks for no acknowledgement.
INVALID, BAD_HANDLING = "20009", "10008"


def acknowledgement(about: str, code: str) -> dict[str, Any]:
    """Write an ITK3 response: the message's own identifier, and one code in an OperationOutcome."""
    good = code in {SUCCESS, "30001"}
    outcome, header = f"urn:uuid:{uuid4()}", str(uuid4())
    coding = {"system": ITK_CODES, "code": code}
    issue = {"severity": "information" if good else "fatal", "code": "informational" if good else "processing"}
    event = {"system": "https://fhir.nhs.uk/STU3/CodeSystem/ITK-MessageEvent-2", "code": "ITK008M"}
    response = {"identifier": about, "code": "ok" if good else "fatal-error", "details": {"reference": outcome}}
    head = {"resourceType": "MessageHeader", "id": header, "eventCoding": event, "response": response}
    head |= {"source": {"name": "A practice's system", "endpoint": "urn:uuid:" + header}}
    told = {"resourceType": "OperationOutcome", "issue": [issue | {"details": {"coding": [coding]}}]}
    entries = [(f"urn:uuid:{header}", head), (outcome, told)]
    parts = [{"fullUrl": url, "resource": resource} for url, resource in entries]
    return {"resourceType": "Bundle", "id": str(uuid4()), "type": "message", "entry": parts}


def answer(post: Post, said: dict[str, Any]) -> Written:
    """Acknowledge a message with the `code` that is asked for, or with what is wrong with the message."""
    bundle = json.loads(post.body)
    header = Message.parse(post.body).first("MessageHeader")
    code = str(said.get("code", SUCCESS))
    if not is_valid(bundle) or not is_valid(dig(bundle, "entry", 3, "resource")):
        code = INVALID
    elif expects(post.body) < {"InfAckRequested", "BusAckRequested"}:
        code = BAD_HANDLING
    message = acknowledgement(str(said.get("about") or header.get("id")), code)
    assert is_valid(message)
    return Written(json.dumps(message).encode(), "application/fhir+json", "acknowledgement.json")


def make(around: Surroundings) -> Sandbox:
    """Make the post office with the practice behind it."""
    return PostOffice(around, answer).sandbox


if __name__ == "__main__":
    run(make)
