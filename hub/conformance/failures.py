"""Checks of what goes wrong: every refusal, silence and broken reply, each as the one outcome that tells the truth."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hub.conformance.check import check, wrong
from hub.conformance.gateway import Treat, cut, drip, lose_reply, reply, reset, stall
from hub.conformance.stand import IMPATIENCE, Stand
from hub.sdk import Delivered, Halt, InDoubt, Outcome, Rejected, RetryLater
from hub.sdk.testing.sandbox import Behaviour

_WAIT = 7


@check("refusals", "http")
async def takes_a_400_for_good(stand: Stand) -> None:
    """400 is Rejected: the same bytes will never be taken."""
    await _expect(stand, _refusal(stand, 400), (Rejected,), "return Rejected for 400")


@check("refusals", "http")
async def takes_a_404_for_good(stand: Stand) -> None:
    """404 is Rejected or Halt: the address is wrong."""
    await _expect(stand, _refusal(stand, 404), (Rejected, Halt), "return Rejected for 404")


@check("refusals", "http")
async def takes_a_422_for_good(stand: Stand) -> None:
    """422 is Rejected: the partner's rules forbid it."""
    await _expect(stand, _refusal(stand, 422), (Rejected,), "return Rejected for 422")


@check("refusals", "http")
async def holds_the_connection_on_403(stand: Stand) -> None:
    """403 is Halt: we are not onboarded, and trying on locks us out."""
    await _expect(stand, _refusal(stand, 403), (Halt,), "return Halt for 403")


@check("refusals", "http")
async def holds_the_connection_on_401_for_good(stand: Stand) -> None:
    """A credential that stays refused is Halt, after two tries at the most."""
    with stand.gateway.treating(reply(401)) as seen:
        outcome, _ = await stand.deliver(stand.parcel())
    if not isinstance(outcome, Halt) or len(seen) > 2:
        fix = "renew the token once, try once more, then return Halt"
        wrong(f"401 for good is {outcome} after {len(seen)} tries", stand.subject.at("deliver"), fix)


@check("renewal", "http", "token")
async def renews_a_token_that_ran_out(stand: Stand) -> None:
    """A token that the partner forgot is renewed once, and the parcel arrives once."""
    await stand.delivered(stand.parcel())
    stand.sandbox.expire_tokens()
    parcel = stand.parcel()
    await stand.delivered(parcel)
    if (acted := await stand.effects(parcel)) != 1:
        wrong(f"after the renewal it was acted on {acted} times", stand.subject.at("deliver"), "try once more only")


@check("waiting", "http")
async def waits_the_seconds_it_is_asked(stand: Stand) -> None:
    """429 with Retry-After in seconds is RetryLater, after that many."""
    outcome = await _expect(
        stand, _refusal(stand, 429, retry_after=str(_WAIT)), (RetryLater,), "return RetryLater for 429"
    )
    _waits(stand, outcome, 429)


@check("waiting", "http")
async def waits_until_the_date_it_is_asked(stand: Stand) -> None:
    """429 with Retry-After as a date is RetryLater, until then."""
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=_WAIT), usegmt=True)
    outcome = await _expect(stand, _refusal(stand, 429, retry_after=at), (RetryLater,), "return RetryLater for 429")
    _waits(stand, outcome, 429)


@check("waiting", "http")
async def comes_back_after_503(stand: Stand) -> None:
    """503 with Retry-After is RetryLater, not before."""
    outcome = await _expect(
        stand, _refusal(stand, 503, retry_after=str(_WAIT)), (RetryLater,), "return RetryLater for 503"
    )
    _waits(stand, outcome, 503)


@check("waiting", "http")
async def survives_a_retry_after_that_says_nothing(stand: Stand) -> None:
    """A Retry-After that cannot be read is none."""
    outcome = await _expect(
        stand, _refusal(stand, 429, retry_after="soon"), (RetryLater,), "read it with waiting.retry_after"
    )
    if getattr(outcome, "after", None) is not None:
        wrong("it waits for a time nobody named", stand.subject.at("deliver"), "read it with waiting.retry_after")


@check("doubt", "http")
async def does_not_guess_after_500(stand: Stand) -> None:
    """500 is InDoubt, or RetryLater where the partner dedupes: it may have it."""
    dedupes = stand.subject.manifest.idempotency.partner_dedupes
    wanted = (InDoubt, RetryLater) if dedupes else (InDoubt,)
    await _expect(stand, reply(500), wanted, "return InDoubt: the partner may have it")


@check("doubt", "http")
async def does_not_guess_after_a_gateway(stand: Stand) -> None:
    """502 and 504 come from between us and the partner: InDoubt, or RetryLater where the partner dedupes."""
    wanted = (InDoubt, RetryLater) if stand.subject.manifest.idempotency.partner_dedupes else (InDoubt,)
    await _expect(stand, reply(502), wanted, "return InDoubt for 502")
    await _expect(stand, reply(504), wanted, "return InDoubt for 504")


@check("doubt", "http")
async def is_in_doubt_when_the_reply_is_lost(stand: Stand) -> None:
    """The partner acts and its reply is lost: InDoubt, and it had started."""
    await _in_doubt(stand, lose_reply)


@check("doubt", "http")
async def is_in_doubt_after_a_reset(stand: Stand) -> None:
    """A connection torn down after the request is InDoubt."""
    await _in_doubt(stand, reset)


@check("doubt", "http")
async def is_in_doubt_when_the_reply_breaks_off(stand: Stand) -> None:
    """A reply shorter than it promised is InDoubt."""
    await _in_doubt(stand, cut)


@check("deadline", "http")
async def gives_up_on_silence_in_time(stand: Stand) -> None:
    """A partner that says nothing is InDoubt by the parcel's deadline."""
    await _within_deadline(stand, stall)


@check("deadline", "http")
async def gives_up_on_a_reply_that_never_ends(stand: Stand) -> None:
    """The deadline covers the whole exchange: a dripping reply is InDoubt too."""
    await _within_deadline(stand, drip)


@check("deadline", "http")
async def sends_nothing_after_the_deadline(stand: Stand) -> None:
    """A parcel whose deadline has passed does not leave."""
    came = len(stand.gateway.parcels)
    outcome, started = await stand.deliver(dataclasses.replace(stand.parcel(), deadline=time.time() - 1))
    if started or len(stand.gateway.parcels) != came or not isinstance(outcome, RetryLater):
        wrong(f"after its deadline a parcel is {outcome}", stand.subject.at("deliver"), "send through context.send")


@check("truth", "http")
async def believes_no_sign_in_page(stand: Stand) -> None:
    """A 200 that is not the partner's own (a gateway's page) is not Delivered."""
    page = reply(200, b"<html><title>Sign in</title></html>", content_type="text/html")
    fix = "believe a 200 only with the partner's own receipt in it"
    await _expect(stand, page, (InDoubt, RetryLater, Rejected, Halt), fix)


@check("truth", "http")
async def believes_no_empty_success(stand: Stand) -> None:
    """A 200 without a byte is no receipt."""
    fix = "believe a 200 only with the partner's own receipt in it"
    await _expect(stand, reply(200), (InDoubt, RetryLater, Rejected, Halt), fix)


@check("truth", "http")
async def survives_a_hostile_reply(stand: Stand) -> None:
    """JSON nested without end is no receipt, and ends nothing."""
    hostile = reply(200, b"[" * 50_000, content_type="application/json")
    outcome = await _expect(
        stand, hostile, (InDoubt, RetryLater, Rejected, Halt), "catch RecursionError beside ValueError"
    )
    if getattr(outcome, "reason", "") == "connector-error":
        wrong(
            "an exception got out of deliver()", stand.subject.at("deliver"), "catch RecursionError beside ValueError"
        )


@check("truth", "http", "receipt")
async def believes_no_receipt_of_another_parcel(stand: Stand) -> None:
    """A partner that claims success and did nothing is found out, or the pack says that it cannot be."""
    await stand.host()
    parcel = stand.parcel()
    stand.sandbox.behave(Behaviour.LYING, times=1)
    outcome, _ = await stand.deliver(parcel)
    names_key = stand.subject.manifest.reconcile == "asks"
    if isinstance(outcome, Delivered) and names_key and not await stand.effects(parcel):
        fix = "compare the reply's key with parcel.idempotency_key; if it has none, look the parcel up and compare ids"
        wrong("a receipt for another parcel is believed", stand.subject.at("deliver"), fix)


@check("doubt", "http")
async def goes_on_after_each_failure(stand: Stand) -> None:
    """After failures the next parcel is delivered by the same host."""
    for treat in (reset, reply(500), reply(400)):
        with stand.gateway.treating(treat):
            await stand.deliver(stand.parcel())
    await stand.delivered(stand.parcel())


def _refusal(stand: Stand, status: int, **headers: str) -> Treat:
    """Refuse as this partner's protocol does."""
    body = stand.subject.trial.refusal if stand.subject.trial else ""
    return reply(status, body.encode(), content_type="application/json", **headers)


async def _expect(stand: Stand, treat: Treat, wanted: tuple[type[Outcome], ...], fix: str) -> Outcome:
    with stand.gateway.treating(treat) as seen:
        outcome, _ = await stand.deliver(stand.parcel())
    if not isinstance(outcome, wanted):
        names = " or ".join(kind.__name__ for kind in wanted)
        wrong(f"it should be {names}, and is {outcome}", stand.subject.at("deliver"), fix)
    if not seen:
        wrong("no request carried the parcel", stand.subject.at("deliver"), "send it with context.send")
    return outcome


async def _in_doubt(stand: Stand, treat: Treat) -> None:
    with stand.gateway.treating(treat):
        outcome, started = await stand.deliver(stand.parcel())
    if not isinstance(outcome, InDoubt) or not started:
        fix = "let NoReply pass, or return InDoubt; a parcel's request is sent with starts=True"
        wrong(f"a reply that never came is {outcome}, started {started}", stand.subject.at("deliver"), fix)


async def _within_deadline(stand: Stand, treat: Treat) -> None:
    await stand.delivered(stand.parcel())  # its token and connection are there: what is timed is the parcel alone
    begun = time.monotonic()
    with stand.gateway.treating(treat):
        outcome, started = await stand.deliver(stand.parcel(seconds=IMPATIENCE))
    if not isinstance(outcome, InDoubt) or not started or time.monotonic() - begun > IMPATIENCE + 2:
        wrong(f"silence is {outcome}, started {started}", stand.subject.at("deliver"), "never wait beyond context.send")


def _waits(stand: Stand, outcome: Outcome, status: int) -> None:
    after = getattr(outcome, "after", None)
    if after is None or not _WAIT - 3 <= after <= _WAIT + 1:
        fix = "give RetryLater the seconds of waiting.retry_after(response, context.now)"
        wrong(f"{status} asks for {_WAIT} seconds, and it waits {after}", stand.subject.at("deliver"), fix)
