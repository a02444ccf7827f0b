"""The three connectors against a children's system that runs as a real process, and what it then holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc.jwk import ECKey

from hub.courier.host_process import HostProcess, HostResult
from hub.host.wire import Configure
from hub.sdk import (
    AnswerState,
    Delivered,
    DeliveryKind,
    Halt,
    InDoubt,
    Level,
    Parcel,
    Rejected,
    RetryLater,
)
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

pytestmark = pytest.mark.anyio

Make = Callable[..., Parcel]
Connect = Callable[..., Any]
#: What a follow-up's case names as the form that it follows.
FIRST = "0b9a4f7e-5d2c-4f0b-8a55-8f4b5f6f2f11"
PATHS = {"front-door": "/contacts", "allocated-worker": "/information", "trusted-relationships": "/panel-referrals"}


@pytest.mark.parametrize("name", PATHS)
async def test_each_form_arrives_as_it_is_and_is_recorded(
    name: str, council: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    # when a form is delivered, and again
    parcel, connector = make_parcel(name), connect(council.url, name)
    first = await connector.deliver(parcel, context)
    again = await connector.deliver(replace(parcel, attempt=2), context)
    # then it is recorded once with a number of theirs, which is received and no more (a contact is not a referral)
    assert isinstance(first, Delivered)
    assert (first.level, again) == (Level.L2, first)
    entry, _ = council.entries()
    assert (entry.path, entry.body, entry.effect) == (PATHS[name], parcel.body, True)
    assert council.effects(parcel.idempotency_key) == 1


async def test_what_was_handed_in_and_not_recorded_yet_is_transported_only(
    start_council: Callable[..., SandboxProcess], connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    council = start_council(records_at_once=False)
    outcome = await connect(council.url).deliver(make_parcel(), context)
    assert isinstance(outcome, Delivered)
    assert (outcome.level, outcome.answers) == (Level.L1, ())


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("stop-using", DeliveryKind.PLEASE_STOP_USING),
        ("correction", DeliveryKind.CORRECTION),
        ("addendum", DeliveryKind.ADDENDUM),
        ("heard-by-phone", DeliveryKind.REPLY),
    ],
)
@pytest.mark.parametrize("name", ["front-door", "trusted-relationships"])
async def test_what_follows_is_a_note_on_it_and_can_be_looked_up(
    name: str, case: str, kind: DeliveryKind, council: SandboxProcess, connect: Connect, context: Any, make_parcel: Make
) -> None:
    # given a form that they have
    connector = connect(council.url, name)
    await connector.deliver(make_parcel(name, key=FIRST), context)
    # when something follows it
    note = make_parcel(name, case, kind=kind)
    sent, found = await connector.deliver(note, context), await connector.reconcile(note, context)
    # then it is a note there, once, and both ways of knowing name the same receipt
    assert isinstance(sent, Delivered)
    assert isinstance(found, Delivered)
    assert sent.receipt == found.receipt
    assert council.entries()[-1].path == f"{PATHS[name]}/{FIRST}/notes"


async def test_a_note_on_nothing_is_refused(
    council: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    note = make_parcel(case="stop-using", kind=DeliveryKind.PLEASE_STOP_USING)
    assert await connect(council.url).deliver(note, context) == Rejected("http-422")


async def test_a_crash_leaves_a_doubt_that_they_end_themselves(
    council: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    # given a system that acts and dies
    connector, parcel = connect(council.url), make_parcel()
    assert await connector.check(context) == Delivered(level=Level.L0)
    council.behave(Behaviour.CRASHING)
    assert isinstance(await connector.deliver(parcel, context), InDoubt)
    council.wait()
    assert isinstance(await connector.reconcile(parcel, context), InDoubt)
    # when it is back, then it has it, once
    council.start()
    assert isinstance(await connector.reconcile(parcel, context), Delivered)
    assert council.effects(parcel.idempotency_key) == 1


async def test_a_lie_is_not_believed(
    council: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    connector, parcel = connect(council.url), make_parcel()
    council.behave(Behaviour.LYING, times=1)
    assert await connector.deliver(parcel, context) == InDoubt("reply-names-another-contact")
    assert await connector.reconcile(parcel, context) == RetryLater("not-arrived")


async def test_busy_refusing_and_a_stranger(
    council: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    connector, parcel = connect(council.url), make_parcel()
    await connector.check(context)
    council.behave(Behaviour.DOWN, times=1)
    assert await connector.deliver(parcel, context) == RetryLater("http-503", 1.0)
    council.behave(Behaviour.REFUSING, times=1)
    assert await connector.deliver(parcel, context) == Rejected("http-422")
    council.expire_tokens()
    assert isinstance(await connector.deliver(parcel, context), Delivered)
    other = ECKey.generate_key("P-256", parameters={"kid": "hub-1"}).as_pem(private=True).decode()
    async with PlainContext(secrets={"client_key": other}) as stranger:
        assert await connect(council.url).deliver(make_parcel(), stranger) == Halt("client-refused")


async def test_r29_taking_a_referral_says_that_the_panel_has_it_and_no_more(
    council: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make, hub: Any
) -> None:
    # given a referral that the panel took
    connector, parcel = connect(council.url, "trusted-relationships"), make_parcel("trusted-relationships")
    outcome = await connector.deliver(parcel, context)
    # then its stage is with the panel: nothing was decided, and asking again says the same
    assert isinstance(outcome, Delivered)
    (answer,) = outcome.answers
    assert (answer.state, answer.stage) == (AnswerState.RECEIVED, "with_panel")
    assert await connector.reconcile(parcel, context) == outcome
    # when the panel itself decides, then that is what is read, with nobody named as the case's holder
    for said, state, stage in (
        ("ALLOCATED", AnswerState.ACCEPTED, "allocated"),
        ("NOT_ALLOCATED", AnswerState.DECLINED, "not_allocated"),
    ):
        council.say(key=parcel.idempotency_key, outcomes=[said])
        (answer,) = connector.parse_callback(hub[1].get(timeout=10)).answers
        assert (answer.state, answer.stage, answer.owner) == (state, stage, "")


async def test_r29_a_form_with_more_than_the_number_of_a_cera_is_not_taken(
    council: SandboxProcess, connect: Connect, context: PlainContext, make_parcel: Make
) -> None:
    # given a document that somebody's own mapping made
    parcel = make_parcel("trusted-relationships")
    more = replace(parcel, body=parcel.body.rstrip()[:-1] + b',"cera":"Zz9"}')
    assert await connect(council.url, "trusted-relationships").deliver(more, context) == Rejected("http-422")


async def test_it_runs_in_a_host_process(
    council: SandboxProcess, connect: Connect, make_parcel: Make, client_key: str
) -> None:
    # given a host that may reach this council only
    host = HostProcess(
        Configure(
            connection="front-door",
            connector="front-door",
            plugin="childrens-lcs",
            distribution="hub-childrens-lcs",
            settings=connect(council.url).settings.model_dump(mode="json"),
            secrets={"client_key": client_key},
            hosts=(urlsplit(council.url).netloc,),
            allow_addresses=("127.0.0.0/8",),
            deadline_seconds=10,
        )
    )
    # when it sends
    parcel = make_parcel()
    try:
        result = await host.deliver(parcel)
    finally:
        await host.close()
    # then it left, and arrived once
    assert isinstance(result, HostResult)
    assert result.started
    assert isinstance(result.outcome, Delivered)
    assert council.effects(parcel.idempotency_key) == 1
