"""What a response says beside its decision: a death stops everything, and a word of care reaches the worker."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hub_health_fhir.callbacks import read_response
from hub_health_fhir.news import ITK_CODES

from hub.domain.answer import PERSON_DIED
from hub.sdk import Answer, AnswerState, CallbackRequest

ORIGINAL = "2f6d1c1e-6f0a-4c58-9d0b-0d6f7c1f8a11"


def read(*more: dict[str, Any]) -> Answer:
    """Read an acceptance that holds more resources."""
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"code": "servicerequest-response"},
        "response": {"identifier": ORIGINAL, "code": "ok"},
    }
    entries = [header, {"resourceType": "ServiceRequest", "status": "active"}, *more]
    bundle = {"resourceType": "Bundle", "type": "message", "entry": [{"resource": each} for each in entries]}
    request = CallbackRequest({"x-request-id": str(uuid.uuid4())}, json.dumps(bundle).encode())
    (answer,) = read_response(request).answers
    return answer


def flag(code: str, status: str = "active") -> dict[str, Any]:
    return {"resourceType": "Flag", "status": status, "code": {"coding": [{"code": code}]}}


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "deceasedBoolean": True},
        {"resourceType": "Patient", "deceasedDateTime": "2026-11-20"},
        {
            "resourceType": "OperationOutcome",
            "issue": [{"details": {"coding": [{"system": ITK_CODES, "code": "30004"}]}}],
        },
    ],
)
def test_r69_a_death_outweighs_what_was_decided(resource: dict[str, Any]) -> None:
    answer = read(resource)
    assert (answer.state, answer.reason) == (AnswerState.DECLINED, PERSON_DIED)


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "deceasedBoolean": False},
        {"resourceType": "Patient", "deceasedBoolean": "true"},
        {"resourceType": "Patient", "deceasedDateTime": " "},
        {"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [{"code": "30004"}]}}]},
        {"resourceType": "OperationOutcome", "issue": "30004"},
        {
            "resourceType": "OperationOutcome",
            "issue": [{"details": {"coding": [{"system": ITK_CODES, "code": 30004}]}}],
        },
        {"resourceType": "Flag", "status": "active", "code": {"coding": "check-with-person"}},
        flag("check-with-person", "inactive"),
        flag("safeguarding"),  # of theirs: nobody agreed that it comes back (R21)
    ],
)
def test_what_only_looks_like_news_changes_nothing(resource: dict[str, Any]) -> None:
    assert read(resource) == read() == Answer(AnswerState.ACCEPTED)


def test_r40_and_r21_a_word_of_care_travels_beside_the_decision() -> None:
    # given / when
    careful = read(flag("check-with-person"), flag("do-not-tell-yet"))
    # then
    assert careful == Answer(AnswerState.ACCEPTED, check_with_person=True, do_not_tell_yet=True)
    assert not read(flag("check-with-person")).do_not_tell_yet
