"""What a service decides comes back over a real socket: each decision, with its owner and reason."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_health_fhir.replies import is_valid
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from hub.sdk import Answer, AnswerState, CallbackRequest, Delivered, Inbound
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

Make = Callable[..., Any]


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
