"""Checks of what a partner says back: proved by the hub, read in the host, and never taken for another share's."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import cast

from hub.conformance.check import check, wrong
from hub.conformance.door import forged
from hub.conformance.stand import Stand
from hub.conformance.trial import filled
from hub.courier.host_process import ParseFailed
from hub.sdk import AnswerState, CallbackRequest, Inbound
from hub.security.callbacks import Kind

_GARBAGE = (b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 20_000, b'{"a": "\\ud800"}')


@check("answers", "callback")
async def reads_an_answer(stand: Stand) -> None:
    """What the partner says of a share names it, and is an answer in the hub's words."""
    key, message = await _answered(stand)
    inbound = await _read(stand, message)
    at = stand.subject.at("parse_callback")
    if inbound.reference != key:
        wrong("the answer names another delivery than it is for", at, "take the key, or our receipt, out of it")
    if not inbound.answers or inbound.answers[0].state is AnswerState.AWAITED:
        wrong("the message holds an answer, and none was read", at, "translate their words with a vocabulary")


@check("answers", "callback")
async def lets_no_forged_answer_in(stand: Stand) -> None:
    """An answer that was altered, or is by another's key, is refused by what the manifest names as proof."""
    _, message = await _answered(stand)
    if proof := stand.door.prove(_kind(stand), forged(_kind(stand), message)).message_id:
        place = stand.subject.in_manifest("callback_auth")
        wrong(f"a forged message is let in as {proof}", place, "have the partner sign what callback_auth names")


@check("answers", "callback")
async def lets_no_unproved_answer_in(stand: Stand) -> None:
    """A message without any proof is refused."""
    _, message = await _answered(stand)
    bare = CallbackRequest({"content-type": "application/json"}, message.body)
    if stand.door.prove(_kind(stand), bare).message_id:
        wrong("a message without a proof is let in", stand.subject.in_manifest("callback_auth"), "name a callback_auth")


@check("answers", "callback")
async def takes_a_replayed_answer_once(stand: Stand) -> None:
    """The very same message again is refused, and so is an old one."""
    _, message = await _answered(stand)
    first, again = stand.door.twice(_kind(stand), message)
    late = stand.door.prove(_kind(stand), message, later=timedelta(hours=1))
    place = stand.subject.in_manifest("callback_auth")
    if not first.message_id:
        wrong(f"the partner's own message is refused: {first.refused}", place, "sign it as callback_auth says")
    if again.message_id or late.message_id:
        wrong("a replayed message is let in", place, "have each message carry an id and a time")


@check("answers", "callback")
async def gives_the_same_message_the_same_id(stand: Stand) -> None:
    """Reading a message twice gives one id, so that the hub keeps it once."""
    _, message = await _answered(stand)
    first, second = await _read(stand, message), await _read(stand, message)
    if first != second or not first.message_id:
        fix = "take message_id out of the message"
        wrong("a message read twice has two ids", stand.subject.at("parse_callback"), fix)


@check("answers", "callback")
async def leaves_a_foreign_answer_to_whom_it_names(stand: Stand) -> None:
    """An answer for somebody else's share names that share, and never the one sent last."""
    key, message = await _answered(stand)
    foreign = "9b0c7a52-0000-4000-8000-5f6f2f110000"
    about = CallbackRequest(message.headers, message.body.replace(key.encode(), foreign.encode()))
    host = await stand.host()
    read = await host.parse(about)
    if isinstance(read, Inbound) and read.reference == key:
        fix = "name the delivery by what the message says, and keep nothing from earlier calls"
        wrong("an answer for another share is taken for ours", stand.subject.at("parse_callback"), fix)


@check("answers", "callback")
async def refuses_what_is_not_a_message(stand: Stand) -> None:
    """Bytes that are no message of the partner's are refused as such, and end nothing."""
    host = await stand.host()
    for body in _GARBAGE:
        read = await host.parse(CallbackRequest({"webhook-id": "m1", "x-request-id": "m1"}, body))
        if read != ParseFailed("not-theirs"):
            what = read.code if isinstance(read, ParseFailed) else "an answer"
            fix = "raise ValueError for what is not a message of theirs, RecursionError included"
            wrong(f"{len(body)} bytes of nothing are {what}", stand.subject.at("parse_callback"), fix)


@check("answers", "callback")
async def drops_no_word_it_does_not_know(stand: Stand) -> None:
    """A message with fields nobody knows is still read: no authentic answer is refused for its form."""
    key, message = await _answered(stand)
    said = json.loads(message.body)
    more = CallbackRequest(message.headers, json.dumps(said | {"aFieldOfTheFuture": [1, {"x": None}]}).encode())
    if (await _read(stand, more)).reference != key:
        wrong("a field nobody knows changes what it is about", stand.subject.at("parse_callback"), "ignore it")


@check("answers", "poll")
async def collects_without_losing(stand: Stand) -> None:
    """An answer that waits at the partner is fetched, fetched again until it is acknowledged, and then no more."""
    await stand.host()
    trial = stand.subject.trial
    if trial is None or not trial.say:
        wrong("nothing makes the partner answer", stand.subject.trial_place, 'give the trial a say = { key = "{key}" }')
    parcel, other = stand.parcel(), stand.parcel()
    waiting = tuple([(await stand.delivered(each)).receipt for each in (parcel, other)])
    await stand.say(parcel)
    host, at = await stand.host(), stand.subject.at("collect")
    first = await stand.collected(waiting)
    answers = [each for each in first if each.answers and each.answers[0].state is not AnswerState.AWAITED]
    if not any(each.reference == parcel.idempotency_key for each in answers):
        wrong("the answer that waits is not read", at, "name the delivery by what the message says")
    if any(each.reference == other.idempotency_key for each in answers):
        wrong("an answer for another share is taken for this one", at, "keep nothing from earlier calls")
    again = await stand.collected(waiting)
    if {each.message_id for each in first} != {each.message_id for each in again}:
        wrong("what was not acknowledged is lost", at, "leave a message at the partner until acknowledge()")
    for inbound in first:
        await host.acknowledge(inbound.message_id)
    if {each.message_id for each in first} & {each.message_id for each in await stand.collected(waiting)}:
        wrong("what was acknowledged comes again", stand.subject.at("acknowledge"), "tell the partner that it is safe")


async def _answered(stand: Stand) -> tuple[str, CallbackRequest]:
    """Deliver a share, have the partner answer it, and return its key and the message that came."""
    await stand.host()
    trial = stand.subject.trial
    if trial is None or not trial.say:
        fix = 'give the trial a say = { key = "{key}" }'
        wrong("nothing makes the partner answer", stand.subject.trial_place, fix)
    parcel = stand.parcel()
    await stand.delivered(parcel)
    before = stand.door.count()
    words = stand.words() | {"key": parcel.idempotency_key}
    await asyncio.to_thread(lambda: stand.sandbox.say(**filled(trial.say, words)))
    came = [each for each in stand.door.since(before) if parcel.idempotency_key.encode() in each.body]
    if not came:
        wrong("the partner's answer did not arrive", stand.subject.trial_place, "give its partner the {callback_url}")
    return parcel.idempotency_key, came[0]


async def _read(stand: Stand, message: CallbackRequest) -> Inbound:
    host = await stand.host()
    read = await host.parse(message)
    if isinstance(read, ParseFailed):
        wrong(f"the partner's own message is not read: {read.code}", stand.subject.at("parse_callback"), "read it")
    return read


def _kind(stand: Stand) -> Kind:
    return cast("Kind", stand.subject.manifest.callback_auth)
