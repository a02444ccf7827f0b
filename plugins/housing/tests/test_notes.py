"""What was heard another way, as a note on the referral: the council files it once, under the referral it is about."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hub_housing.connector import DutyToRefer

from hub.sdk import Delivered, DeliveryKind, InDoubt, Level, Parcel, Rejected, RetryLater
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

pytestmark = pytest.mark.anyio

Make = Callable[..., Parcel]
CASE = Path(__file__).parents[1] / "hub_housing/mappings/duty-to-refer/1.0.0/cases/heard-by-phone.out.json"


def note_on(referral: Parcel, make_parcel: Make, **changed: str) -> Parcel:
    """Return the note that the mapping's own case makes, about one referral."""
    document = json.loads(CASE.read_text(encoding="utf-8")) | {"referralKey": referral.idempotency_key} | changed
    return replace(
        make_parcel(body=json.dumps(document, ensure_ascii=False).encode()), kind=DeliveryKind.REPLY, case=referral.case
    )


async def test_a_note_is_filed_on_its_referral_byte_for_byte(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a referral that the council has
    referral = make_parcel()
    await connector.deliver(referral, context)
    # when a note on it is delivered
    note = note_on(referral, make_parcel)
    outcome = await connector.deliver(note, context)
    # then the council says that it has received it, under an id of its own
    assert isinstance(outcome, Delivered)
    assert outcome.level is Level.L2
    assert outcome.receipt
    entry = council.entries()[-1]
    assert entry.path == f"/referrals/{referral.idempotency_key}/notes"
    assert (entry.key, entry.body, entry.effect) == (note.idempotency_key, note.body, True)


@pytest.mark.parametrize("duplicate_status", [200, 409])
async def test_the_same_note_twice_is_filed_once_also_after_a_crash(
    start_council: Callable[..., SandboxProcess],
    context: PlainContext,
    make_parcel: Make,
    connect_to: Callable[[str], DutyToRefer],
    duplicate_status: int,
) -> None:
    # given a note whose council died before it could reply
    council = start_council(duplicate_status=duplicate_status)
    connector, referral = connect_to(council.url), make_parcel()
    await connector.deliver(referral, context)
    note = note_on(referral, make_parcel)
    council.behave(Behaviour.CRASHING, times=1)
    assert isinstance(await connector.deliver(note, context), InDoubt)
    council.wait()
    council.start()
    # when it is asked about, and sent again all the same
    found = await connector.reconcile(note, context)
    again = await connector.deliver(replace(note, attempt=2), context)
    # then the council knew it both times
    assert isinstance(found, Delivered)
    assert isinstance(again, Delivered)
    assert found.receipt == again.receipt
    assert council.effects(note.idempotency_key) == 1


async def test_a_note_that_is_not_there_is_said_not_to_have_arrived(
    connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a note that never went, on a referral that did
    referral = make_parcel()
    await connector.deliver(referral, context)
    # when / then
    outcome = await connector.reconcile(note_on(referral, make_parcel), context)
    assert outcome == RetryLater("not-arrived")


async def test_a_note_is_not_found_under_a_referral_s_key(
    connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a referral, and a note that bears its key by mistake
    referral = make_parcel()
    await connector.deliver(referral, context)
    note = replace(note_on(referral, make_parcel), idempotency_key=referral.idempotency_key)
    # when / then: a key names one thing only
    assert await connector.reconcile(note, context) == RetryLater("not-arrived")
    assert await connector.deliver(note, context) == Rejected("http-409")


async def test_a_note_on_a_referral_that_the_council_has_not_is_refused(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a note on nothing
    note = note_on(make_parcel(), make_parcel)
    # when / then
    assert await connector.deliver(note, context) == Rejected("http-404")
    assert council.effects(note.idempotency_key) == 0


async def test_a_note_that_names_another_referral_than_its_address_is_refused(
    council: SandboxProcess, connector: DutyToRefer, context: PlainContext, make_parcel: Make
) -> None:
    # given a referral, and a note in another's name
    referral = make_parcel()
    await connector.deliver(referral, context)
    token = (await context_token(connector, context)).removeprefix("Bearer ")
    # when it is posted to the referral's notes
    reply = httpx.post(
        f"{council.url}/referrals/{referral.idempotency_key}/notes",
        content=note_on(referral, make_parcel, referralKey=str(uuid.uuid4())).body,
        headers={"authorization": f"Bearer {token}", "idempotency-key": str(uuid.uuid4())},
        trust_env=False,
    )
    # then
    assert (reply.status_code, reply.json()) == (422, {"code": "note-names-another-referral"})


async def context_token(connector: DutyToRefer, context: PlainContext) -> str:
    """Return the credential that the connector itself would send."""
    return await connector._client(context).authorization(context)


@pytest.mark.parametrize(
    ("status", "note", "state"), [("STOPPED", "", "completed"), ("KEPT", "The law has us keep the date.", "declined")]
)
async def test_r15_a_council_says_that_it_has_stopped_or_what_it_keeps(
    council: SandboxProcess,
    connector: DutyToRefer,
    context: PlainContext,
    make_parcel: Make,
    hub: object,
    status: str,
    note: str,
    state: str,
) -> None:
    # given a referral that was withdrawn
    referral, withdrawal = make_parcel(), make_parcel("person-withdrew")
    body = json.loads(withdrawal.body) | {"referenceNumber": json.loads(referral.body)["referenceNumber"]}
    withdrawal = replace(withdrawal, kind=DeliveryKind.PLEASE_STOP_USING, body=json.dumps(body).encode())
    await connector.deliver(referral, context)
    await connector.deliver(withdrawal, context)
    # when the council answers
    council.say(key=withdrawal.idempotency_key, status=status, **({"outcomeNote": note} if note else {}))
    # then its answer names the withdrawal, in our words
    inbound = connector.parse_callback(hub.arrived.get(timeout=5))  # type: ignore[attr-defined]
    assert inbound.reference == withdrawal.idempotency_key
    (answer,) = inbound.answers
    assert answer.state == state
    assert not note or answer.text == note
