"""The BaRS receiver's own rules: what it takes, and what it refuses with which code."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.bundle import Bundle
from hub_health_fhir import headers

from hub.sdk.testing.process import SandboxProcess

pytestmark = pytest.mark.anyio


async def test_the_receiver_takes_the_publishers_own_request(sandbox_open: SandboxProcess, samples: Any) -> None:
    # given
    body = (samples / "servicerequest-request.validation.json").read_bytes()
    Bundle.model_validate_json(body)
    sent = sandbox_headers("111111111")
    # when
    reply = httpx.post(f"{sandbox_open.url}/$process-message", content=body, headers=sent)
    # then: the sample writes its service id with http, which this receiver reads as another service
    assert reply.status_code == 400
    assert reply.json()["issue"][0]["code"] == "invariant"
    assert reply.headers["x-request-id"] == sent["x-request-id"]
    mended = body.replace(b"http://fhir.nhs.uk/Id/dos-service-id|", b"https://fhir.nhs.uk/Id/dos-service-id|")
    assert httpx.post(f"{sandbox_open.url}/$process-message", content=mended, headers=sent).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_only_post_is_allowed(method: str, sandbox_open: SandboxProcess) -> None:
    reply = httpx.request(method, f"{sandbox_open.url}/$process-message")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("name", "value", "status", "issue"),
    [
        ("x-request-id", "not-a-uuid", 400, "required"),
        ("x-correlation-id", "", 400, "required"),
        ("nhsd-target-identifier", "%%%", 400, "structure"),
        ("nhsd-target-identifier", base64.b64encode(b'{"value":"1"}').decode(), 400, "structure"),
        ("nhsd-end-user-organisation", base64.b64encode(b"[]").decode(), 400, "structure"),
        ("nhsd-requesting-software", "", 400, "structure"),
        ("use-context", "a1t1", 400, "required"),
        ("accept", "application/json", 406, "processing"),
    ],
)
async def test_the_receiver_checks_every_header(
    name: str, value: str, status: int, issue: str, sandbox_open: SandboxProcess
) -> None:
    reply = httpx.post(
        f"{sandbox_open.url}/$process-message", content=b"{}", headers=sandbox_headers("1") | {name: value}
    )
    assert reply.status_code == status
    assert reply.json()["issue"][0]["code"] == issue


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        (b"no json", "structure"),
        (b'{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"Nope"}}]}', "structure"),
        (b'{"resourceType":"Bundle","type":"message"}', "structure"),
        (b'{"resourceType":"Patient"}', "structure"),
    ],
)
async def test_the_receiver_checks_the_body(body: bytes, issue: str, sandbox_open: SandboxProcess) -> None:
    reply = httpx.post(f"{sandbox_open.url}/$process-message", content=body, headers=sandbox_headers("1"))
    assert (reply.status_code, reply.json()["issue"][0]["code"]) == (400, issue)


@pytest.mark.parametrize(
    ("path", "change", "status", "issue"),
    [
        ("/metadata", {"accept": "application/fhir+json"}, 406, "processing"),
        ("/MessageDefinition?context=another", {}, 400, "required"),
        ("/MessageDefinition", {"nhsd-target-identifier": "%%%"}, 400, "structure"),
        ("/ServiceRequest?ServiceRequest.identifier=K7M-4QX", {"x-request-id": ""}, 400, "required"),
    ],
)
async def test_a_question_is_checked_as_a_message_is(
    path: str, change: dict[str, str], status: int, issue: str, sandbox_open: SandboxProcess
) -> None:
    reply = httpx.get(f"{sandbox_open.url}{path}", headers=sandbox_headers("1") | change)
    assert (reply.status_code, reply.json()["issue"][0]["code"]) == (status, issue)


def sandbox_headers(service: str) -> dict[str, str]:
    return {
        "nhsd-target-identifier": headers.target(service),
        "nhsd-end-user-organisation": headers.organisation("A1001", "Riverside day centre"),
        "nhsd-requesting-software": headers.software("https://hub.example/Id/device", "1", "Hub", "1"),
        "use-context": "a1t1|referral|servicerequest-request|new",
        "accept": headers.ACCEPT,
        "content-type": headers.FHIR_JSON,
        "x-request-id": "c1ab3fba-6bae-4ba4-b257-5a87c44d4a91",
        "x-correlation-id": "9562466f-c982-4bd5-bb0e-255e9f5e6689",
    }
