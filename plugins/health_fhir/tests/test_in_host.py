"""The connector where it really runs: in a host process of its own, through the guarded client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc.jwk import RSAKey

from hub.courier.host_process import HostProcess, HostResult, ParseFailed
from hub.host.wire import Configure
from hub.sdk import AnswerState, CallbackRequest, Delivered, Inbound, InDoubt, Level
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

pytestmark = pytest.mark.anyio


async def test_a_share_goes_out_and_its_answer_is_read_in_a_host_process(
    *,
    sandbox: SandboxProcess,
    bars: Callable[..., Any],
    parcel: Callable[..., Any],
    hub: Any,
    client_key: RSAKey,
) -> None:
    # given: a host that may reach this receiver only
    started: list[str] = []
    host = HostProcess(
        Configure(
            connection="county-treatment",
            connector="bars",
            plugin="health-fhir",
            distribution="hub-health-fhir",
            settings=bars(sandbox.url).settings.model_dump(mode="json"),
            secrets={"private_key": client_key.as_pem(private=True).decode()},
            hosts=(urlsplit(sandbox.url).netloc,),
            allow_addresses=("127.0.0.0/8",),
            deadline_seconds=10,
        ),
        on_started=started.append,
    )
    try:
        # when: it is checked, it sends, and the receiver dies over a second parcel
        checked, sent = await host.check(), parcel()
        result = await host.deliver(sent)
        asked = await questions_of_three(host, parcel, sandbox)
        sandbox.behave(Behaviour.CRASHING)
        doubtful = parcel()
        lost = await host.deliver(doubtful)
        sandbox.wait()
        sandbox.start()
        settled = await host.reconcile(doubtful)
        # and the service answers
        sandbox.say(key=sent.idempotency_key, decision="accepted", owner="Duty nurse")
        [(_, headers, body)] = hub.received
        answer = await host.parse(CallbackRequest(headers, body))
        nothing = await host.parse(CallbackRequest({}, json.dumps({"resourceType": "Bundle"}).encode()))
    finally:
        await host.close()
    # then
    assert isinstance(checked, HostResult)
    assert checked.outcome == Delivered(level=Level.L0)
    assert isinstance(result, HostResult)
    assert result.started
    assert asked == [1, 1, 2]
    assert isinstance(result.outcome, Delivered)
    assert result.outcome.level is Level.L2
    assert isinstance(lost, HostResult)
    assert isinstance(lost.outcome, InDoubt)
    assert isinstance(settled, HostResult)
    assert settled.outcome == Delivered(level=Level.L1)
    assert sandbox.effects(doubtful.idempotency_key) == 1
    assert started
    assert isinstance(answer, Inbound)
    assert answer.reference == sent.idempotency_key
    assert (answer.answers[0].state, answer.answers[0].owner) == (AnswerState.ACCEPTED, "Duty nurse")
    assert isinstance(nothing, ParseFailed)


async def questions_of_three(host: HostProcess, parcel: Callable[..., Any], sandbox: SandboxProcess) -> list[int]:
    """How often the receiver was asked what it takes: by now, after one more parcel, and after one in a fresh host.

    What it said is kept in a host's memory, so that a new one asks again.
    """

    def asked() -> int:
        return [each["path"] for each in sandbox.order("asked")["asked"]].count("/MessageDefinition")

    counts = [asked()]
    await host.deliver(parcel())
    counts.append(asked())
    await host.deliver_alone(parcel())
    return [*counts, asked()]
