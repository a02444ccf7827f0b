"""A cancellation: the referral is looked at first, and only one that is still open is revoked, in either style."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hub_health_fhir.cancelling import closed_already, look_up

from hub.domain.answer import PROVES
from hub.mapping import load_mapping
from hub.sdk import AnswerState, Delivered, Level, Parcel, Response, RetryLater
from hub.sdk.testing.process import SandboxProcess

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
STOP = "please-stop-using"


def known_as(parcel: Parcel, reference: str) -> Parcel:
    """The same parcel of a share that has another reference."""
    return dataclasses.replace(parcel, body=parcel.body.replace(b"K7M-4QX", reference.encode()))


def looks(sandbox: SandboxProcess, reference: str) -> list[dict[str, Any]]:
    return [each for each in sandbox.order("asked")["asked"] if reference in each["query"]]


@pytest.mark.parametrize("style", ["bars-servicerequest", "bars-servicerequest-delete"])
async def test_r15_an_open_referral_is_looked_at_and_then_cancelled_in_the_style_of_its_mapping(
    *, style: str, sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make, mapping: Any, mappings: Any
) -> None:
    # given: a referral that the service has
    reference = f"OPN-{style[-3:]}".upper()
    sent, connector = known_as(parcel(), reference), bars(sandbox_once.url)
    made = load_mapping(mappings / style / "1.0.0", mappings.parent / "codes")
    stop = known_as(parcel(case=STOP, delivery_case=sent.case, mapping=made), reference)
    async with context() as lent:
        await connector.deliver(sent, lent)
        # when
        outcome = await connector.deliver(stop, lent)
        # then: one look, in the same case, and one cancellation
        assert isinstance(outcome, Delivered)
        assert outcome.level is Level.L2
        assert lent.started == 2
        [look] = looks(sandbox_once, reference)
        assert look["path"] == "/ServiceRequest"
        assert look["headers"]["x-correlation-id"] == sent.case
        # and it is closed there now
        again = known_as(parcel(case=STOP, delivery_case=sent.case), reference)
        assert await connector.deliver(again, lent) == closed_outcome()
    entry = sandbox_once.wait_for(stop.idempotency_key)
    header = json.loads(entry.body)["entry"][0]["resource"]
    newer = style.endswith("delete")
    assert header["reason"]["coding"][0]["code"] == ("delete" if newer else "update")
    assert header["definition"].endswith("-cancelled") is newer


@pytest.mark.parametrize("decision", ["completed", "declined"])
async def test_r15_a_referral_that_the_service_has_closed_is_not_cancelled_and_nothing_is_pretended(
    *, decision: str, sandbox: SandboxProcess, bars: Make, context: Make, parcel: Make, hub: Any
) -> None:
    # given
    sent, connector = parcel(), bars(sandbox.url)
    stop = parcel(case=STOP, delivery_case=sent.case)
    async with context() as lent:
        await connector.deliver(sent, lent)
        sandbox.say(key=sent.idempotency_key, decision=decision)
        # when
        outcome = await connector.deliver(stop, lent)
        # then: nothing went, no rung is claimed, and who must be rung is said
        assert outcome == closed_outcome()
        assert lent.started == 1
        assert sandbox.effects(stop.idempotency_key) == 0
        # and a second try, which the first may have closed it for, is sent, for the receiver to dedupe
        assert isinstance(await connector.deliver(dataclasses.replace(stop, attempt=2), lent), Delivered)
    assert sandbox.effects(stop.idempotency_key) == 1


def closed_outcome() -> Delivered:
    said = closed_already(found(referral("revoked")), body())
    assert said is not None
    assert said.level is Level.L0
    [answer] = said.answers
    assert (answer.state, PROVES[answer.state]) == (AnswerState.AWAITED, Level.L0)
    assert "Ring them and ask them to stop using what was sent." in answer.text
    return said


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
async def test_r15_a_receiver_that_refuses_the_question_is_sent_the_cancellation(
    status: int, sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    stop = parcel(f"NHS0001-referrals-{status}", case=STOP)
    async with context() as lent:
        assert isinstance(await bars(sandbox_once.url).deliver(stop, lent), Delivered)


async def test_a_receiver_that_cannot_say_now_is_asked_later_and_nothing_left(
    sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    stop = parcel("NHS0001-referrals-503", case=STOP)
    async with context() as lent:
        outcome = await bars(sandbox_once.url).deliver(stop, lent)
        assert outcome == RetryLater("unavailable:transient", after=7.0)
        assert lent.started == 0


def referral(status: Any, reference: Any = "K7M-4QX") -> dict[str, Any]:
    return {"resourceType": "ServiceRequest", "status": status, "identifier": [{"value": reference}]}


def found(*listed: Any) -> Response:
    entries = [{"resource": each} for each in listed]
    return Response(200, {}, json.dumps({"resourceType": "Bundle", "entry": entries}).encode())


def body() -> bytes:
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": referral("revoked")}]}).encode()


@pytest.mark.parametrize(
    "reply",
    [
        found(),
        found(referral("active")),
        found(referral("on-hold")),
        found(referral("brand-new")),
        found(referral(None)),
        found(referral("revoked", "ANOTHER")),
        found(referral("revoked"), referral("active")),
        found({"resourceType": "Patient", "identifier": [{"value": "K7M-4QX"}], "status": "revoked"}),
        found(None, 3, {"resourceType": "ServiceRequest", "identifier": "K7M-4QX", "status": "revoked"}),
        Response(200, {}, b"<html>"),
        Response(200, {}, b"[" * 100_000),
    ],
)
def test_what_does_not_say_that_all_is_closed_is_cancelled(reply: Response) -> None:
    assert closed_already(reply, body()) is None


@pytest.mark.parametrize("status", ["revoked", "completed", "entered-in-error"])
def test_a_referral_is_closed_in_a_list_and_alone(status: str) -> None:
    assert closed_already(found(referral(status)), body()) is not None
    assert closed_already(Response(200, {}, json.dumps(referral(status)).encode()), body()) is not None


def test_the_question_names_the_share_and_nobody() -> None:
    assert look_up(body()) == "/ServiceRequest?ServiceRequest.identifier=K7M-4QX"
    for broken in (b"", b"[]", b'{"resourceType": "Bundle"}'):
        assert look_up(broken) == ""


def test_the_two_styles_differ_in_the_cancellation_alone(mappings: Any) -> None:
    """Both mappings make the same of every other kind: what is mended in one is mended in the other."""
    older, newer = (
        load_mapping(mappings / style / "1.0.0", mappings.parent / "codes")
        for style in ("bars-servicerequest", "bars-servicerequest-delete")
    )
    for file in sorted((mappings / "bars-servicerequest" / "1.0.0" / "cases").glob("*.in.json")):
        seen = json.loads(file.read_text(encoding="utf-8"))
        if "refused" in file.name:
            continue
        first, second = json.loads(older.run(seen)), json.loads(newer.run(seen))
        if seen["delivery"]["kind"] == "please_stop_using":
            header = second["entry"][0]["resource"]
            assert header["reason"]["coding"][0].pop("code") == "delete"
            assert header.pop("definition").endswith("servicerequest-request-cancelled")
            del first["entry"][0]["resource"]["reason"]["coding"][0]["code"]
            del first["entry"][0]["resource"]["definition"]
        assert first == second
    assert older.categories == newer.categories
