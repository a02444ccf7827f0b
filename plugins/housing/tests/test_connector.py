"""The connector against a council that runs as a real process: each behaviour, and what the council then holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import anyio
import httpx
import pytest
from hub_housing.connector import DutyToRefer

from hub.sdk import Delivered, Halt, InDoubt, Level, Outcome, Parcel, Rejected, RetryLater
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

pytestmark = pytest.mark.anyio

Make = Callable[..., Parcel]


def receipt(outcome: Outcome) -> str:
    assert isinstance(outcome, Delivered)
    return outcome.receipt


async def test_a_prompt_council_gets_the_exact_bytes_and_gives_its_receipt(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # when a referral is delivered
    parcel = make_parcel()
    outcome = await connector.deliver(parcel, context)
    # then it proves L1 with the council's own id, and the council holds what we sent, once
    assert isinstance(outcome, Delivered)
    assert (outcome.level, outcome.answers) == (Level.L1, ())
    (entry,) = council.entries()
    assert (entry.key, entry.body, entry.effect, entry.status) == (parcel.idempotency_key, parcel.body, True, 201)
    assert entry.headers["content-type"] == "application/json"
    assert context.started == 1  # the token call carries no parcel


async def test_the_same_parcel_twice_has_one_effect_and_one_receipt(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a referral that was delivered
    parcel = make_parcel()
    first = await connector.deliver(parcel, context)
    # when it is sent again
    second = await connector.deliver(replace(parcel, attempt=2), context)
    # then the council knows it, says when it was received, and did nothing twice
    assert receipt(second) == receipt(first)
    assert isinstance(second, Delivered)
    assert second.level is Level.L2
    assert council.effects(parcel.idempotency_key) == 1


async def test_twenty_at_once_under_one_key_have_one_effect(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    parcel = make_parcel()
    outcomes: list[Outcome] = []

    async def send() -> None:
        outcomes.append(await connector.deliver(parcel, context))

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(send)
    assert len({receipt(outcome) for outcome in outcomes}) == 1
    assert council.effects(parcel.idempotency_key) == 1


async def test_a_council_that_answers_409_to_a_duplicate_has_it(
    start_council: Callable[..., SandboxProcess], context: PlainContext, make_parcel: Make, connect_to: Callable
) -> None:
    connector = connect_to(start_council(duplicate_status=409).url)
    parcel = make_parcel()
    first = await connector.deliver(parcel, context)
    assert receipt(await connector.deliver(parcel, context)) == receipt(first)


async def test_the_same_key_with_another_body_is_for_a_person_to_look_at(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    parcel = make_parcel()
    await connector.deliver(parcel, context)
    changed = make_parcel("legal-minimum", key=parcel.idempotency_key)
    assert await connector.deliver(changed, context) == Rejected("http-409")
    assert council.effects(parcel.idempotency_key) == 1


async def test_a_withdrawal_reaches_the_referral_it_is_about(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a council with a referral
    parcel = make_parcel()
    await connector.deliver(parcel, context)
    # when the person withdraws
    assert isinstance(await connector.deliver(make_parcel("person-withdrew"), context), Delivered)
    # then that referral is closed there, and nothing can be said about it any more
    said = httpx.post(f"{council.url}/sandbox/say", json={"key": parcel.idempotency_key, "status": "ACCEPTED"})
    assert (said.status_code, said.json()) == (409, {"code": "withdrawn"})


async def test_slow_is_waited_for_and_where_not_it_is_found_again(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    council.behave(Behaviour.SLOW)
    assert isinstance(await connector.deliver(make_parcel(), context), Delivered)
    # given a hub that gives up sooner
    parcel = make_parcel()
    async with PlainContext(secrets=context.secrets, timeout=0.2) as hasty:
        assert isinstance(await connector.deliver(parcel, hasty), InDoubt)
    # then asking the council ends the doubt, and sends nothing
    before = context.started
    found = await connector.reconcile(parcel, context)
    assert isinstance(found, Delivered)
    assert context.started == before
    assert council.effects(parcel.idempotency_key) == 1


async def test_refusing_is_rejected_with_a_code_and_no_words_of_theirs(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    council.behave(Behaviour.REFUSING)
    parcel = make_parcel()
    assert await connector.deliver(parcel, context) == Rejected("http-422")
    assert council.effects(parcel.idempotency_key) == 0


async def test_down_is_tried_again_and_then_arrives(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a council that is down once we hold a token
    await connector.check(context)
    council.behave(Behaviour.DOWN, times=1)
    parcel = make_parcel()
    assert await connector.deliver(parcel, context) == RetryLater("http-503", 1.0)
    # then the next attempt arrives
    assert isinstance(await connector.deliver(parcel, context), Delivered)
    assert council.effects(parcel.idempotency_key) == 1


async def test_down_before_any_token_means_that_nothing_left(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    council.behave(Behaviour.DOWN)
    assert await connector.deliver(make_parcel(), context) == RetryLater("token-unavailable")
    assert context.started == 0


async def test_crashing_leaves_a_doubt_that_the_council_itself_ends(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a council that acts, then dies before it replies
    council.behave(Behaviour.CRASHING)
    parcel = make_parcel()
    assert isinstance(await connector.deliver(parcel, context), InDoubt)
    assert council.wait() == 70
    # while it is gone nobody can tell
    assert isinstance(await connector.reconcile(parcel, context), InDoubt)
    # when it is back, having forgotten every token it gave
    council.start()
    found = await connector.reconcile(parcel, context)
    # then it has it, once
    assert isinstance(found, Delivered)
    assert found.level is Level.L2
    assert council.effects(parcel.idempotency_key) == 1


async def test_a_council_that_was_never_there_leaves_no_doubt(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a token, and then no council
    await connector.check(context)
    council.stop()
    # then the parcel never left
    assert await connector.deliver(make_parcel(), context) == RetryLater("no-connection")
    assert context.started == 0


async def test_a_lie_is_not_believed_and_the_parcel_goes_again(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a council that says yes, about somebody else's referral
    council.behave(Behaviour.LYING, times=1)
    parcel = make_parcel()
    assert await connector.deliver(parcel, context) == InDoubt("reply-names-another-referral")
    # then it does not have it, so it is sent again
    assert await connector.reconcile(parcel, context) == RetryLater("not-arrived")
    assert isinstance(await connector.deliver(parcel, context), Delivered)
    assert council.effects(parcel.idempotency_key) == 1


async def test_silent_takes_it_and_says_nothing(
    start_council: Callable[..., SandboxProcess],
    connect_to: Callable,
    context: PlainContext,
    make_parcel: Make,
    hub,
) -> None:
    council = start_council(auto_answer=True)
    council.behave(Behaviour.SILENT)
    assert isinstance(await connect_to(council.url).deliver(make_parcel(), context), Delivered)
    council.stop()  # ends only when whatever it had begun has ended
    assert hub.tries == 0


async def test_an_expired_token_is_renewed_once(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    await connector.check(context)
    council.expire_tokens()
    assert isinstance(await connector.deliver(make_parcel(), context), Delivered)
    assert context.started == 2


async def test_a_client_that_the_council_does_not_know_holds_the_connection(
    council: SandboxProcess, connector: DutyToRefer, make_parcel: Make
) -> None:
    stranger = stranger_key()
    async with PlainContext(secrets={"client_key": stranger}) as context:
        assert await connector.deliver(make_parcel(), context) == Halt("client-refused")
        assert await connector.check(context) == Halt("client-refused")
        # a doubt is not ended by our own trouble
        assert await connector.reconcile(make_parcel(), context) == InDoubt("client-refused")
        assert context.started == 0


async def test_check_sends_no_parcel(council: SandboxProcess, connector: DutyToRefer, context: PlainContext) -> None:
    assert await connector.check(context) == Delivered(level=Level.L0)
    assert context.started == 0
    assert council.entries() == []


def stranger_key() -> str:
    from joserfc.jwk import ECKey

    return ECKey.generate_key("P-256", parameters={"kid": "hub-1"}).as_pem(private=True).decode()
