"""Each thing that a FHIR Task can say has one meaning, and nothing a server sends ends anything but itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub_health_fhir import task_answers
from hub_health_fhir.closed_loop import FhirTask
from hub_health_fhir.news import ITK_CODES
from hub_health_fhir.task_answers import OURS, read_fhir_task

from hub.domain.answer import PERSON_DIED
from hub.mapping import load_mapping, run_cases
from hub.sdk import AnswerState, CallbackRequest
from hub.sdk.manifest import read_manifest

A = AnswerState


def coded(code: str, system: str = "https://service.example/reasons") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    ("said", "request_status", "state", "reason"),
    [
        ({"status": "received"}, "active", A.RECEIVED, ""),
        ({"status": "accepted"}, "active", A.ACCEPTED, ""),
        ({"status": "accepted", "statusReason": coded("signposted")}, "active", A.SIGNPOSTED, "signposted"),
        ({"status": "in-progress"}, "active", A.IN_PROGRESS, ""),
        ({"status": "on-hold"}, "active", A.NEEDS_INFO, ""),
        ({"status": "on-hold", "statusReason": coded("waiting-list")}, "active", A.WAITING_LIST, ""),
        ({"status": "on-hold", "statusReason": coded("could-not-reach")}, "active", A.COULD_NOT_REACH, "not-in-touch"),
        ({"status": "rejected", "statusReason": coded("theirs-alone")}, "active", A.DECLINED, ""),
        ({"status": "rejected", "statusReason": coded("redirect")}, "active", A.REDIRECT_SUGGESTED, "another-service"),
        ({"status": "failed"}, "active", A.DECLINED, "could-not-do-it"),
        ({"status": "cancelled"}, "active", A.DECLINED, "stopped-by-service"),
        ({"status": "requested"}, "revoked", A.DECLINED, "stopped-by-service"),
        ({"status": "accepted"}, "entered-in-error", A.RECEIVED, ""),
        ({"status": "completed"}, "revoked", A.COMPLETED, ""),
        ({"status": "rejected", "statusReason": coded("30004", ITK_CODES)}, "active", A.DECLINED, PERSON_DIED),
        ({"status": "of-the-future"}, "active", A.RECEIVED, "unrecognised-status"),
    ],
)
def test_r35_each_status_has_one_meaning(
    said: dict[str, Any], request_status: str, state: AnswerState, reason: str
) -> None:
    answer = read_fhir_task(said, {"status": request_status})
    assert answer is not None
    assert (answer.state, answer.reason) == (state, reason)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"status": "draft"},
        {"status": "requested"},
        {"status": "cancelled", "statusReason": coded("please-stop-using", OURS)},
        {"status": ["accepted"]},
    ],
)
def test_what_says_nothing_or_is_our_own_word_is_no_answer(said: dict[str, Any]) -> None:
    assert read_fhir_task(said, {}) is None


def test_a_wish_to_stop_is_not_declined_because_we_revoked_the_request() -> None:
    said = {"status": "requested", "code": coded("abort")}
    assert read_fhir_task(said, {"status": "revoked"}) is None


def test_r21_what_they_wrote_is_text_and_never_a_reason() -> None:
    # given / when
    said = {"status": "rejected", "statusReason": {"text": "She is at 1 High Street."}, "note": [{"text": "Ring us."}]}
    answer = read_fhir_task(said | {"businessStatus": coded("do-not-tell-yet")}, {})
    # then
    assert answer is not None
    assert (answer.reason, answer.text) == ("in-their-words", "She is at 1 High Street.\n\nRing us.")
    assert answer.do_not_tell_yet


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", ""),
        (json.dumps({"resourceType": "Task", "id": "t1", "status": "completed"}).encode(), "t1"),
        (
            json.dumps(
                {
                    "resourceType": "Bundle",
                    "entry": [
                        {
                            "resource": {
                                "resourceType": "SubscriptionStatus",
                                "notificationEvent": [{"focus": {"reference": "https://x.example/Task/t2"}}],
                            }
                        }
                    ],
                }
            ).encode(),
            "t2",
        ),
    ],
)
def test_a_notification_is_never_content(body: bytes, named: str) -> None:
    inbound = FhirTask.parse_callback(None, CallbackRequest({}, body))  # type: ignore[arg-type]
    assert (inbound.look, inbound.reference, inbound.answers, inbound.level) == (True, named, (), None)


@pytest.mark.parametrize("body", [b"{", b"[" * 50_000, b"[1]", b'{"state": "accepted"}'])
def test_what_is_no_fhir_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="not-fhir"):
        FhirTask.parse_callback(None, CallbackRequest({}, body))  # type: ignore[arg-type]


def test_the_poll_keeps_to_the_floor_and_the_manifest_to_the_mapping() -> None:
    # given
    package = Path(task_answers.__file__).parent
    manifest = read_manifest(package / "manifest.toml").connectors["fhir-task"]
    mapping = load_mapping(package / "mappings" / manifest.mapping, package / "codes")
    # then
    assert (manifest.poll_minutes or 0) >= 15
    assert set(manifest.accepts) == mapping.categories
    assert [each for each in run_cases(package / "mappings" / manifest.mapping) if not each.passed] == []
