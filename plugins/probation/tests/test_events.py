"""A changed manager and a merged record, over an SNS topic and an SQS queue: events that say where to look again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hub_probation.connector import HmppsSettings, ResponsibleTeam
from hub_probation.events import UNREADABLE, read_event
from hub_probation.queue import Keys, sign

from hub.sdk import Delivered, Inbound, Parcel, Response
from hub.sdk.connector import NotSent
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour
from tests.peers.queue import REGION, QueueServer

pytestmark = pytest.mark.anyio

API_KEY = "a-key-made-for-this-test"
CHANGED, MERGED = "person.community.manager.allocated", "probation-case.merge.completed"


@pytest.fixture(scope="module")
def server() -> Iterator[QueueServer]:
    with QueueServer() as server:
        yield server


@pytest.fixture
def queue(server: QueueServer) -> QueueServer:
    server.forget()
    return server


def happened(kind: str, crn: str = "X100001", **more: Any) -> dict[str, Any]:
    """An event as probation publishes it, with more in it than anybody should read."""
    about = {"identifiers": [{"type": "CRN", "value": crn}]} if crn else {"identifiers": []}
    said = {"eventType": kind, "version": 1, "occurredAt": "2026-11-20T10:00:00Z", "personReference": about}
    return said | {"description": "Zz9 risk of harm", "detailUrl": "https://elsewhere.example/risks"} | more


def connect(api: SandboxProcess, queue_url: str) -> ResponsibleTeam:
    return ResponsibleTeam(HmppsSettings(base_url=api.url, queue_url=queue_url, region=REGION))


async def fetched(connector: ResponsibleTeam, context: PlainContext) -> list[Inbound]:
    return [each async for each in connector.collect(context)]


def changed(api: SandboxProcess, who: str, **to: str) -> dict[str, Any]:
    """Change what the API says of somebody; returns what was addressed anew so far."""
    found: dict[str, Any] = httpx.post(f"{api.url}/sandbox/allocate", json={"id": who, **to}).raise_for_status().json()
    return found


async def test_a_changed_manager_moves_what_was_written_to_the_team_that_has_them_now(
    api: SandboxProcess, queue: QueueServer, context: PlainContext, make_parcel: Callable[..., Parcel]
) -> None:
    # given a contact with one team, and another of somebody who could not be found
    sent, other = make_parcel(), make_parcel(sought={"hmppsId": "X999999"})
    connector = connect(api, "")
    for parcel in (sent, other):
        assert isinstance(await connector.deliver(parcel, context), Delivered)
    assert await fetched(connector, context) == []  # without a queue nothing is asked
    changed(api, "X100001", team="N77")
    # when the event comes, beside one of another kind, and comes twice more as the queue promises no better
    url = queue.publish(happened("prison.release"), happened(CHANGED))
    connector = connect(api, url)
    (inbound,) = await fetched(connector, context)
    # then the hub hears which delivery moved, and nothing that a sender could see: no answer, no rung
    assert (inbound.reference, inbound.level, inbound.answers) == (sent.idempotency_key, None, ())
    assert changed(api, "X100001") == {"moved": {sent.idempotency_key: "N77"}, "bodies": [""]}
    await connector.acknowledge(inbound.message_id, context)
    # and again, by another host, it moves nothing and is done with
    queue.publish(happened(CHANGED), happened(CHANGED))
    assert await fetched(connect(api, url), context) == []
    assert await fetched(connect(api, url), context) == []
    assert context.started == 2  # the two parcels: no event sends one


async def test_the_same_notification_twice_is_looked_into_once(
    api: SandboxProcess, queue: QueueServer, context: PlainContext, make_parcel: Callable[..., Parcel]
) -> None:
    parcel = make_parcel()
    await connect(api, "").deliver(parcel, context)
    changed(api, "X100001", team="N78")
    body = json.dumps({"Type": "Notification", "MessageId": "m-1", "Message": json.dumps(happened(CHANGED))})
    url = queue.publish(again=(body, body, body))
    found = await fetched(connect(api, url), context)
    assert [each.message_id for each in found] == [f"m-1:{parcel.idempotency_key}"]
    assert changed(api, "X100001")["bodies"] == [""]


async def test_a_merge_leads_to_the_record_that_stands_and_a_limit_leads_nowhere(
    api: SandboxProcess, queue: QueueServer, context: PlainContext, make_parcel: Callable[..., Parcel]
) -> None:
    first, second = make_parcel(), make_parcel(sought={"hmppsId": "X100003"})
    for parcel in (first, second):
        await connect(api, "").deliver(parcel, context)
    # when one record is merged into another, and the event names both
    changed(api, "X100001", merged="X100003")
    merged = happened(MERGED, "", additionalInformation={"sourceCRN": "X100001", "targetCRN": "X100003"})
    limited = happened(CHANGED, "X100004")
    url = queue.publish(limited, merged)
    found = await fetched(connect(api, url), context)
    # then what was written for the one goes to the team of the other; of whom nothing is shown, nothing moves
    assert [each.reference for each in found] == [first.idempotency_key]
    assert changed(api, "X100001")["moved"] == {first.idempotency_key: "N02"}


async def test_what_cannot_be_looked_up_now_comes_again_and_what_cannot_be_read_is_told(
    api: SandboxProcess, queue: QueueServer, context: PlainContext, make_parcel: Callable[..., Parcel]
) -> None:
    await connect(api, "").deliver(make_parcel(), context)
    changed(api, "X100001", team="N79")
    url = queue.publish(happened(CHANGED), again=("hello", '{"MessageId": "m", "Message": "{}"}'))
    connector = connect(api, url)
    # given an API that is down
    api.behave(Behaviour.DOWN)
    with pytest.raises(NotSent, match="no-keys-to-the-queue"):
        await fetched(connector, context)
    # when it is there again
    api.behave(Behaviour.PROMPT)
    told = await fetched(connector, context)
    # then what cannot be read is told under a name that no delivery has, and the rest goes on
    assert sorted(each.reference for each in told if each.reference == UNREADABLE) == [UNREADABLE] * 2
    assert len(told) == 3
    assert all(not each.answers for each in told)
    assert "Zz9" not in repr(told)


class LooksNobodyUp(PlainContext):
    """The API answers no look-up; what was asked of the queue is kept."""

    asked: tuple[str, ...] = ()

    async def send(self, method: str, url: str, **about: Any) -> Response:
        self.asked += ((about.get("headers") or {}).get("x-amz-target", ""),)
        return Response(503) if "/v1/persons" in url else await super().send(method, url, **about)


async def test_an_event_that_leads_nowhere_for_now_is_left_in_the_queue(
    api: SandboxProcess, queue: QueueServer
) -> None:
    url = queue.publish(happened(CHANGED))
    async with LooksNobodyUp(secrets={"api_key": API_KEY}) as context:
        with pytest.raises(NotSent, match="look-up-failed"):
            await fetched(connect(api, url), context)
        assert "AmazonSQS.ReceiveMessage" in context.asked
        assert "AmazonSQS.DeleteMessage" not in context.asked


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"MessageId": 1, "Message": "{}"}',
        "[" * 100_000,
        json.dumps({"MessageId": "m", "Message": json.dumps(happened(CHANGED, "../risks"))}),
    ],
)
def test_what_is_no_notification_is_a_value_error(body: str) -> None:  # fmt: skip
    with pytest.raises(ValueError, match=r"not a notification|names nobody"):
        read_event(body)


def test_r72_of_an_event_nothing_is_read_but_whose_and_which_kind() -> None:
    body = json.dumps({"MessageId": "m", "Message": json.dumps(happened(CHANGED, mappa="Zz9", risk="Zz9"))})
    assert "Zz9" not in repr(read_event(body))
    own = {"eventId": "e", "hmppsId": "X100001", "eventType": CHANGED, "url": "https://x/y"}
    assert getattr(read_event(json.dumps({"MessageId": "m", "Message": json.dumps(own)})), "hmpps_id", "") == "X100001"


def test_a_request_is_signed_as_aws_s_own_library_does(server: QueueServer) -> None:
    at = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.ReceiveMessage"}
    keys, body = Keys("AKIDEXAMPLE", "a/secret+key", "session=="), '{"QueueUrl": "https://sqs/1/hub"}'
    ours = sign("sqs.eu-west-2.amazonaws.com", headers, body.encode(), keys, REGION, at)
    theirs = server.signature(
        host="sqs.eu-west-2.amazonaws.com", headers=headers, body=body, at="20261120T100000Z",
        keys=[keys.access, keys.secret, keys.session],
    )  # fmt: skip
    assert ours["authorization"].endswith(f"Signature={theirs}")
