"""R10: at most eight fields, in the trusted person's own case system; no screen or login of the hub."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hub.sandbox.case_system import CaseSystem
from hub.sandbox.stage import Stage, wait_for
from tests.acceptance.telling import HOUSING, a_share, consent_of, copy_of

#: What a worker types, and all that they type (R10).
FORM: dict[str, Any] = {
    "person": "P-2002",
    "services": [HOUSING],
    "what_they_want_said": "I want a door that locks.",
    "agreed": {"on": "2026-11-19", "how": "spoken"},
    "leave_out": ["housing"],
    "safe_contact": {"phone": "07700 900456", "safe_to_call": "yes", "leave_message": "no", "text_ok": "no"},
    "until": "2027-01-31",
    "urgent": True,
}


def source_mapping(form: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """Turn the worker's form into a share, as partner IT set it up once: all else comes from the record on file."""
    share = copy_of(record) | {"person": {"reference": form["person"]}, "urgent": form["urgent"]}
    share["consents"] = [consent_of(share, service) for service in form["services"]]
    for section in share["sections"]:
        if section["category"] == "in_their_words":
            section["text"] = form["what_they_want_said"]
        if section["category"] == "contact":
            section["fields"] = form["safe_contact"]
    for consent in share["consents"]:
        consent["agreed"] |= form["agreed"]
        consent["until"] = form["until"]
        consent["categories"] = [each for each in consent["categories"] if each not in form["leave_out"]]
    return share


def test_r10_eight_fields_are_enough_and_the_hub_says_what_the_choice_leaves_out(stage: Stage) -> None:
    # given a form of eight fields, one of which leaves out what housing cannot do without
    assert len(FORM) == 8
    with pytest.raises(Exception, match="nothing-may-go") as refused:
        stage.cases.send(source_mapping(FORM, a_share()))
    (reason,) = refused.value.problem["refused"]  # type: ignore[attr-defined]
    assert (reason["type"], reason["pointer"]) == ("document-incomplete", "/consents/0/categories")

    # when the worker puts that back and sends it again
    form = FORM | {"leave_out": ["approach"]}
    receipt = stage.cases.send(source_mapping(form, a_share()))

    # then the service gets the eight fields' words and not what was left out, and its answer comes back
    entry = next(
        wait_for(
            "the parcel", lambda: [e for e in stage.housing.entries() if receipt["reference"] in e.body.decode()]
        ).__iter__()
    )
    body = entry.body.decode()
    assert form["what_they_want_said"] in body
    assert form["safe_contact"]["phone"] in body
    assert "Text first." not in body
    wait_for("the answer", lambda: stage.cases.read(receipt["id"])["deliveries"][0]["answer"] == "accepted")


def test_r10_the_worker_needs_no_account_and_the_hub_has_no_screen(stage: Stage) -> None:
    # given every address that the hub publishes
    published = httpx.get(f"{stage.hub.url}/openapi.json", timeout=10).json()["paths"]
    assert "/v1/shares" in published

    # when each is opened as a browser would open it, and as one that asks for the usual pages of a login
    pages = [*published, "/", "/login", "/signin", "/account", "/docs", "/redoc"]
    with httpx.Client(base_url=stage.hub.url, headers={"accept": "text/html"}, follow_redirects=False) as browser:
        replies = [browser.get(path) for path in pages]

    # then none is a page, asks for a password, sets a cookie or sends the browser elsewhere
    assert {reply.headers["content-type"].partition(";")[0] for reply in replies} <= {
        "application/json",
        "application/problem+json",
        "application/fhir+json",
    }
    assert not [reply for reply in replies if "set-cookie" in reply.headers or reply.is_redirect]
    assert not [reply for reply in replies if "basic" in reply.headers.get("www-authenticate", "").lower()]


def test_r10_the_worker_is_an_opaque_id_that_needs_no_registering(stage: Stage) -> None:
    # given the case system, and a worker of whom the hub has never heard
    cases: CaseSystem = stage.cases
    # when the worker's share is sent
    receipt = cases.send(a_share())
    # then it is taken, and nothing that the sender can read names the worker
    assert "worker-7" not in str(cases.read(receipt["id"]))
