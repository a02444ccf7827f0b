"""What the council says: signed callbacks over a real socket, read into the hub's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import anyio.to_thread
import pytest
from hub_housing.connector import DutyToRefer
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import AnswerState, CallbackRequest, Delivered, Parcel
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess

pytestmark = pytest.mark.anyio

Make = Callable[..., Parcel]


def callback(**said: object) -> CallbackRequest:
    return CallbackRequest({"webhook-id": "msg_1"}, json.dumps({"idempotencyKey": "k1"} | said).encode())


@pytest.fixture
def reader() -> DutyToRefer:
    return DutyToRefer.__new__(DutyToRefer)  # reading a callback needs no connection


async def test_a_decision_arrives_signed_with_an_owner_and_a_date(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make, hub
) -> None:
    # given a referral that the council has
    parcel = make_parcel()
    await connector.deliver(parcel, context)
    # when its duty desk decides
    said = council.say(
        key=parcel.idempotency_key,
        status="ACCEPTED",
        outcomeReason="PRIORITY_NEED",
        owner="Pat Moss, duty desk",
        nextStep="Pat will ring the day centre.",
        nextDate="2026-11-25",
    )
    # then the hub took it as genuine, and it reads in our words
    assert said["status"] == 204
    inbound = connector.parse_callback(hub.arrived.get(timeout=10))
    assert (inbound.message_id, inbound.reference) == (said["messageId"], parcel.idempotency_key)
    (answer,) = inbound.answers
    assert (answer.state, answer.stage, answer.reason) == (AnswerState.ACCEPTED, "priority-need", "")
    assert (answer.owner, answer.next_date) == ("Pat Moss, duty desk", date(2026, 11, 25))
    assert answer.next_step == "Pat will ring the day centre."


async def test_a_council_may_change_its_mind_both_ways_and_ends_with_withdrawn(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make, hub
) -> None:
    # given a referral, named from here on by the council's own id
    outcome = await connector.deliver(make_parcel(), context)
    assert isinstance(outcome, Delivered)
    # when it is refused, accepted, refused again and closed
    for status in ("NOT_ACCEPTED", "ACCEPTED", "NOT_ACCEPTED"):
        assert council.say(id=outcome.receipt, status=status)["status"] == 204
    council.say(id=outcome.receipt, status="WITHDRAWN", withdrawalReason="DISENGAGED")
    # then each is kept, in order
    states = [connector.parse_callback(hub.arrived.get(timeout=10)).answers[0].state for _ in range(4)]
    assert states == [
        AnswerState.DECLINED,
        AnswerState.ACCEPTED,
        AnswerState.DECLINED,
        AnswerState.COULD_NOT_REACH,
    ]


async def test_a_prompt_council_answers_by_itself_until_the_hub_has_taken_it(
    start_council: Callable[..., SandboxProcess], connect_to: Callable, context: PlainContext, make_parcel: Make, hub
) -> None:
    # given a duty desk that accepts at once, and a hub that is busy twice
    council = start_council(auto_answer=True, owner="Duty officer, Housing Options")
    hub.statuses = [503, 503]
    connector = connect_to(council.url)
    # when a referral arrives
    parcel = make_parcel()
    await connector.deliver(parcel, context)
    # then the same message came until it was taken
    request = await anyio.to_thread.run_sync(lambda: hub.arrived.get(timeout=20))
    assert hub.tries == 3
    inbound = connector.parse_callback(request)
    assert inbound.reference == parcel.idempotency_key
    assert inbound.answers[0].state is AnswerState.ACCEPTED
    assert inbound.answers[0].owner == "Duty officer, Housing Options"


async def test_a_status_that_nobody_translated_is_received_and_keeps_its_note(reader: DutyToRefer) -> None:
    (answer,) = reader.parse_callback(
        callback(
            status="WITH_PANEL", owner="Team B", outcomeNote="Panel meets Friday.", nextDate="2026-11-27T09:00:00Z"
        )
    ).answers
    assert (answer.state, answer.reason) == (AnswerState.RECEIVED, "unrecognised-status")
    assert (answer.owner, answer.text, answer.next_date) == ("Team B", "Panel meets Friday.", date(2026, 11, 27))


@pytest.mark.parametrize("said", [{}, {"nextDate": "soon"}, {"nextDate": 5, "owner": None, "outcomeNote": ["x"]}])
async def test_an_answer_is_not_refused_for_its_form(reader: DutyToRefer, said: dict[str, object]) -> None:
    (answer,) = reader.parse_callback(callback(status="ACCEPTED", **said)).answers
    assert (answer.state, answer.owner, answer.next_date) == (AnswerState.ACCEPTED, "", None)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"webhook-id": "m"}, b""),
        ({"webhook-id": "m"}, b"[1]"),
        ({"webhook-id": "m"}, b'{"status": "ACCEPTED"}'),
        ({"webhook-id": "m"}, b'{"idempotencyKey": 7}'),
        ({"webhook-id": "m"}, b"[" * 100_000),
        ({"webhook-id": "m"}, b"\xff\xfe"),
        ({}, b'{"idempotencyKey": "k1", "status": "ACCEPTED"}'),
    ],
)
async def test_what_names_no_referral_is_a_value_error(
    reader: DutyToRefer, headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(ValueError, match="names no referral"):
        reader.parse_callback(CallbackRequest(headers, body))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ["id", "idempotencyKey", "status", "outcomeReason", "owner", "outcomeNote", "nextStep", "nextDate"]


@given(st.dictionaries(st.sampled_from(_FIELDS), _JSON))
def test_whatever_a_council_sends_is_an_answer_or_a_value_error(said: dict[str, object]) -> None:
    reader = DutyToRefer.__new__(DutyToRefer)
    body = json.dumps(said).encode()
    try:
        inbound = reader.parse_callback(CallbackRequest({"webhook-id": "m"}, body))
    except ValueError:
        return
    assert len(inbound.answers) == 1
    assert len(inbound.answers[0].owner) <= 200
