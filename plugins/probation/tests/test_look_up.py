"""Looking up who has a person: what the team gets, and that nobody learns why somebody was not found (R72)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hub_probation.connector import ResponsibleTeam

from hub.courier.host_process import HostProcess, HostResult
from hub.host.wire import Configure
from hub.sdk import Delivered, DeliveryKind, Halt, InDoubt, Level, Parcel, Rejected, RetryLater
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

pytestmark = pytest.mark.anyio

Make = Callable[..., Parcel]
Connect = Callable[[str], ResponsibleTeam]

#: Everybody who may not be found, by why; what reaches the service is the same of each.
NOT_FOUND = {
    "never-heard-of": {"firstName": "No", "lastName": "Body", "dateOfBirth": "1970-01-01"},
    "unknown-number": {"hmppsId": "X999999"},
    "filtered": {"firstName": "Max", "lastName": "Filtered", "dateOfBirth": "1991-07-07"},
    "limited": {"firstName": "Jo", "lastName": "Limited", "dateOfBirth": "1985-06-30"},
    "restricted-to-some": {"hmppsId": "X100005"},
    "nobody-allocated": {"hmppsId": "X100006"},
    "two-of-the-same-name": {"firstName": "Pat", "lastName": "Double", "dateOfBirth": "1980-05-05"},
    "name-alone": {"firstName": "Sam", "lastName": "Rivers"},
    "a-number-that-is-a-path": {"hmppsId": "X100001/risks"},
    "nothing": {},
}
MERGED = {"firstName": "Alex", "lastName": "Fields", "dateOfBirth": "1990-01-15"}


def written(api: SandboxProcess) -> list[dict[str, Any]]:
    """Return what stands in the queue: whom each is addressed to, and its body."""
    return [
        {"id": each.headers.get("x-hmpps-id"), "team": each.headers.get("x-team-code"), "body": json.loads(each.body)}
        for each in api.entries()
    ]


async def test_who_is_found_reaches_the_team_that_has_them(
    api: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    # when somebody whom the API shows is sent about, by name and by their own number
    first, second = make_parcel(), make_parcel(case="by-their-own-number")
    for parcel in (first, second):
        outcome = await connect(api.url).deliver(parcel, context)
        # then the queue took it, which is transported and no more, under the reference that we gave
        assert outcome == Delivered(parcel.idempotency_key, Level.L1)
    # and it is addressed to their team, with what was agreed and nothing that was looked up beside
    one, other = written(api)
    assert (one["id"], one["team"]) == (other["id"], other["team"]) == ("X100001", "N01")
    assert [entry.body for entry in api.entries()] == [first.body, second.body]
    assert context.started == 2  # look-ups carry no parcel


async def test_a_merged_record_is_followed_to_the_one_that_stands(
    api: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    parcel = make_parcel(sought=MERGED)
    assert await connect(api.url).deliver(parcel, context) == Delivered(parcel.idempotency_key, Level.L1)
    (one,) = written(api)
    assert (one["id"], one["team"]) == ("X100003", "N02")


@pytest.mark.parametrize("why", NOT_FOUND)
async def test_r72_who_may_not_be_found_leaves_a_call_me_notice_alone(
    why: str, api: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    # when somebody who may not be found is sent about
    parcel = make_parcel(sought=NOT_FOUND[why])
    await connect(api.url).deliver(parcel, context)
    # then all that is written is whom to ring, under which reference: nothing of them, and no number of theirs
    (one,) = written(api)
    assert one == {
        "id": None,
        "team": None,
        "body": {
            "reference": "K7M-4QX",
            "ring": {"role": "Front desk", "by": "01223 000000"},
            "note": "Please ring about this reference. Nothing more was sent.",
        },
    }


async def test_r72_found_merged_restricted_and_not_found_are_the_same_bytes_to_the_sender(
    api: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    # given one reference for all, so that only what was found could make a difference
    key = "0b9a4f7e-5d2c-4f0b-8a55-8f4b5f6f2f11"
    everybody = [*NOT_FOUND.values(), MERGED, {"hmppsId": "X100001"}]
    # when each is sent about, then the outcome is the same to the letter
    said = set()
    for sought in everybody:
        outcome = await connect(api.url).deliver(make_parcel(sought=sought, key=key), context)
        said.add(repr(outcome).encode())
    assert len(said) == 1
    assert len(written(api)) == len(everybody)


async def test_a_limit_that_cannot_be_asked_for_counts_as_a_limit(
    start_api: Callable[..., SandboxProcess], connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    api = start_api(limits_off=True)
    await connect(api.url).deliver(make_parcel(), context)
    (one,) = written(api)
    assert (one["id"], set(one["body"])) == (None, {"reference", "ring", "note"})


async def test_taking_it_back_looks_nobody_up(
    api: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    parcel = make_parcel(case="stop-using", kind=DeliveryKind.PLEASE_STOP_USING)
    assert isinstance(await connect(api.url).deliver(parcel, context), Delivered)
    (one,) = written(api)
    assert one["id"] is None
    assert one["body"]["note"] == "What we sent under this reference may not be used any more. Please stop using it."


async def test_a_parcel_that_names_nobody_to_ring_never_leaves(
    api: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    for body in (b"", b"[1]", b'{"person": {}}', b'{"callMe": {"reference": "K7M-4QX"}}'):
        parcel = replace(make_parcel(), body=body)
        assert await connect(api.url).deliver(parcel, context) == Rejected("parcel-unreadable")
    assert api.entries() == []


async def test_a_key_that_is_not_known_holds_the_connection(
    api: SandboxProcess, connect: Connect, make_parcel: Make
) -> None:
    async with PlainContext(secrets={"api_key": "another"}) as stranger:
        assert await connect(api.url).check(stranger) == Halt("http-403")
        assert await connect(api.url).deliver(make_parcel(), stranger) == Halt("http-403")
        assert stranger.started == 0


async def test_check_works_and_writes_nothing(api: SandboxProcess, connect: Connect, context: PlainContext) -> None:
    assert await connect(api.url).check(context) == Delivered(level=Level.L0)
    assert (api.entries(), context.started) == ([], 0)


async def test_down_is_tried_again_and_nothing_was_written(
    api: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    api.behave(Behaviour.DOWN, times=1)
    assert await connect(api.url).deliver(make_parcel(), context) == RetryLater("http-503", 1.0)
    assert api.entries() == []
    api.behave(Behaviour.REFUSING, times=1)
    assert await connect(api.url).deliver(make_parcel(), context) == Rejected("http-400")
    api.behave(Behaviour.LYING, times=1)
    assert await connect(api.url).deliver(make_parcel(), context) == InDoubt("reply-holds-no-receipt")


async def test_a_crash_is_a_doubt_that_nobody_sends_again_blindly(
    api: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    # given a queue that does not dedupe, and dies once it has it
    parcel = make_parcel()
    api.behave(Behaviour.CRASHING)
    assert isinstance(await connect(api.url).deliver(parcel, context), InDoubt)
    api.wait()
    api.start()
    # then asking settles nothing and writes nothing: a person looks at it
    assert await connect(api.url).reconcile(parcel, context) == InDoubt("cannot-reconcile")
    assert api.effects(parcel.idempotency_key) == 1


async def test_it_runs_in_a_host_process(api: SandboxProcess, connect: Connect, make_parcel: Make) -> None:
    host = HostProcess(
        Configure(
            connection="probation",
            connector="responsible-team",
            plugin="probation",
            distribution="hub-probation",
            settings=connect(api.url).settings.model_dump(mode="json"),
            secrets={"api_key": "a-key-made-for-this-test"},
            hosts=(urlsplit(api.url).netloc,),
            allow_addresses=("127.0.0.0/8",),
            deadline_seconds=30,
        )
    )
    parcel = make_parcel()
    try:
        result = await host.deliver(parcel)
    finally:
        await host.close()
    assert isinstance(result, HostResult)
    assert (result.outcome, result.started) == (Delivered(parcel.idempotency_key, Level.L1), True)
