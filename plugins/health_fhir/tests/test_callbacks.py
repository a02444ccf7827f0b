"""What a service says back: each decision over a real socket, both cancel styles, and messages of every odd shape."""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_health_fhir.connector import BarsConnector
from hub_health_fhir.replies import is_valid
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from hub.domain.answer import PROVES, returnable
from hub.sdk import Answer, AnswerState, CallbackRequest, Delivered, Inbound, Level
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

Make = Callable[..., Any]
ORIGINAL = "2f6d1c1e-6f0a-4c58-9d0b-0d6f7c1f8a11"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ("accepted", AnswerState.ACCEPTED),
        ("in_progress", AnswerState.IN_PROGRESS),
        ("completed", AnswerState.COMPLETED),
        ("declined", AnswerState.DECLINED),
    ],
)
async def test_a_decision_comes_back_with_its_owner_and_reason(
    *,
    decision: str,
    state: AnswerState,
    sandbox: SandboxProcess,
    bars: Make,
    context: Callable[..., PlainContext],
    parcel: Make,
    hub: Any,
    partner_key: RSAKey,
) -> None:
    # given: a message that the service has
    sent, connector = parcel(), bars(sandbox.url)
    async with context() as lent:
        assert isinstance(await connector.deliver(sent, lent), Delivered)
    # when
    said = sandbox.say(
        key=sent.idempotency_key,
        decision=decision,
        owner="Duty nurse",
        reason="Outside our area",
        text="We will ring the front desk.",
    )
    # then: the hub's own reply is reported
    assert said == {"status": 200, "reply": "{}"}
    [(path, headers, body)] = hub.received
    assert path == "/fhir/R4/$process-message"
    # and the message is valid FHIR R4, in the same case, proved with the partner's key
    assert is_valid(json.loads(body))
    assert headers["x-correlation-id"] == sent.case
    assert json.loads(base64.b64decode(headers["nhsd-target-identifier"]))["system"].endswith("dos-service-id")
    claims = jwt.decode(headers["authorization"].removeprefix("Bearer "), partner_key, algorithms=["RS512"]).claims
    assert (claims["iss"], claims["aud"]) == ("county-treatment", hub.url)
    assert 0 < claims["exp"] - claims["iat"] <= 300
    assert claims["jti"]
    # and it is read as what was said, about our message
    inbound = connector.parse_callback(CallbackRequest(headers, body))
    assert inbound == Inbound(
        message_id=headers["x-request-id"],
        reference=sent.idempotency_key,
        answers=(
            Answer(
                state=state,
                owner="Duty nurse",
                reason="in-their-words",
                text="Outside our area\n\nWe will ring the front desk.",
            ),
        ),
    )


@pytest.mark.anyio
async def test_an_answer_without_an_owner_names_the_service_and_a_forged_reference_stays_as_sent(
    sandbox: SandboxProcess, bars: Make, context: Callable[..., PlainContext], parcel: Make, hub: Any
) -> None:
    sent, connector = parcel(), bars(sandbox.url)
    async with context() as lent:
        await connector.deliver(sent, lent)
    sandbox.say(key=sent.idempotency_key, decision="accepted", reference="of-another", message_id=str(uuid.uuid4()))
    [(_, headers, body)] = hub.received
    inbound = connector.parse_callback(CallbackRequest(headers, body))
    assert inbound.reference == "of-another"
    assert inbound.answers[0].owner == "County treatment service"


@pytest.mark.anyio
async def test_what_the_hub_replies_is_reported_and_an_unknown_message_is_not_answered(
    sandbox: SandboxProcess, bars: Make, context: Callable[..., PlainContext], parcel: Make, hub: Any
) -> None:
    # given
    sent = parcel()
    async with context() as lent:
        await bars(sandbox.url).deliver(sent, lent)
    hub.status = 401
    # when, then
    assert sandbox.say(key=sent.idempotency_key, decision="accepted")["status"] == 401
    for said in ({"key": "nobody", "decision": "accepted"}, {"key": sent.idempotency_key, "decision": "maybe"}):
        with pytest.raises(Exception, match="404"):
            sandbox.say(**said)


@pytest.mark.anyio
@pytest.mark.parametrize("behaviour", [Behaviour.PROMPT, Behaviour.SILENT])
async def test_a_service_that_decides_by_itself_answers_unless_it_is_silent(
    *,
    behaviour: Behaviour,
    tmp_path: Path,
    client_key: RSAKey,
    partner_key: RSAKey,
    bars: Make,
    context: Callable[..., PlainContext],
    parcel: Make,
    hub: Any,
    settings_for: Make,
) -> None:
    # given
    settings = settings_for(hub, partner_key, tmp_path, decide="later", owner="Duty clinician, Homeless Health")
    jwks = dict(KeySet([client_key]).as_dict(private=False))
    sent, control = parcel(), parcel()
    with SandboxProcess("hub_health_fhir.sandbox", tmp_path, client_jwks=jwks, settings=settings) as sandbox:
        async with context() as lent:
            connector = bars(sandbox.url)
            sandbox.behave(behaviour, times=1)
            # when: one message, and then one that is surely answered
            await connector.deliver(sent, lent)
            await connector.deliver(control, lent)
        assert hub.arrived.wait(10)
        sandbox.stop()  # the last answer is away when the process has ended
    # then
    about = [connector.parse_callback(CallbackRequest(headers, body)).reference for _, headers, body in hub.received]
    both = {sent.idempotency_key, control.idempotency_key}
    assert set(about) == (both if behaviour is Behaviour.PROMPT else {control.idempotency_key})


# Messages made by hand: what real partners' systems may write.


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
        (message(referral("active"), reason="delete"), A.DECLINED, ""),
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
