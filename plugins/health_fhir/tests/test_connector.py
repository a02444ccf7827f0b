"""The connector against a BaRS receiver over real sockets: every behaviour, the headers, tokens, retries, doubts."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from hub.sdk import Delivered, Halt, InDoubt, Level, Rejected, RetryLater
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
SOFTWARE = ("software_system", "software_id", "software_name", "software_version")


async def test_a_referral_arrives_once_with_every_header_of_the_standard(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given
    sent = parcel("2000011147")
    async with context() as lent:
        # when
        outcome = await bars(sandbox.url, practitioner_role="100334993514").deliver(sent, lent)
        # then: the receiver's own id is the receipt
        assert isinstance(outcome, Delivered)
        assert outcome.level is Level.L2
        assert outcome.receipt
        assert lent.started == 1
    [entry] = sandbox.entries()
    assert entry.effect
    assert entry.body == sent.body
    assert (entry.key, entry.case) == (sent.idempotency_key, sent.case)
    headers = entry.headers
    assert headers["accept"] == "application/fhir+json; version=1.4.0"
    assert headers["content-type"] == "application/fhir+json"
    assert headers["use-context"] == "a1t1|referral|servicerequest-request|new"
    assert decoded(headers["nhsd-target-identifier"]) == {
        "value": "2000011147",
        "system": "https://fhir.nhs.uk/Id/dos-service-id",
    }
    assert decoded(headers["nhsd-end-user-organisation"])["identifier"][0]["value"] == "A1001"
    assert decoded(headers["nhsd-requesting-software"])["deviceName"]["name"] == "Trusted Person Hub"
    assert decoded(headers["nhsd-requesting-practitioner"])["identifier"][0]["value"] == "100334993514"


async def test_a_retry_is_the_same_body_and_ids_and_has_no_second_effect(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given
    sent = parcel()
    connector = bars(sandbox.url)
    async with context() as lent:
        await connector.deliver(sent, lent)
        # when
        again = await connector.deliver(dataclasses.replace(sent, attempt=2), lent)
    # then
    assert again == Delivered(level=Level.L1)
    first, second = sandbox.entries()
    assert (first.body, first.key, first.case) == (second.body, second.key, second.case)
    assert sandbox.effects(sent.idempotency_key) == 1


async def test_the_same_id_with_another_body_is_for_a_human(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given
    sent = parcel()
    other = json.loads(sent.body) | {"timestamp": "2026-11-20T15:00:01+00:00"}
    connector = bars(sandbox.url)
    async with context() as lent:
        await connector.deliver(sent, lent)
        # when
        outcome = await connector.deliver(dataclasses.replace(sent, body=json.dumps(other).encode()), lent)
        doubt = await connector.reconcile(dataclasses.replace(sent, body=json.dumps(other).encode()), lent)
    # then
    assert outcome == Rejected("conflict-human-review")
    assert doubt == InDoubt("conflict-human-review")
    assert sandbox.effects(sent.idempotency_key) == 1


@pytest.mark.parametrize("case", ["please-stop-using", "correction-without-a-name", "only-a-name"])
async def test_other_kinds_are_taken_too(
    case: str, sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    async with context() as lent:
        outcome = await bars(sandbox.url).deliver(parcel(case=case), lent)
    assert isinstance(outcome, Delivered)


async def test_a_slow_receiver_still_delivers(sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make) -> None:
    sandbox.behave(Behaviour.SLOW)
    async with context() as lent:
        assert isinstance(await bars(sandbox.url).deliver(parcel(), lent), Delivered)


async def test_a_receiver_too_slow_for_the_deadline_leaves_a_doubt_that_resending_settles(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given
    sent, connector = parcel(), bars(sandbox.url, discover=False)
    async with context() as lent:
        assert await connector.check(lent) == Delivered(level=Level.L0)  # the token is here
    async with context(timeout=0.15) as hasty:
        await connector.check(hasty)
        sandbox.behave(Behaviour.SLOW, times=1)
        # when
        outcome = await connector.deliver(sent, hasty)
    # then
    assert outcome == InDoubt("no-whole-reply")
    async with context() as lent:
        assert await connector.reconcile(sent, lent) == Delivered(level=Level.L1)
    assert sandbox.effects(sent.idempotency_key) == 1


async def test_a_refusing_receiver_is_a_technical_refusal(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    sandbox.behave(Behaviour.REFUSING)
    async with context() as lent:
        assert await bars(sandbox.url).deliver(parcel(), lent) == Rejected("unprocessable:not-supported")


async def test_a_silent_receiver_has_it_and_says_nothing(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make, hub: Any
) -> None:
    sandbox.behave(Behaviour.SILENT)
    async with context() as lent:
        assert isinstance(await bars(sandbox.url).deliver(parcel(), lent), Delivered)
    assert hub.received == []


async def test_a_receiver_that_is_down_is_tried_later(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given: a token first, since a platform that is down issues none
    connector = bars(sandbox.url)
    async with context() as lent:
        await connector.check(lent)
        sandbox.behave(Behaviour.DOWN)
        # when, then
        assert await connector.deliver(parcel(), lent) == RetryLater("intermediary-answered", after=1.0)
        assert await bars(sandbox.url).deliver(parcel(), lent) == RetryLater("token-unavailable")
        assert sandbox.entries() == []


async def test_a_crash_before_the_reply_is_settled_by_the_same_ids(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given
    sent, connector = parcel(), bars(sandbox.url)
    sandbox.behave(Behaviour.CRASHING)
    async with context() as lent:
        # when
        assert await connector.deliver(sent, lent) == InDoubt("no-whole-reply")
        assert sandbox.wait() == 70
        # then: while it is away the doubt stays
        assert isinstance(await connector.reconcile(sent, lent), InDoubt)
        # and when it is back, it knows what it took; the lost tokens are renewed on the way
        sandbox.start()
        assert await connector.reconcile(sent, lent) == Delivered(level=Level.L1)
    assert sandbox.effects(sent.idempotency_key) == 1


async def test_what_never_arrived_is_found_not_to_have(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given: a message that the receiver refuses on its merits, which it would not do to one it already has
    sent = parcel("NHS0001-422")
    async with context() as lent:
        outcome = await bars(sandbox.url).reconcile(sent, lent)
    assert outcome == RetryLater("not-arrived:unprocessable:not-supported")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 401, 403])
async def test_a_doubt_stays_until_the_receiver_itself_settles_it(
    status: int, sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    async with context() as lent:
        assert isinstance(await bars(sandbox.url).reconcile(parcel(f"NHS0001-{status}"), lent), InDoubt)


async def test_a_lying_receiver_is_believed_and_its_silence_is_left_to_the_clock(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    sandbox.behave(Behaviour.LYING)
    sent = parcel()
    async with context() as lent:
        assert isinstance(await bars(sandbox.url).deliver(sent, lent), Delivered)
    assert sandbox.effects(sent.idempotency_key) == 0


async def test_an_expired_token_is_renewed_once(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given
    connector = bars(sandbox.url)
    async with context() as lent:
        await connector.deliver(parcel(), lent)
        sandbox.expire_tokens()
        # when
        outcome = await connector.deliver(parcel(), lent)
    # then
    assert isinstance(outcome, Delivered)
    assert len(sandbox.entries()) == 2


async def test_a_platform_that_takes_no_token_halts_the_connection_after_one_renewal(
    sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    async with context() as lent:
        assert await bars(sandbox.url).deliver(parcel("NHS0001-401"), lent) == Halt("unauthorised:expired")
    assert len(sandbox.entries()) == 2  # the first, and one more with a fresh token


async def test_a_key_that_the_platform_does_not_know_halts_before_anything_leaves(
    sandbox: SandboxProcess, bars: Make, parcel: Make
) -> None:
    # given
    stranger = RSAKey.generate_key(2048).as_pem(private=True).decode()
    async with PlainContext(secrets={"private_key": stranger}) as lent:
        # when
        outcome = await bars(sandbox.url).deliver(parcel(), lent)
        # then
        assert outcome == Halt("token-refused")
        assert await bars(sandbox.url).check(lent) == Halt("token-refused")
        assert lent.started == 0
    assert sandbox.entries() == []


async def test_check_reads_the_publishers_own_invalid_capability_statement(
    sandbox: SandboxProcess, bars: Make, context: Make, samples: Any
) -> None:
    # given: a statement that is not valid R4
    assert b"CapabilityStatement" in (samples / "capabilitystatement.json").read_bytes()
    async with context() as lent:
        # when, then
        assert await bars(sandbox.url).check(lent) == Delivered(level=Level.L0)
        assert lent.started == 0


async def test_no_connection_means_that_nothing_left(bars: Make, context: Make, parcel: Make) -> None:
    async with context() as lent:
        unauthenticated = bars("http://127.0.0.1:9", token_url=None)
        assert await unauthenticated.deliver(parcel(), lent) == RetryLater("no-connection")
        assert await unauthenticated.check(lent) == RetryLater("no-connection")
        assert lent.started == 0


async def test_a_parcel_that_could_never_be_answered_is_not_sent(bars: Make, context: Make, parcel: Make) -> None:
    sent = parcel()
    async with context() as lent:
        connector = bars("http://127.0.0.1:9", token_url=None)
        for body in (b"{}", b"no json", b"[1]", b"[" * 100_000):
            outcome = await connector.deliver(dataclasses.replace(sent, body=body), lent)
            assert outcome == Rejected("bundle-id-is-not-the-key")
        assert await connector.deliver(dataclasses.replace(sent, address=""), lent) == Rejected("routing:no-service-id")


@pytest.mark.parametrize(
    ("echoed", "body", "outcome"),
    [
        (True, {"resourceType": "Bundle"}, Delivered(level=Level.L1)),
        (True, {"resourceType": "Bundle", "entry": [None, 3, {"resource": []}]}, Delivered(level=Level.L1)),
        (False, {"resourceType": "Bundle"}, InDoubt("intermediary-answered")),
        (True, {"resourceType": "OperationOutcome"}, InDoubt("intermediary-answered")),
        (True, ["ok"], InDoubt("intermediary-answered")),
        (True, {"resourceType": "Bundle", "id": "of-another"}, InDoubt("reply-names-another-message")),
    ],
)
async def test_a_200_is_believed_only_from_the_receiver(
    *,
    echoed: bool,
    body: Any,
    outcome: object,
    intermediary: Make,
    reply: Make,
    echo: Make,
    bars: Make,
    context: Make,
    parcel: Make,
) -> None:
    # given
    def answer(head: bytes) -> bytes:
        return bytes(reply(200, json.dumps(body).encode(), **(echo(head) if echoed else {})))

    async with intermediary(answer) as url, context() as lent:
        # when, then
        assert await bars(url, token_url=None, discover=False).deliver(parcel(), lent) == outcome


async def test_the_publishers_own_synchronous_reply_is_read(
    *, intermediary: Make, reply: Make, echo: Make, bars: Make, context: Make, parcel: Make, samples: Any
) -> None:
    # given: their sample, for a message of the id that it names
    body = (samples / "sync-http-response.validation.json").read_bytes()
    sent = parcel(key="86e3371d-1c15-4862-9552-d9560f8292ba")
    async with intermediary(lambda head: reply(200, body, **echo(head))) as url, context() as lent:
        # when
        outcome = await bars(url, token_url=None, discover=False).deliver(sent, lent)
    # then
    assert outcome == Delivered(receipt="71d2b38e-b81c-4894-a522-6a65265b1d58", level=Level.L2)


async def test_a_connection_cut_after_the_body_is_a_doubt(
    intermediary: Make, bars: Make, context: Make, parcel: Make
) -> None:
    async with intermediary(lambda _head: None) as url, context() as lent:
        connector = bars(url, token_url=None, discover=False)
        assert await connector.deliver(parcel(), lent) == InDoubt("no-whole-reply")
        assert await connector.reconcile(parcel(), lent) == InDoubt("no-whole-reply")


async def test_settings_refuse_what_they_do_not_know_and_a_line_break(bars: Make) -> None:
    with pytest.raises(ValueError, match="extra"):
        bars("http://127.0.0.1:9", password="x")
    with pytest.raises(ValueError, match="use_context"):
        bars("http://127.0.0.1:9", use_context="a\r\nx-injected: 1")
    with pytest.raises(ValueError, match="base_url"):
        bars("http://127.0.0.1:9/")
    with pytest.raises(ValueError, match=r"use_context: version 1\.4\.0 asks for it"):
        bars("http://127.0.0.1:9", use_context=None)
    with pytest.raises(ValueError, match=r"organisation_name: version 1\.3\.0 asks for it"):
        bars("http://127.0.0.1:9", version="1.3.0", organisation_name=None)
    with pytest.raises(ValueError, match="version"):
        bars("http://127.0.0.1:9", version="2.0.0")


@pytest.mark.parametrize("version", ["1.2.0", "1.3.1"])
async def test_an_older_receiver_is_asked_in_its_own_version_and_told_only_what_is_set(
    version: str, sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given: settings without what 1.4 added
    unset = ("organisation_ods", "organisation_name", "use_context", *SOFTWARE)
    connector = bars(sandbox_once.url, version=version, **dict.fromkeys(unset))
    sent = parcel()
    async with context() as lent:
        # when, then
        assert isinstance(await connector.deliver(sent, lent), Delivered)
    headers = sandbox_once.wait_for(sent.idempotency_key).headers
    assert headers["accept"] == f"application/fhir+json; version={version}"
    assert not {"nhsd-end-user-organisation", "nhsd-requesting-software", "use-context"} & set(headers)


def decoded(value: str) -> dict[str, Any]:
    return json.loads(base64.b64decode(value, validate=True))
