"""The closed loop against an R4 server that is not ours (medplum), with tokens of a server that is not ours either."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_health_fhir.closed_loop import FhirTask
from hub_health_fhir.headers import FHIR_JSON

from hub.mapping import Mapping, load_mapping
from hub.sdk import AnswerState, CallbackRequest, Delivered, DeliveryKind, Halt, Inbound, Level, Parcel, RetryLater
from hub.sdk.testing.context import PlainContext
from hub.sdk.transports.fhir_task import SYSTEM, FhirTaskSettings
from tests.peers.fhir import BY_KEY, FhirServer

pytestmark = pytest.mark.anyio
MAPPING = Path(__file__).parents[1] / "hub_health_fhir" / "mappings" / "fhir-task-referral" / "1.0.0"


@pytest.fixture(scope="module")
def server() -> Iterator[FhirServer]:
    with FhirServer() as running:
        yield running


@pytest.fixture(scope="module")
def fhir_task_mapping() -> Mapping:
    return load_mapping(MAPPING, MAPPING.parent.parent / "codes")


@pytest.fixture
def connector(server: FhirServer) -> FhirTask:
    values = {"base_url": server.url, "token_url": server.token_url, "client_id": BY_KEY, "algorithm": "ES256"}
    return FhirTask(FhirTaskSettings.model_validate(values))


@pytest.fixture
async def context(server: FhirServer) -> AsyncIterator[PlainContext]:
    async with PlainContext(secrets={"client_key": server.key.as_pem(private=True).decode()}, timeout=20) as lent:
        yield lent


Make = Callable[..., Parcel]


@pytest.fixture
def make(fhir_task_mapping: Mapping) -> Make:
    """Makes a parcel of one of the mapping's cases, with a key of its own."""

    def of(case: str = "everything", follows: Parcel | None = None) -> Parcel:
        view = json.loads((MAPPING / "cases" / f"{case}.in.json").read_text(encoding="utf-8"))
        key = str(uuid.uuid4())
        view["delivery"] |= {"key": key} | ({"follows": follows.idempotency_key} if follows else {})
        kind, body = DeliveryKind(view["delivery"]["kind"]), fhir_task_mapping.run(view)
        return Parcel("t-1", kind, 1, key, "case", body, FHIR_JSON, "county-treatment-team", time.time() + 30)

    return of


async def found(server: FhirServer, context: PlainContext, kind: str, key: str) -> list[dict[str, Any]]:
    """What bears our key there, as the service itself sees it."""
    bundle = await server.service(context, "GET", f"{kind}?identifier={SYSTEM}|{key}")
    return [entry["resource"] for entry in bundle.get("entry", [])]


async def say(server: FhirServer, context: PlainContext, receipt: str, **said: Any) -> None:
    """Have the service change its Task."""
    fhir_task = await server.service(context, "GET", f"Task/{receipt}")
    await server.service(context, "PUT", f"Task/{receipt}", fhir_task | said)


async def collected(connector: FhirTask, context: PlainContext, *receipts: str) -> list[Inbound]:
    context.waiting = receipts
    return [each async for each in connector.collect(context)]


async def test_a_referral_is_made_once_and_found_by_its_key(
    connector: FhirTask, server: FhirServer, context: PlainContext, make: Make
) -> None:
    # given: a server that works, and a parcel that it never had
    parcel = make()
    assert await connector.check(context) == Delivered(level=Level.L0)
    assert await connector.reconcile(parcel, context) == RetryLater("not-arrived")
    # when: it is sent twice
    first = await connector.deliver(parcel, context)
    again = await connector.deliver(parcel, context)
    # then: it is there once, and asking finds it
    assert isinstance(first, Delivered)
    assert first == again == await connector.reconcile(parcel, context)
    for kind in ("ServiceRequest", "Task", "Consent", "Patient"):
        assert len(await found(server, context, kind, parcel.idempotency_key)) == 1
    # and the Task is about the request, which is about the person
    (fhir_task,) = await found(server, context, "Task", parcel.idempotency_key)
    (request,) = await found(server, context, "ServiceRequest", parcel.idempotency_key)
    (patient,) = await found(server, context, "Patient", parcel.idempotency_key)
    assert fhir_task["focus"]["reference"] == f"ServiceRequest/{request['id']}"
    assert fhir_task["for"]["reference"] == request["subject"]["reference"] == f"Patient/{patient['id']}"


async def test_the_loop_closes_step_by_step(
    connector: FhirTask, server: FhirServer, context: PlainContext, make: Make
) -> None:
    # given: a referral of which nothing is said yet
    parcel = make("only-a-name")
    sent = await connector.deliver(parcel, context)
    assert isinstance(sent, Delivered)
    assert await collected(connector, context, sent.receipt) == []
    # when
    steps = [
        {"status": "accepted", "owner": {"display": "Duty nurse"}, "executionPeriod": {"start": "2026-12-07"}},
        {"status": "on-hold", "statusReason": {"coding": [{"code": "waiting-list"}]}},
        {"status": "completed", "statusReason": None, "output": [{"type": {"text": "Seen"}, "valueString": "Seen."}]},
    ]
    heard = []
    for step in steps:
        await say(server, context, sent.receipt, **step)
        (inbound,) = await collected(connector, context, sent.receipt)
        assert await collected(connector, context, sent.receipt) == [inbound]  # until the hub has it
        await connector.acknowledge(inbound.message_id, context)
        assert await collected(connector, context, sent.receipt) == []
        assert inbound.reference == parcel.idempotency_key
        heard.append(inbound.answers[0])
    # then
    assert [each.state for each in heard] == [
        AnswerState.ACCEPTED,
        AnswerState.WAITING_LIST,
        AnswerState.COMPLETED,
    ]
    assert (heard[0].owner, str(heard[0].next_date), heard[2].text) == ("Duty nurse", "2026-12-07", "Seen.")


@pytest.mark.parametrize("order", [("ServiceRequest", "Task"), ("Task", "ServiceRequest")])
async def test_a_service_that_ends_it_may_change_either_first(
    order: tuple[str, str], connector: FhirTask, server: FhirServer, context: PlainContext, make: Make
) -> None:
    # given
    parcel = make("only-a-name")
    sent = await connector.deliver(parcel, context)
    assert isinstance(sent, Delivered)
    states = []
    # when: one is changed, and then the other
    for kind in order:
        (held,) = await found(server, context, kind, parcel.idempotency_key)
        ended = {"ServiceRequest": "revoked", "Task": "cancelled"}[kind]
        await server.service(context, "PUT", f"{kind}/{held['id']}", held | {"status": ended})
        for inbound in await collected(connector, context, sent.receipt):
            states.append(inbound.answers[0].state)
            await connector.acknowledge(inbound.message_id, context)
    # then: it is told once
    assert states == [AnswerState.DECLINED]


async def test_r15_a_wish_to_stop_ends_all_three_and_is_answered_for_itself(
    connector: FhirTask, server: FhirServer, context: PlainContext, make: Make
) -> None:
    # given: a referral that was accepted
    parcel = make("only-a-name")
    sent = await connector.deliver(parcel, context)
    assert isinstance(sent, Delivered)
    await say(server, context, sent.receipt, status="accepted")
    # when
    stop = make("please-stop-using", follows=parcel)
    stopped = await connector.deliver(stop, context)
    # then: all three are ended, and hold nothing of the person any more
    assert isinstance(stopped, Delivered)
    for kind, status in (("ServiceRequest", "revoked"), ("Task", "cancelled"), ("Consent", "inactive")):
        (held,) = await found(server, context, kind, parcel.idempotency_key)
        assert held["status"] == status
        assert "Sam" not in json.dumps(held)
    # and our own word is no answer of theirs, while theirs to the wish itself is
    assert await collected(connector, context, sent.receipt, stopped.receipt) == []
    await say(server, context, stopped.receipt, status="completed")
    (inbound,) = await collected(connector, context, sent.receipt, stopped.receipt)
    assert (inbound.reference, inbound.answers[0].state) == (stop.idempotency_key, AnswerState.COMPLETED)


@pytest.mark.parametrize("payload", ["", FHIR_JSON])
async def test_a_subscription_says_only_where_to_look(
    payload: str, connector: FhirTask, server: FhirServer, context: PlainContext, make: Make, hub: Any
) -> None:
    # given: a Subscription to Tasks, with and without a payload
    channel = {"type": "rest-hook", "endpoint": hub.url, "header": ["Authorization: Bearer shared-with-the-partner"]}
    wanted = {"resourceType": "Subscription", "status": "active", "reason": "Closed loop", "criteria": "Task?"}
    channel |= {"payload": payload} if payload else {}
    made = await server.service(context, "POST", "Subscription", wanted | {"channel": channel})
    parcel = make("only-a-name")
    sent = await connector.deliver(parcel, context)
    assert isinstance(sent, Delivered)
    # when
    await say(server, context, sent.receipt, status="rejected", statusReason={"text": "We are full."})
    await asyncio.to_thread(hub.arrived.wait, 10)
    await server.service(context, "PUT", f"Subscription/{made['id']}", made | {"status": "off"})
    # then: it came under the shared token, and what it holds is not taken for an answer
    [(_, headers, body)] = hub.received
    assert headers["authorization"] == "Bearer shared-with-the-partner"
    inbound = connector.parse_callback(CallbackRequest(headers, body))
    assert (inbound.look, inbound.answers, inbound.level) == (True, (), None)
    assert inbound.reference == (sent.receipt if payload else "")
    # and looking finds what was said
    (answer,) = (await collected(connector, context, sent.receipt))[0].answers
    assert (answer.state, answer.reason, answer.text) == (AnswerState.DECLINED, "in-their-words", "We are full.")


async def test_a_client_that_is_refused_holds_the_connection(server: FhirServer, make: Make) -> None:
    values = {"base_url": server.url, "token_url": server.token_url, "client_id": "nobody"}
    other = FhirTask(FhirTaskSettings.model_validate(values | {"algorithm": "client_secret"}))
    async with PlainContext(secrets={"client_key": "wrong"}) as context:
        assert await other.deliver(make(), context) == Halt("client-refused")
        assert context.started == 0
