"""What a service's message means: each kind of response, both cancel styles, and messages of every odd shape."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_health_fhir.callbacks import OUR_REASON
from hub_health_fhir.connector import BarsConnector

from hub.domain.answer import PROVES, returnable
from hub.sdk import AnswerState, CallbackRequest, Inbound, Level

Make = Callable[..., Any]
ORIGINAL = "2f6d1c1e-6f0a-4c58-9d0b-0d6f7c1f8a11"


def message(
    *resources: dict[str, Any],
    reason: str = "new",
    code: str = "ok",
    event: str = "servicerequest-response",
    **more: Any,
) -> dict[str, Any]:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"code": event},
        "reason": {"coding": [{"code": reason}]},
        "response": {"identifier": ORIGINAL, "code": code},
    } | more
    entries = [{"fullUrl": f"urn:uuid:{number}", "resource": each} for number, each in enumerate((header, *resources))]
    return {"resourceType": "Bundle", "type": "message", "id": "m-1", "entry": entries}


def referral(status: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "ServiceRequest", "status": status} | more


def encounter(status: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Encounter", "status": status} | more


def parse(bundle: Any, headers: dict[str, str] | None = None) -> Inbound:
    body = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()
    return BarsConnector.parse_callback(None, CallbackRequest(headers or {}, body))  # type: ignore[arg-type]


A = AnswerState
REASON = [{"text": "Outside our area"}]
NO_SHOW = {"resourceType": "Appointment", "status": "noshow"}


@pytest.mark.parametrize(
    ("bundle", "state", "stage"),
    [
        (message(referral("active")), A.ACCEPTED, ""),
        (message(referral("active"), encounter("planned")), A.ACCEPTED, ""),
        (message(referral("active"), encounter("in-progress")), A.IN_PROGRESS, ""),
        (message(referral("active"), encounter("arrived")), A.IN_PROGRESS, ""),
        (message(referral("active"), encounter("finished")), A.COMPLETED, ""),
        (message(referral("active"), encounter("triaged")), A.COMPLETED, ""),
        (message(referral("completed")), A.COMPLETED, ""),
        (message(referral("completed"), encounter("in-progress")), A.COMPLETED, ""),
        (message(referral("on-hold")), A.WAITING_LIST, ""),
        (message(referral("active"), encounter("cancelled")), A.DECLINED, ""),
        (message(referral("revoked"), reason="update"), A.DECLINED, ""),
        (message(referral("revoked"), encounter("finished")), A.DECLINED, ""),
        (message(referral("revoked"), encounter("cancelled")), A.DECLINED, ""),
        # Partner contracts 2.1: a rejection has an Encounter that is cancelled and a reason, or is a revoked referral;
        # of a person who did not attend, the referral is revoked in a message whose reason is `new`.
        (message(referral("revoked"), encounter("cancelled", reasonCode=REASON)), A.DECLINED, ""),
        (message(referral("active"), encounter("cancelled", reasonCode=REASON)), A.DECLINED, ""),
        (message(referral("revoked", reasonCode=REASON)), A.DECLINED, ""),
        (message(referral("revoked", reasonCode=[{"coding": [{"code": "X-17"}]}])), A.DECLINED, ""),
        (message(referral("revoked"), encounter("in-progress", reasonCode=REASON)), A.DECLINED, ""),
        (message(referral("revoked"), reason=""), A.DECLINED, ""),
        (message(referral("revoked")), A.COULD_NOT_REACH, "did_not_attend"),
        (message(referral("revoked", reasonCode=[])), A.COULD_NOT_REACH, "did_not_attend"),
        (message(referral("revoked"), encounter("planned")), A.COULD_NOT_REACH, "did_not_attend"),
        (message(referral("revoked"), encounter("in-progress")), A.COULD_NOT_REACH, "did_not_attend"),
        (message(referral("revoked"), NO_SHOW, reason="update"), A.COULD_NOT_REACH, "did_not_attend"),
        (message(referral("revoked", reasonCode=REASON), NO_SHOW), A.COULD_NOT_REACH, "did_not_attend"),
        (message(referral("active"), encounter("planned"), NO_SHOW), A.ACCEPTED, ""),
        (message(referral("active"), reason="delete"), A.DECLINED, ""),
        (
            message(referral("revoked", reasonCode=[{"text": OUR_REASON}]), reason="delete"),
            A.RECEIVED,
            "revoked_as_asked",
        ),
        (
            message(referral("revoked", reasonCode=[{"text": OUR_REASON}]), reason="update"),
            A.RECEIVED,
            "revoked_as_asked",
        ),
        (message(referral("entered-in-error")), A.RECEIVED, "entered_in_error"),
        (message(referral("active"), encounter("entered-in-error")), A.RECEIVED, "entered_in_error"),
        (message(referral("brand-new-status")), A.RECEIVED, "unrecognised_status"),
        (message(referral("active"), encounter("brand-new")), A.RECEIVED, "unrecognised_status"),
        (message(), A.RECEIVED, "unrecognised_status"),
    ],
)
def test_each_kind_of_response_has_one_meaning(bundle: Any, state: AnswerState, stage: str) -> None:
    inbound = parse(bundle)
    assert inbound.reference == ORIGINAL
    [answer] = inbound.answers
    assert (answer.state, answer.stage) == (state, stage)


def test_r15_our_own_request_to_stop_echoed_back_is_no_reason_of_theirs(mapping: Any, mappings: Path) -> None:
    # given: what our cancellation really says
    cases = mappings / "bars-servicerequest" / "1.0.0" / "cases"
    sent = json.loads(mapping.run(json.loads((cases / "please-stop-using.in.json").read_text(encoding="utf-8"))))
    [ours] = [each["resource"] for each in sent["entry"] if each["resource"]["resourceType"] == "ServiceRequest"]
    # when it comes back as it was, beside a word of theirs
    [answer] = parse(message(ours | {"note": [{"text": "Ring us"}]}, reason="update")).answers
    # then nobody is said to have stopped, or to keep anything
    assert (answer.state, answer.stage, answer.reason) == (A.RECEIVED, "revoked_as_asked", "")
    assert answer.text == "Ring us"


def test_who_did_not_attend_by_a_code_alone_is_rung_and_is_not_said_to_have_missed_anything() -> None:
    # given: no appointment in it, so a service that says no in this shape cannot be told apart
    [unsure] = parse(message(referral("revoked", note=[{"text": "Ring us"}]))).answers
    [sure] = parse(message(referral("revoked"), NO_SHOW)).answers
    # then: the share stays open, and the trusted person is told what to do
    assert unsure.text == "Ring us\n\nTheir system says by a code alone that the person did not attend. " + (
        "Ring them to hear what happened."
    )
    assert sure.text == ""


def test_the_message_is_named_by_its_header_or_else_by_its_bundle() -> None:
    assert parse(message(referral("active")), {"x-request-id": "r-1"}).message_id == "r-1"
    assert parse(message(referral("active"))).message_id == "m-1"


@pytest.mark.parametrize("code", ["fatal-error", "transient-error"])
def test_a_message_that_could_not_be_taken_in_proves_no_reading_and_asks_nothing(code: str) -> None:
    # given a negative acknowledgement that echoes the referral as if all were well
    inbound = parse(message(referral("active"), code=code))
    # then no clock for a reading or a decision stops, and what to do is said
    [answer] = inbound.answers
    assert (inbound.level, PROVES[answer.state]) == (None, Level.L0)
    assert (answer.reason, answer.owner) == ("receiver-could-not-process", "")
    assert answer.text == "Their system could not read it. Ring them."


def test_a_reason_in_the_service_s_own_words_is_text_and_never_a_reason() -> None:
    """R21: who agreed that a reason returns has not agreed to what a service writes freely about a person."""
    said = encounter("cancelled", reasonCode=[{"coding": [{"display": "No capacity"}]}, {"text": "Sam hit a nurse"}])
    [worded] = parse(message(said, referral("revoked", note=[{"text": "Ring us"}]))).answers
    [coded] = parse(message(encounter("cancelled", reasonCode=[{"coding": [{"code": "X-17"}]}]))).answers
    assert (worded.reason, worded.text) == ("in-their-words", "No capacity\n\nSam hit a nurse\n\nRing us")
    assert (coded.reason, coded.text) == ("", "")
    kept, held_back = returnable(worded, ["state", "reason"])
    assert (kept.text, held_back) == ("", ("text",))


def test_a_named_practitioner_with_a_role_is_the_owner() -> None:
    # given
    bundle = message(
        referral("active", performer=[{"reference": "urn:uuid:2"}]),
        {
            "resourceType": "PractitionerRole",
            "practitioner": {"reference": "Practitioner/p9"},
            "code": [{"coding": [{"display": "Community nurse"}]}],
        },
        {"resourceType": "Practitioner", "id": "p9", "name": [{"given": ["Marcy"], "family": "Blake"}]},
    )
    # then
    assert parse(bundle).answers[0].owner == "Marcy Blake, Community nurse"


def test_our_own_trusted_person_echoed_back_is_not_taken_for_an_owner() -> None:
    bundle = message(
        referral("active", requester={"reference": "urn:uuid:2"}),
        {"resourceType": "PractitionerRole", "code": [{"text": "Front desk"}]},
    )
    assert parse(bundle).answers[0].owner == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"resourceType": "Bundle"}).encode(),
        json.dumps({"resourceType": "Bundle", "id": "x", "entry": "no"}).encode(),
        json.dumps(message(event="servicerequest-request")).encode(),
        json.dumps(message(response={})).encode(),
        json.dumps(message(response=None)).encode(),
        json.dumps(message(referral("active")) | {"id": None}).encode(),
    ],
)
def test_what_is_not_an_answer_to_us_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^(not|answers|no)-"):
        parse(body)


@pytest.mark.parametrize(
    "file", ["servicerequest-request.validation.json", "sync-http-response.validation.json", "capabilitystatement.json"]
)
def test_the_publishers_samples_are_read_and_are_no_responses(file: str, samples: Path) -> None:
    with pytest.raises(ValueError, match=r"^not-a-"):
        parse((samples / file).read_bytes())


def test_the_publishers_request_turned_into_a_response_is_read(samples: Path) -> None:
    # given: their request Bundle with the two changes that make it a response
    bundle = json.loads((samples / "servicerequest-request.validation.json").read_bytes())
    header = bundle["entry"][0]["resource"]
    header["eventCoding"]["code"] = "servicerequest-response"
    header["response"] = {"identifier": ORIGINAL, "code": "ok"}
    # when
    inbound = parse(bundle)
    # then
    assert inbound.reference == ORIGINAL
    assert inbound.answers[0].state is AnswerState.COMPLETED  # their Encounter is triaged
    assert inbound.answers[0].owner == "Consulting psychologists and/or psychology services"


def test_nothing_but_a_value_error_escapes_however_the_message_is_broken() -> None:
    # given: 2,000 messages, each with one part of a good one replaced by something of another shape
    good = message(
        referral(
            "active",
            performer=[{"reference": "urn:uuid:3"}],
            note=[{"text": "x"}],
            encounter={"reference": "urn:uuid:2"},
        ),
        encounter("planned", participant=[{"individual": {"reference": "urn:uuid:3"}}], reasonCode=[{"text": "y"}]),
        {"resourceType": "Practitioner", "id": "p", "name": [{"given": ["A"], "family": "B"}]},
        focus=[{"reference": "urn:uuid:1"}],
        sender={"reference": "urn:uuid:9"},
    )
    chance = random.Random(7)
    read = 0
    for _ in range(2_000):
        broken = json.loads(json.dumps(good))
        places = list(_places(broken))
        holder, step = chance.choice(places)
        holder[step] = chance.choice([None, 3, "x", [], {}, [None], [[]], {"reference": []}, True])
        # when
        try:
            inbound = parse(broken)
        except ValueError:
            continue
        # then
        read += 1
        assert isinstance(inbound.answers[0].owner, str)
        assert isinstance(inbound.answers[0].state, AnswerState)
    assert read > 1_000


def test_two_roles_that_point_at_each_other_end() -> None:
    bundle = message(
        referral("active", performer=[{"reference": "urn:uuid:2"}]),
        {"resourceType": "PractitionerRole", "practitioner": {"reference": "urn:uuid:3"}},
        {"resourceType": "PractitionerRole", "practitioner": {"reference": "urn:uuid:2"}},
    )
    assert parse(bundle).answers[0].owner == ""


def test_half_a_surrogate_pair_and_nul_do_not_travel_on() -> None:
    body = json.dumps(message(referral("active", note=[{"text": "a\ud800b\0c"}]))).encode()
    assert parse(body).answers[0].text == "a?b\ufffdc"


def test_a_partners_words_are_bounded() -> None:
    [answer] = parse(message(referral("active", note=[{"text": "x" * 100_000}, {"text": "y" * 100_000}]))).answers
    assert len(answer.text) <= 4_000


def _places(tree: Any) -> Any:
    steps = tree.keys() if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for step in list(steps):
        yield tree, step
        yield from _places(tree[step])
