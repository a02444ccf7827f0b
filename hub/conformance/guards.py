"""Checks in the real host: where it may reach, what it survives, what it must never show, and that it ends cleanly."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal

import structlog

from hub.conformance.check import Place, check, wrong
from hub.conformance.gateway import Exchange, Gateway, reply, reset, stall
from hub.conformance.stand import Stand
from hub.courier.host_process import HostBroken, HostProcess
from hub.courier.incarnation import HostDied
from hub.sdk import Delivered, InDoubt, RetryLater

_BOMB = 64 * 1024 * 1024


@check("reach", "http")
async def follows_no_redirect(stand: Stand) -> None:
    """A redirect is not followed, and nothing arrives at where it points."""
    elsewhere = Gateway(lambda _: True)
    await elsewhere.start()
    try:
        with stand.gateway.treating(reply(307, location=elsewhere.url + "/referrals")):
            outcome, _ = await stand.deliver(stand.parcel())
    finally:
        await elsewhere.stop()
    if isinstance(outcome, Delivered) or elsewhere.seen:
        wrong(f"a redirect gives {outcome}", stand.subject.at("deliver"), "treat 3xx as no receipt, never follow it")


@check("reach", "http")
async def reaches_no_host_outside_its_list(stand: Stand) -> None:
    """With its partner off the connection's list, no byte leaves."""
    await _nothing_leaves(stand, hosts=("partner.example:443",))


@check("reach", "http")
async def reaches_no_private_address_unless_allowed(stand: Stand) -> None:
    """Without allow_addresses a partner at a private address, or over plain http, gets nothing."""
    await _nothing_leaves(stand, allow_addresses=())


@check("reach", "http")
async def stops_at_a_reply_over_its_cap(stand: Stand) -> None:
    """A reply longer than `limits.reply_bytes` is cut off and proves nothing."""
    size = stand.subject.manifest.limits.reply_bytes + 10
    await _proves_nothing(stand, b"{" + b" " * size + b"}")


@check("reach", "http")
async def survives_a_decompression_bomb(stand: Stand) -> None:
    """A small reply that unpacks to 64 MB is cut off and proves nothing."""
    await _proves_nothing(stand, gzip.compress(bytes(_BOMB), 1), content_encoding="gzip")


@check("reach", "http")
async def carries_no_cookie_from_one_parcel_to_the_next(stand: Stand) -> None:
    """A cookie that a partner sets does not come back with another parcel."""

    async def sets_one(exchange: Exchange) -> None:
        head, _, rest = (await exchange.forward()).partition(b"\r\n")
        await exchange.write(head + b"\r\nset-cookie: one=person; path=/\r\n" + rest)

    with stand.gateway.treating(sets_one):
        await stand.deliver(stand.parcel())
    with stand.gateway.treating(reset) as seen:
        await stand.deliver(stand.parcel())
    if any("cookie" in each.headers for each in seen):
        wrong("a cookie travels from parcel to parcel", stand.subject.at("deliver"), "send no cookie header")


@check("host", "http")
async def survives_the_death_of_its_host(stand: Stand) -> None:
    """A host killed in the middle of a send is known to have started, and the next parcel arrives."""
    host = await stand.host()
    await stand.deliver(stand.parcel(), host)
    waiting = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        waiting.set()
        await stall(exchange)

    with stand.gateway.treating(wait):
        sending = asyncio.create_task(host.deliver(stand.parcel()))
        await asyncio.wait_for(waiting.wait(), 10)
        assert host.pid is not None
        os.kill(host.pid, signal.SIGKILL)
        died = await sending
    if not isinstance(died, HostDied) or not died.started:
        wrong(f"a killed host leaves {died}", stand.subject.at("deliver"), "send the parcel with starts=True")
    outcome, _ = await stand.deliver(stand.parcel(), host)
    if not isinstance(outcome, Delivered):
        wrong(f"after a death the next parcel is {outcome}", stand.subject.at("deliver"), "keep nothing outside a call")


@check("host", "http")
async def closes_twice_and_starts_again(stand: Stand) -> None:
    """A host that is closed twice ends once, and another starts when there is work."""
    host = await stand.host()
    await stand.deliver(stand.parcel(), host)
    await host.close()
    await host.close()
    outcome, _ = await stand.deliver(stand.parcel(), host)
    if not isinstance(outcome, Delivered):
        wrong(f"after a close the next parcel is {outcome}", stand.subject.at("deliver"), "open nothing at import")


@check("host")
async def refuses_a_setting_it_does_not_know(stand: Stand) -> None:
    """A misspelt setting stops the connection at its start, and is not dropped in silence."""
    await stand.host()
    host = await stand.fresh_host(settings={**stand.configure().settings, "no_such_setting": "x"})
    result = await host.check()
    if not isinstance(result, HostBroken) or not result.reason.startswith("settings-invalid"):
        wrong("a setting it does not know is let pass", stand.subject.at("check"), "subclass hub.sdk.Settings")


@check("silence", "http")
async def prints_nothing(stand: Stand) -> None:
    """Nothing is written to standard output or error, whatever happens."""
    host = await stand.host()
    for treat in (reply(400, b"no"), reply(500), reset):
        with stand.gateway.treating(treat):
            await stand.deliver(stand.parcel())
    await host.close()  # what it printed may wait in a buffer of its own until it ends
    if printed := host.printed:
        wrong(f"it printed {printed} bytes", Place(stand.subject.code), "print and log nothing: return a reason code")


@check("silence", "http")
async def says_nothing_of_the_person(stand: Stand) -> None:
    """Neither outcomes nor log lines hold what a person gave, also where the partner repeats all of it."""
    repeated = stand.fullest().made
    outcomes = []
    with structlog.testing.capture_logs() as lines:
        for status in (200, 400, 409, 422, 500):
            with stand.gateway.treating(reply(status, repeated, content_type="application/json")):
                outcomes.append((await stand.deliver(stand.parcel()))[0])
    said = repr((outcomes, lines))
    if any(text in said for text in stand.personal()):
        wrong("an outcome or a log line tells of the person", stand.subject.at("deliver"), "use fixed reason codes")


@check("silence", "http")
async def says_nothing_of_its_secrets(stand: Stand) -> None:
    """No secret stands in an outcome, a log line, a URL, or the body of a parcel's request."""
    with structlog.testing.capture_logs() as lines:
        first, _ = await stand.deliver(stand.parcel())
        with stand.gateway.treating(reply(403, b"no")):
            second, _ = await stand.deliver(stand.parcel())
    shown = repr((first, second, lines)) + "".join(each.target for each in stand.gateway.seen)
    shown += "".join(each.body.decode("latin-1") for each in stand.gateway.parcels)
    if any(secret in shown for secret in stand.keys.secret_texts()):
        wrong("a secret is shown", stand.subject.at("deliver"), "put it in a header, from context.secrets")


async def _nothing_leaves(stand: Stand, **changes: tuple[str, ...]) -> None:
    host: HostProcess = await stand.fresh_host(**changes)
    came = len(stand.gateway.seen)
    outcome, started = await stand.deliver(stand.parcel(), host)
    if started or len(stand.gateway.seen) != came or not isinstance(outcome, RetryLater):
        wrong(f"a request left although it may not ({outcome})", stand.subject.at("deliver"), "use context.send alone")


async def _proves_nothing(stand: Stand, body: bytes, **headers: str) -> None:
    with stand.gateway.treating(reply(200, body, content_type="application/json", **headers)):
        outcome, _ = await stand.deliver(stand.parcel())
    if not isinstance(outcome, InDoubt):
        wrong(f"a reply over the cap is {outcome}", stand.subject.at("deliver"), "let NoReply pass, or return InDoubt")
