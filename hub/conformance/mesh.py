"""Checks of a connector over MESH: its proof with every request, chunks, asking before sending again, and its inbox."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

from hub.conformance.arrived import altered
from hub.conformance.check import check, wrong
from hub.conformance.gateway import Exchange, Seen, lose_reply, pass_on, reply
from hub.conformance.stand import Stand
from hub.conformance.trial import filled
from hub.sdk import AnswerState, Delivered, Halt, Inbound, Level, Parcel, Rejected, RetryLater
from hub.sdk.testing.mesh import STRANGER

_PIECE = 1_000
_BOX = "build on hub.sdk.transports.mesh_connector"
#: Replies that are nobody's: no bytes, no text, no document, and one nested without end.
_GARBAGE = ("", "\xff\xfe", "Dear colleagues", "[" * 20_000, "{}", "<Bundle xmlns='http://hl7.org/fhir'/>")


@check("works", "mesh")
async def proves_its_mailbox_anew_with_every_request(stand: Stand) -> None:
    """Every request carries an `NHSMESH` header of its own, never the password or the key, and a wrong one is Halt."""
    await stand.delivered(stand.parcel())
    shown = [each.headers.get("authorization", "") for each in stand.gateway.seen]
    at = stand.subject.at("deliver")
    if not all(header.startswith("NHSMESH ") for header in shown) or len(set(shown)) != len(shown):
        wrong("a request goes without an authorisation of its own", at, _BOX)
    configured = stand.configure()
    if any(secret.encode() in each.raw for each in stand.gateway.seen for secret in configured.secrets.values()):
        wrong("a secret stands in a request", at, "send only the HMAC that is made with it")
    for name in configured.secrets:
        host = await stand.fresh_host(secrets={**configured.secrets, name: "another"})
        outcome = getattr(await host.check(), "outcome", None)
        if not isinstance(outcome, Halt):
            wrong(f"with another {name} check() gives {outcome}", stand.subject.at("check"), "return Halt for 403")


@check("duplicates", "mesh")
async def asks_mesh_before_it_sends_again(stand: Stand) -> None:
    """MESH takes a message that comes twice as two: what arrived while its reply was lost is not sent again."""
    parcel = stand.parcel()
    await stand.host()
    with stand.gateway.treating(lose_reply):
        await stand.deliver(parcel)
    came = len(stand.gateway.parcels)
    outcome, _ = await stand.deliver(dataclasses.replace(parcel, attempt=2))
    acted = await stand.effects(parcel)
    if not isinstance(outcome, Delivered) or acted != 1 or len(stand.gateway.parcels) != came:
        what = f"the second try of what arrived is {outcome}, and it is in the mailbox {acted} times"
        wrong(what, stand.subject.at("deliver"), "ask by mex-LocalID when parcel.attempt is above 1")


@check("refusals", "mesh")
async def reads_the_code_of_a_417(stand: Stand) -> None:
    """417 says by its code whose fault it is: an unknown mailbox is the parcel's end, an unregistered workflow ours."""
    cases: tuple[tuple[str, tuple[type, ...]], ...] = (
        ("12", (Rejected,)),
        ("06", (Rejected,)),
        ("17", (Halt,)),
        ("07", (Halt,)),
        ("99", (Rejected, Halt)),
    )
    await stand.host()
    for code, wanted in cases:
        body = json.dumps({"detail": [{"event": "SEND", "code": code, "msg": "no"}]}).encode()
        with stand.gateway.treating(reply(417, body, content_type="application/json")):
            outcome, _ = await stand.deliver(stand.parcel())
        if not isinstance(outcome, wanted):
            wrong(f"417 with code {code} is {outcome}", stand.subject.at("deliver"), _BOX)


@check("size", "mesh")
async def sends_what_is_large_in_chunks(stand: Stand) -> None:
    """More than `chunk_bytes` goes in as many pieces as it needs, in order, and is one message there."""
    parcel = _padded(stand)
    seen = await _in_pieces(stand, parcel)
    of = f":{len(seen)}"
    ranges = [each.headers.get("mex-chunk-range", "") for each in seen]
    if len(seen) < 2 or ranges != [f"{number}{of}" for number in range(1, len(seen) + 1)]:
        wrong(f"the pieces are {', '.join(ranges)}", stand.subject.at("deliver"), "number the pieces from 1")
    if any(len(each.content) > _PIECE for each in seen) or altered(seen, parcel, stand.arrives_as):
        wrong("the pieces are too large, or not the parcel", stand.subject.at("deliver"), "cut at chunk_bytes")
    if (acted := await stand.effects(parcel)) != 1:
        wrong(f"the pieces are {acted} messages", stand.subject.at("deliver"), "send them under one message id")


@check("doubt", "mesh")
async def goes_on_with_an_upload_that_broke_off(stand: Stand) -> None:
    """What broke off between two pieces is RetryLater, and the next try ends the same message."""
    parcel, pieces = _padded(stand), 0
    host = await _small(stand)

    async def once(exchange: Exchange) -> None:
        nonlocal pieces
        pieces += 1
        if pieces == 2:
            exchange.tear()
        else:
            await pass_on(exchange)

    with stand.gateway.treating(once):
        broken, _ = await stand.deliver(parcel, host)
    came = len(stand.gateway.parcels)
    whole, _ = await stand.deliver(dataclasses.replace(parcel, attempt=2), host)
    again = stand.gateway.parcels[came:]
    if not isinstance(broken, RetryLater) or not isinstance(whole, Delivered) or await stand.effects(parcel) != 1:
        wrong(f"an upload that broke off is {broken}, then {whole}", stand.subject.at("deliver"), _BOX)
    if any(each.path.endswith("/outbox") for each in again):
        wrong("it began another message", stand.subject.at("deliver"), "go on with the message that tracking names")


@check("answers", "mesh")
async def reads_an_answer_in_pieces(stand: Stand) -> None:
    """An answer that MESH hands out in several chunks is read whole."""
    parcel = stand.parcel()
    await stand.delivered(parcel)
    await _say(stand, parcel, pieces=3)
    answered = [each for each in await _collected(stand) if each.reference == parcel.idempotency_key and each.answers]
    if not answered or answered[0].answers[0].state is AnswerState.AWAITED:
        wrong("an answer in three chunks is not read", stand.subject.at("collect"), _BOX)


@check("answers", "mesh")
async def leaves_what_is_not_for_it(stand: Stand) -> None:
    """What others wrote, and what cannot be read, stays in the mailbox and keeps no answer back."""
    await stand.host()
    for text in _GARBAGE:
        await _order(stand, do="write", text=text)
    await _order(stand, do="write", text=stand.parcel().idempotency_key, sender=STRANGER)
    left = (await _order(stand, do="look"))["waiting"]
    parcel = stand.parcel()
    await stand.delivered(parcel)
    await _say(stand, parcel)
    answered = await _collected(stand)
    if not any(each.reference == parcel.idempotency_key and each.answers for each in answered):
        wrong("a message that is no answer keeps one back", stand.subject.at("collect"), "raise ValueError in read()")
    if not set(left) <= set((await _order(stand, do="look"))["waiting"]):
        wrong("what is not for it was acknowledged", stand.subject.at("collect"), "acknowledge only what was read")


@check("answers", "mesh")
async def says_what_was_never_collected(stand: Stand) -> None:
    """A report of non-delivery is told, once, and proves no more than transport."""
    parcel = stand.parcel()
    await stand.delivered(parcel)
    await _order(stand, do="report", key=parcel.idempotency_key)
    told = [each for each in await _collected(stand) if each.reference == parcel.idempotency_key]
    at = stand.subject.at("collect")
    if len(told) != 1 or not told[0].answers or told[0].level not in {None, Level.L0, Level.L1}:
        wrong(f"a report that nobody collected it is read {len(told)} times", at, "read mex-MessageType REPORT")
    if told[0].answers[0].state is not AnswerState.AWAITED:
        wrong(f"what nobody collected is {told[0].answers[0].state}", at, "answer with NOT_COLLECTED")
    if any(each.reference == parcel.idempotency_key for each in await _collected(stand)):
        wrong("it is told again", stand.subject.at("acknowledge"), "acknowledge the report")


@check("answers", "mesh")
async def knows_what_their_system_collected(stand: Stand) -> None:
    """What MESH says was collected is L2, and nothing beyond."""
    parcel = stand.parcel()
    await stand.delivered(parcel)
    await _order(stand, do="collect", key=parcel.idempotency_key)
    told = [each for each in await _collected(stand) if each.reference == parcel.idempotency_key]
    if [(each.level, each.answers) for each in told] != [(Level.L2, ())]:
        wrong(f"what was collected is read as {told}", stand.subject.at("collect"), _BOX)


async def _collected(stand: Stand) -> list[Inbound]:
    """Fetch all that waits and, as the hub does after its commit, acknowledge it."""
    host, found = await stand.host(), await stand.collected()
    for inbound in found:
        await host.acknowledge(inbound.message_id)
    return found


async def _small(stand: Stand) -> Any:
    """Return a host whose pieces are small; a connector without such a setting is a fault."""
    if "chunk_bytes" not in (stand.subject.facts.settings if stand.subject.facts else {}):
        wrong("it has no setting chunk_bytes", stand.subject.at("deliver"), "subclass MeshSettings")
    await stand.host()
    return await stand.fresh_host(settings={**stand.configure().settings, "chunk_bytes": _PIECE})


def _padded(stand: Stand) -> Parcel:
    """Return a parcel of several pieces; white space at its end changes no document."""
    parcel = stand.parcel()
    return dataclasses.replace(parcel, body=parcel.body + b" " * 3 * _PIECE)


async def _in_pieces(stand: Stand, parcel: Parcel) -> list[Seen]:
    host = await _small(stand)
    came = len(stand.gateway.parcels)
    outcome, _ = await stand.deliver(parcel, host)
    seen = stand.gateway.parcels[came:]
    if not isinstance(outcome, Delivered) or not seen:
        wrong(f"a parcel in pieces is {outcome}", stand.subject.at("deliver"), _BOX)
    return seen


async def _say(stand: Stand, parcel: Parcel, **more: Any) -> None:
    trial = stand.subject.trial
    if trial is None or not trial.say:
        wrong("nothing makes the partner answer", stand.subject.trial_place, 'give the trial a say = { key = "{key}" }')
    words = filled(trial.say, stand.words() | {"key": parcel.idempotency_key}) | more
    await asyncio.to_thread(lambda: stand.sandbox.say(**words))


async def _order(stand: Stand, **words: Any) -> dict[str, Any]:
    return await asyncio.to_thread(lambda: stand.sandbox.order("post", **words))
