"""Checks of what a partner gets: golden parcels byte for byte, once, in any order, of any size and script."""

from __future__ import annotations

import asyncio
import dataclasses
import json

from hub.conformance.arrived import altered, key_of
from hub.conformance.check import Place, check, wrong
from hub.conformance.gateway import Exchange, Seen, lose_reply, pass_on, reply
from hub.conformance.stand import Stand
from hub.sdk import Delivered, Invite, Level, Parcel, Rejected, RetryLater


@check("works")
async def says_that_the_connection_works(stand: Stand) -> None:
    """A working partner is said to work, and the question sends no parcel."""
    host = await stand.host()
    came = len(stand.gateway.parcels)
    result = await host.check()
    outcome = getattr(result, "outcome", result)
    at = stand.subject.at("check")
    if outcome != Delivered(level=Level.L0):
        wrong(f"check() of a partner that works gives {outcome}", at, "return Delivered(level=Level.L0)")
    if len(stand.gateway.parcels) != came or getattr(result, "started", False):
        wrong("check() sent a parcel's request", at, "ask with a GET, or with starts=False")


@check("golden", "invite")
async def invites_by_the_address_it_was_given(stand: Stand) -> None:
    """An e-mail connector names the address of the invitation, and sends nothing itself."""
    parcel = stand.parcel()
    outcome, started = await stand.deliver(parcel)
    if not isinstance(outcome, Invite) or outcome.address != parcel.address:
        fix = "return Invite(parcel.address): the hub writes the e-mail and holds the link"
        wrong(f"an invitation is {type(outcome).__name__}, or to another address", stand.subject.at("deliver"), fix)
    if started:
        wrong("it says that a parcel left", stand.subject.at("deliver"), "send nothing: the hub does")


@check("golden", "http")
async def delivers_a_golden_parcel(stand: Stand) -> None:
    """The fullest share arrives and is acted on once; its reply proves at least that it arrived."""
    parcel = stand.parcel()
    await stand.delivered(parcel)
    if (acted := await stand.effects(parcel)) != 1:
        fix = "send it once, under parcel.idempotency_key"
        wrong(f"the partner acted {acted} times on one parcel", stand.subject.at("deliver"), fix)


@check("golden", "http")
async def sends_the_exact_bytes(stand: Stand) -> None:
    """What arrives on the wire is what was agreed: byte for byte, or every text of it on a page for people."""
    parcel = stand.parcel()
    seen = await _sent(stand, parcel)
    if what := altered(seen, parcel, stand.arrives_as):
        wrong(what, stand.subject.at("deliver"), "send parcel.body as it is, or a page of all that is in it")
    if stand.arrives_as == "bytes" and _kind(seen[0].headers.get("content-type", "")) != _kind(parcel.content_type):
        wrong("its content type is another", stand.subject.at("deliver"), "send parcel.content_type")


@check("golden", "http")
async def carries_its_key_where_the_manifest_says(stand: Stand) -> None:
    """The idempotency key travels in the header, or at the place in the body, that the manifest names, on every try."""
    parcel, name = stand.parcel(), stand.subject.manifest.idempotency.key
    first, again = await _sent_twice(stand, parcel)
    if {key_of(each, name) for each in first + again} == {parcel.idempotency_key}:
        return
    fix = (
        f'send parcel.idempotency_key in the header {name}; where it stands in the body, name its place: key = "/name"'
    )
    if name.startswith("/"):
        fix = f"have the mapping put delivery.key at {name}"
    place = stand.subject.in_manifest("idempotency")
    wrong(f"{name or 'a header without a name'} does not carry the key on every try", place, fix)


@check("golden", "http")
async def uses_a_connection_that_its_hosts_name(stand: Stand) -> None:
    """Every request goes to a host that a setting named in `hosts` holds."""
    (seen,) = await _sent(stand, stand.parcel())
    if seen.headers.get("host", "") not in stand.gateway.url:
        wrong("it went to another host", stand.subject.at("deliver"), "build URLs from the settings in hosts")


@check("kinds", "http")
async def delivers_every_kind_it_declares(stand: Stand) -> None:
    """Each kind in `kinds` arrives after the share that it follows, byte for byte."""
    first = stand.parcel()
    await stand.delivered(first)
    for kind in stand.subject.manifest.kinds:
        parcel = stand.parcel(stand.fullest(kind), follows=first)
        await stand.delivered(parcel)
        seen = [each for each in stand.gateway.parcels if _is(each, parcel)]
        if kind != "share" and (not seen or altered(seen, parcel, stand.arrives_as)):
            wrong(f"a parcel of kind {kind} did not arrive as it is", stand.subject.at("deliver"), "send parcel.body")


@check("golden", "http")
async def tells_nobody_in_addresses_or_headers(stand: Stand) -> None:
    """No URL and no header holds anything that a person gave."""
    (seen,) = await _sent(stand, stand.parcel())
    outside = seen.raw.partition(b"\r\n\r\n")[0].decode("latin-1").lower()
    if any(text.lower().encode().decode("latin-1") in outside for text in stand.personal()):
        wrong("a URL or header holds what a person gave", stand.subject.at("deliver"), "keep it in the body alone")


@check("duplicates", "http", "dedupes")
async def is_acted_on_once_when_sent_twice(stand: Stand) -> None:
    """The same parcel sent again has no second effect, and is Delivered again."""
    parcel = stand.parcel()
    await stand.delivered(parcel)
    await stand.delivered(dataclasses.replace(parcel, token=parcel.token + "2", attempt=2))
    if (acted := await stand.effects(parcel)) != 1:
        fix = "carry parcel.idempotency_key where the partner dedupes on it, or say partner_dedupes = false"
        wrong(f"the partner acted {acted} times on it", stand.subject.at("deliver"), fix)


@check("duplicates", "http")
async def sends_the_same_bytes_again(stand: Stand) -> None:
    """A second try carries the same body as the first."""
    first, again = await _sent_twice(stand, stand.parcel())
    if [each.body for each in first] != [each.body for each in again]:
        wrong("the second try differs from the first", stand.subject.at("deliver"), "add nothing of the moment to it")


@check("order", "http")
async def keeps_replies_with_their_parcels(stand: Stand) -> None:
    """Of two parcels whose replies come in the other order, each gets its own receipt."""
    await stand.host()
    first, second = stand.parcel(), stand.parcel()
    overtaken = asyncio.Event()

    async def late(exchange: Exchange) -> None:
        if _is(exchange.seen, first):
            await overtaken.wait()
        await pass_on(exchange)

    with stand.gateway.treating(late):
        slow = asyncio.create_task(stand.deliver(first))
        quick, _ = await stand.deliver(second)
        overtaken.set()
        held, _ = await slow
    if not isinstance(quick, Delivered) or not isinstance(held, Delivered):
        wrong(
            f"two at once gave {quick} and {held}",
            stand.subject.at("deliver"),
            "keep nothing of a call on the instance",
        )
    if quick.receipt and quick.receipt == held.receipt:
        wrong("both got the same receipt", stand.subject.at("deliver"), "keep nothing of a call on the instance")


@check("order", "http")
async def keeps_to_its_limit_at_once(stand: Stand) -> None:
    """Never more than `limits.in_flight` are under way, and all of more than that arrive."""
    limit = stand.subject.manifest.limits.in_flight
    await stand.host()
    stand.gateway.most_open = 0
    parcels = [stand.parcel() for _ in range(min(limit, 40) + 3)]
    outcomes = await asyncio.gather(*(stand.deliver(parcel) for parcel in parcels))
    if stand.gateway.most_open > limit:
        place = stand.subject.in_manifest("limits")
        wrong(f"{stand.gateway.most_open} at once, the limit is {limit}", place, "send one request a parcel")
    if missing := sum(not isinstance(outcome, Delivered) for outcome, _ in outcomes):
        wrong(f"{missing} of {len(parcels)} at once did not arrive", stand.subject.at("deliver"), "share no state")


@check("unicode", "http")
async def carries_any_script(stand: Stand) -> None:
    """Words in any script arrive code point for code point."""
    found = [case for case in stand.cases if case.kind == "share" and not case.is_ascii]
    if not found:
        place = Place(stand.subject.mapping / "cases")
        wrong("no case holds words beyond ASCII", place, "add a case with words in other scripts and emoji")
    for case in found[:3]:
        parcel = stand.parcel(case)
        if altered(await _sent(stand, parcel), parcel, stand.arrives_as):
            wrong(f"case {case.name} arrives altered", stand.subject.at("deliver"), "send parcel.body as it is")


@check("size", "http")
async def does_not_call_an_empty_parcel_delivered(stand: Stand) -> None:
    """A parcel without a byte is refused, and ends nothing but itself."""
    outcome, _ = await stand.deliver(dataclasses.replace(stand.parcel(), body=b""))
    if isinstance(outcome, Delivered) or getattr(outcome, "reason", "") == "connector-error":
        fix = "return Rejected for what cannot be sent, before sending or by the partner's reply"
        wrong(f"an empty parcel is {outcome}", stand.subject.at("deliver"), fix)


@check("size", "http")
async def carries_a_large_parcel_whole(stand: Stand) -> None:
    """A parcel just under `limits.body_bytes` arrives whole, whatever the partner says of it."""
    parcel, limit = stand.parcel(), stand.subject.manifest.limits.body_bytes
    padded = dataclasses.replace(parcel, body=parcel.body + b" " * (limit - len(parcel.body) - 1))
    seen = await _sent(stand, padded)
    if altered(seen, padded, stand.arrives_as):
        wrong("a large parcel does not arrive whole", stand.subject.at("deliver"), "send all of parcel.body")


@check("size", "http")
async def sends_nothing_of_a_parcel_over_its_limit(stand: Stand) -> None:
    """Of a parcel over `limits.body_bytes` no byte leaves."""
    parcel, limit = stand.parcel(), stand.subject.manifest.limits.body_bytes
    came = len(stand.gateway.parcels)
    outcome, started = await stand.deliver(dataclasses.replace(parcel, body=parcel.body + b" " * limit))
    if started or len(stand.gateway.parcels) != came or isinstance(outcome, Delivered):
        wrong("a parcel over the limit left", stand.subject.at("deliver"), "send through context.send alone")


@check("reconcile", "http", "reconcile")
async def finds_what_arrived_without_sending_it_twice(stand: Stand) -> None:
    """A parcel whose reply was lost is found to have arrived, with one effect."""
    parcel = stand.parcel()
    with stand.gateway.treating(lose_reply):
        await stand.deliver(parcel)
    outcome = await stand.reconcile(parcel)
    if not isinstance(outcome, Delivered):
        fix = "ask by parcel.idempotency_key and return Delivered when the partner has it"
        wrong(f"what arrived is found to be {outcome}", stand.subject.at("reconcile"), fix)
    if (acted := await stand.effects(parcel)) != 1:
        wrong(f"the partner acted {acted} times", stand.subject.at("reconcile"), "never send anew to find out")


@check("reconcile", "http", "reconcile")
async def asks_without_sending_when_it_says_so(stand: Stand) -> None:
    """`reconcile = "asks"` sends no parcel: whoever withdrew must not be told again."""
    if stand.subject.manifest.reconcile != "asks":
        return
    parcel = stand.parcel()
    came = len(stand.gateway.parcels)
    await stand.reconcile(parcel)
    if len(stand.gateway.parcels) != came or await stand.effects(parcel):
        wrong("asking sent the parcel", stand.subject.at("reconcile"), 'look it up, or say reconcile = "resends"')


@check("reconcile", "http", "reconcile")
async def knows_what_never_arrived(stand: Stand) -> None:
    """Of a parcel that the partner never had, asking says so, or makes it arrive once."""
    parcel = stand.parcel()
    outcome = await stand.reconcile(parcel)
    acted = await stand.effects(parcel)
    if not (isinstance(outcome, RetryLater) and acted == 0) and not (isinstance(outcome, Delivered) and acted == 1):
        fix = "return RetryLater when the partner says that it has nothing under this key"
        wrong(f"what never arrived is {outcome}, with {acted} effects", stand.subject.at("reconcile"), fix)


async def _sent(stand: Stand, parcel: Parcel) -> list[Seen]:
    """Have a parcel delivered and return its requests; none at all is a fault."""
    came = len(stand.gateway.parcels)
    outcome, _ = await stand.deliver(parcel)
    seen = stand.gateway.parcels[came:]
    if not seen:
        fix = "send with context.send; look at parcel_path in the trial if its requests have paths of their own"
        wrong(f"no request carried the parcel ({outcome})", stand.subject.at("deliver"), fix)
    return seen if not isinstance(outcome, Rejected) else seen[:1]


async def _sent_twice(stand: Stand, parcel: Parcel) -> tuple[list[Seen], list[Seen]]:
    """Have a parcel refused for now, and then sent again; returns the requests of each try."""
    with stand.gateway.treating(reply(503)):
        first = await _sent(stand, parcel)
    return first, await _sent(stand, dataclasses.replace(parcel, attempt=2))


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip()


def _is(seen: Seen, parcel: Parcel) -> bool:
    return parcel.idempotency_key in json.dumps(seen.headers) or parcel.idempotency_key.encode() in seen.body
