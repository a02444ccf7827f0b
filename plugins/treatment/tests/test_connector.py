"""The connector against NHS England's own MESH, and in the host where it really runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hub_treatment.connector import TreatmentMesh
from hub_treatment.desk import Desk

from hub.courier.host_process import HostProcess, HostResult
from hub.host.wire import Configure
from hub.sdk import Answer, AnswerState, Delivered, Level, Parcel
from hub.sdk.testing.context import PlainContext
from hub.sdk.transports.mesh import Mailbox
from tests.peers.mesh import KEY, OURS, PASSWORD, THEIRS, WORKFLOW, MeshSandbox

pytestmark = pytest.mark.anyio
WAITING = {
    "text": "The service will help and there is a wait.",
    "reason": "there-is-a-wait",
    "next_step": "Ask the service when it expects to have room.",
}


async def test_a_provider_s_staff_get_one_page_whose_envelope_tells_nothing(
    mesh: MeshSandbox, connector: TreatmentMesh, context: PlainContext, make_parcel: Callable[..., Parcel]
) -> None:
    # given
    parcel = make_parcel()
    # when
    outcome = await connector.deliver(parcel, context)
    # then the page arrives whole, and its envelope says our key and no subject
    assert isinstance(outcome, Delivered)
    envelope = mesh.details(outcome.receipt)
    assert envelope["filename"] == f"{parcel.idempotency_key}.html"
    assert not envelope.get("subject")
    assert "Recovery" not in str(envelope)
    assert mesh.read(outcome.receipt)["body"].encode("latin-1") == connector.letter(parcel).body


async def test_the_whole_way_through_a_host_process(
    mesh: MeshSandbox, connector: TreatmentMesh, context: PlainContext, make_parcel: Callable[..., Parcel]
) -> None:
    # given a provider's desk, and a host that may reach MESH only
    desk = Desk(Mailbox(mesh.url, THEIRS, PASSWORD, KEY), WORKFLOW, OURS)
    started: list[str] = []
    host = HostProcess(
        Configure(
            connection="north",
            connector="treatment-mesh",
            plugin="treatment",
            distribution="hub-treatment",
            settings=connector.settings.model_dump(mode="json"),
            secrets={"mailbox_password": PASSWORD, "shared_key": KEY},
            hosts=(urlsplit(mesh.url).netloc,),
            allow_addresses=("127.0.0.0/8",),
            deadline_seconds=20,
        ),
        on_started=started.append,
    )
    parcel = replace(make_parcel(), deadline=time.time() + 20)
    try:
        # when it is checked, sends, and the provider's staff answer by the key that the page gives them
        checked, sent = await host.check(), await host.deliver(parcel)
        keys = await desk.empty(context)
        answer = await desk.answer(parcel.idempotency_key, context, status="WAITING_LIST", owner="=Duty desk")
        collected = [inbound async for inbound in host.collect()]
        for inbound in collected:
            await host.acknowledge(inbound.message_id)
        left = [inbound async for inbound in host.collect()]
    finally:
        await host.close()
    # then
    assert isinstance(checked, HostResult)
    assert checked.outcome == Delivered(level=Level.L0)
    assert isinstance(sent, HostResult)
    assert isinstance(sent.outcome, Delivered)
    assert started
    assert keys == [json.loads(parcel.body)["row"]["hub_key"]]
    said, opened = collected
    assert said.answers == (Answer(AnswerState.WAITING_LIST, **WAITING, owner="'=Duty desk"),)
    assert (said.message_id, said.reference) == (answer, parcel.idempotency_key)
    assert (opened.reference, opened.level) == (parcel.idempotency_key, Level.L2)
    assert left == []
