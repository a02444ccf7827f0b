"""What /openapi.json says is so: every reply has the shape of its example, and what it calls required is required."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from hub.sandbox.case_system import load_share
from hub.security.assertions import token_request
from tests.acceptance.caller import LEFT_OUT, as_json
from tests.acceptance.continuing import section
from tests.acceptance.house import House, until_true
from tests.acceptance.reading import sheet_of
from tests.acceptance.refusals import heard
from tests.acceptance.telling import HOUSING, a_share
from tests.acceptance.trusting import SAFE, link_of, put, release, unsaid

Json = dict[str, Any]


@pytest.fixture(scope="module")
def said(house: House) -> Json:
    """What /openapi.json says."""
    found: Json = house.cases.http.get("/openapi.json").raise_for_status().json()
    return found


@pytest.fixture(scope="module")
def replies(house: House) -> dict[tuple[str, str], httpx.Response]:
    """A real reply of each operation that a case system uses, from one share that is refused for one service."""
    share, cases = load_share("one_refused"), house.cases
    share["sections"].append({"id": "s99", "text": "A line without a label is withheld."})
    preview = cases.post("/v1/shares/preview", share)
    sent = cases.post("/v1/shares", share)
    receipt = sent.json()
    delivery = receipt["deliveries"][0]["id"]
    until_true("it to arrive", lambda: cases.read(receipt["id"])["deliveries"][0]["state"] == "delivered")
    recorded = cases.post(f"/v1/deliveries/{delivery}/heard", heard())
    thanked = cases.post(f"/v1/deliveries/{delivery}/helped", {"how": "kept_in_touch"})
    released = release(cases, cases.send(unsaid(share | {"person": {"reference": "P-2004"}}))["id"])
    about = f"/v1/shares/{receipt['id']}"
    later = {"sections": [section("s20", "goal", "A door that locks."), {"id": "s21", "text": "No label."}]}
    shown = cases.post(f"{about}/addenda/preview", later)
    added = cases.post(f"{about}/addenda", later)
    corrected = cases.post(f"{about}/corrections", {"corrects": "s4"} | later)
    paused = cases.post(f"{about}/pauses", {"section": "s4"})
    told = cases.post(f"{about}/person-told", {"told": "yes", "on": "2026-11-20"})
    form = token_request(cases.client_id, f"{house.url}/oauth/token", cases.key, datetime.now(UTC))
    return {
        ("/oauth/token", "post"): cases.http.post("/oauth/token", data=form),
        ("/v1/shares/preview", "post"): preview,
        ("/v1/shares", "post"): sent,
        ("/v1/deliveries/{delivery_id}/heard", "post"): recorded,
        ("/v1/deliveries/{delivery_id}/helped", "post"): thanked,
        ("/v1/shares", "get"): cases.get(f"/v1/shares?trusted_person={share['trusted_person']['reference']}"),
        ("/v1/shares/{share_id}/choice", "post"): released,
        ("/v1/trusted-people/{reference}", "put"): put(cases, "tp-of-mine", link_of(share)),
        ("/v1/shares/{share_id}", "get"): cases.get(f"/v1/shares/{receipt['id']}"),
        ("/v1/shares/{share_id}/for-the-person", "get"): sheet_of(house, receipt),
        ("/v1/shares/{share_id}/subject-access", "get"): cases.get(f"/v1/shares/{receipt['id']}/subject-access"),
        ("/v1/consents/{record_id}", "get"): cases.get(f"/v1/consents/{receipt['consent']}"),
        ("/v1/consents/{record_id}/withdraw", "post"): cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {}),
        ("/v1/shares/{share_id}/addenda/preview", "post"): shown,
        ("/v1/shares/{share_id}/addenda", "post"): added,
        ("/v1/shares/{share_id}/corrections", "post"): corrected,
        ("/v1/shares/{share_id}/pauses", "post"): paused,
        ("/v1/shares/{share_id}/person-told", "post"): told,
        ("/v1/shares/{share_id}/death", "post"): cases.post(f"{about}/death", {}),
        ("/v1/services", "get"): cases.get("/v1/services"),
        ("/v1/services/open-referral", "get"): cases.get("/v1/services/open-referral"),
    }


def names(document: Any, at: str = "") -> Iterator[str]:
    """Every name in a document with its place; what stands in a list is one place."""
    if isinstance(document, dict):
        for name, inner in document.items():
            yield f"{at}/{name}"
            yield from names(inner, f"{at}/{name}")
    elif isinstance(document, list):
        for inner in document:
            yield from names(inner, f"{at}/*")


def empty(document: Any, at: str = "") -> Iterator[str]:
    """Every place whose list is empty."""
    if document == []:
        yield at
    for name, inner in document.items() if isinstance(document, dict) else ():
        yield from empty(inner, f"{at}/{name}")


def test_every_reply_is_as_its_example(said: Json, replies: dict[tuple[str, str], httpx.Response]) -> None:
    for (path, method), reply in replies.items():
        # given what is said of the status that came
        content = said["paths"][path][method]["responses"][str(reply.status_code)]["content"]
        example = content["application/json"]["example"]

        # then both have the same names in the same places, but for what a list could have held and does not
        real, shown = set(names(reply.json())), set(names(example))
        assert real <= shown, path
        assert {each for each in shown - real if not each.startswith(tuple(empty(reply.json())))} == set(), path


def test_every_header_that_is_called_required_is(house: House, said: Json) -> None:
    tried = 0
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            parameters = operation.get("parameters", [])
            for header in [each for each in parameters if each["in"] == "header" and each["required"]]:
                # given a call without it
                body = as_json(a_share(HOUSING) if "shares" in path else heard() if "heard" in path else {})
                caller = house.other if path.endswith("/answers") else house.cases  # who has the scope that it asks for
                body = as_json({"state": "accepted"}) if path.endswith("/answers") else body
                body = as_json(SAFE if "choice" in path else link_of(a_share(HOUSING))) if _of_trust(path) else body
                headers = caller.headers(body)
                headers.pop(header["name"].lower())
                address = path.format(
                    **dict.fromkeys(("record_id", "delivery_id", "share_id"), uuid.uuid4().hex), reference="tp-1"
                )

                # when it is sent, then it is refused for that, as is said of all that is wrong
                reply = house.cases.http.request(method, address, content=body, headers=headers)
                assert reply.json()["type"].removeprefix("/problems/").startswith(header["name"].lower().split("-")[0])
                _is_a_problem(said, operation, reply)
                tried += 1
    assert tried >= 10


def _of_trust(path: str) -> bool:
    return "choice" in path or "trusted-people" in path


def _is_a_problem(said: Json, operation: Json, reply: httpx.Response) -> None:
    (media_type,) = operation["responses"]["default"]["content"]
    assert reply.headers["content-type"] == media_type
    schema = said["components"]["schemas"]["Problem"]
    assert set(schema["required"]) <= set(reply.json()) <= set(schema["properties"])


def test_a_refused_share_and_a_broken_one_are_problems_as_said(house: House, said: Json) -> None:
    operation = said["paths"]["/v1/shares"]["post"]
    for share in (a_share(HOUSING) | {"services": ["no-such-service"]}, a_share(HOUSING) | {"reference": ""}):
        _is_a_problem(said, operation, house.cases.post("/v1/shares", share))


def test_whatever_takes_a_token_says_so_and_needs_it(house: House, said: Json) -> None:
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            if "security" in operation:
                reply = house.cases.http.request(method, path, content=b"{}", headers={"authorization": LEFT_OUT})
                assert reply.status_code == 401, path
            else:
                assert path.startswith(("/oauth/", "/.well-known/", "/v1/callbacks/", "/fhir/", "/demo/")), path


def test_every_reference_leads_somewhere_and_no_error_shape_is_made_up(said: Json) -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from references(inner)

    found = set(references(said))
    assert {each for each in found if not each.startswith("#/components/schemas/")} == set()
    assert {each.rpartition("/")[2] for each in found} <= set(said["components"]["schemas"])
    assert "HTTPValidationError" not in str(said)
