"""Checks of a connector that drops files: whole or not at all, over no other, one a parcel, and its inbox kept."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import time
from pathlib import Path

import structlog

from hub.conformance.check import Place, check, wrong
from hub.conformance.stand import Stand
from hub.host.isolation import landlock_version
from hub.sdk import Delivered, Halt, InDoubt, Parcel, RetryLater

_FILE = "build on hub.sdk.transports.file"


@check("golden", "file")
async def drops_one_file_that_is_the_parcel(stand: Stand) -> None:
    """The fullest share is one file, byte for byte, named by our key, with nothing unfinished beside it."""
    parcel = stand.parcel()
    await stand.delivered(parcel)
    files, at = stand.drop.of(parcel.idempotency_key), stand.subject.at("deliver")
    if len(files) != 1 or files[0].read_bytes() != parcel.body:
        wrong(f"{len(files)} files hold the parcel, or not its bytes", at, "write parcel.body as it is, once")
    if any(each.name.startswith(".") for each in stand.drop.outbox.iterdir()):
        wrong("an unfinished file was left behind", at, _FILE)
    if any(text.lower() in each.name.lower() for each in stand.drop.files() for text in stand.personal()):
        wrong("a file's name tells of the person", at, "name it by parcel.idempotency_key alone")


@check("duplicates", "file")
async def is_one_file_when_sent_twice(stand: Stand) -> None:
    """The same parcel sent again is found, and not written a second time."""
    parcel = stand.parcel()
    await stand.delivered(parcel)
    (first,) = stand.drop.of(parcel.idempotency_key)
    written = first.stat().st_mtime_ns
    await stand.delivered(dataclasses.replace(parcel, token=parcel.token + "2", attempt=2))
    files = stand.drop.of(parcel.idempotency_key)
    if len(files) != 1 or files[0].stat().st_mtime_ns != written:
        wrong("it was written twice", stand.subject.at("deliver"), "look for its name first")


@check("truth", "file")
async def writes_over_nothing(stand: Stand) -> None:
    """Another file of that name stays what it is, and is not called delivered."""
    parcel = stand.parcel()
    there = await _named(stand, parcel)
    there.write_bytes(b"another")
    outcome, _ = await stand.deliver(parcel)
    if isinstance(outcome, Delivered) or there.read_bytes() != b"another":
        wrong(f"another file of that name gives {outcome}", stand.subject.at("deliver"), _FILE)
    there.unlink()


@check("doubt", "file")
async def leaves_no_half_file_when_its_host_dies(stand: Stand) -> None:
    """A host killed in the middle of a write leaves nothing under the final name, or all of it; the next arrives."""
    host = await stand.host()
    parcel = stand.parcel()
    padded = _padded(stand, parcel)
    final = await _named(stand, parcel)
    sending = asyncio.create_task(host.deliver(padded))
    until = time.monotonic() + 10
    while not sending.done() and time.monotonic() < until:
        if any(parcel.idempotency_key in each.name for each in stand.drop.outbox.iterdir()):
            break
        await asyncio.sleep(0)
    if host.pid is not None and not sending.done():
        os.kill(host.pid, signal.SIGKILL)
    await sending
    if final.exists() and final.read_bytes() != padded.body:
        wrong("half a file has the final name", stand.subject.at("deliver"), "write elsewhere, then rename")
    whole = await stand.reconcile(padded)
    if isinstance(whole, Delivered) != final.exists():
        wrong(f"it is {whole}", stand.subject.at("reconcile"), "look for the final name")
    await stand.delivered(stand.parcel())


@check("deadline", "file")
async def drops_nothing_after_the_deadline(stand: Stand) -> None:
    """A parcel whose deadline has passed is not written."""
    parcel = dataclasses.replace(stand.parcel(), deadline=time.time() - 1)
    outcome, started = await stand.deliver(parcel)
    if started or stand.drop.of(parcel.idempotency_key) or not isinstance(outcome, RetryLater):
        wrong(f"after its deadline a parcel is {outcome}", stand.subject.at("deliver"), "call context.start first")


@check("reconcile", "file")
async def finds_a_file_by_its_name(stand: Stand) -> None:
    """What is there is found; of what is not there it says so, or that it may have been taken."""
    parcel = stand.parcel()
    await stand.delivered(parcel)
    found, missing = await stand.reconcile(parcel), await stand.reconcile(stand.parcel())
    if not isinstance(found, Delivered) or not isinstance(missing, InDoubt | RetryLater):
        what = f"a file that is there is {found}, one that is not is {missing}"
        wrong(what, stand.subject.at("reconcile"), "look for the final name")


@check("kinds", "file")
async def drops_every_kind_it_declares(stand: Stand) -> None:
    """Each kind in `kinds` is a file, byte for byte."""
    first = stand.parcel()
    await stand.delivered(first)
    for kind in stand.subject.manifest.kinds:
        parcel = stand.parcel(stand.fullest(kind), follows=first)
        await stand.delivered(parcel)
        if [each.read_bytes() for each in stand.drop.of(parcel.idempotency_key)] != [parcel.body]:
            wrong(f"a parcel of kind {kind} is no file as it is", stand.subject.at("deliver"), "write parcel.body")


@check("order", "file")
async def drops_many_at_once(stand: Stand) -> None:
    """More than `limits.in_flight` at once are a file each."""
    parcels = [stand.parcel() for _ in range(min(stand.subject.manifest.limits.in_flight, 16) + 3)]
    outcomes = await asyncio.gather(*(stand.deliver(parcel) for parcel in parcels))
    if missing := sum(not isinstance(outcome, Delivered) for outcome, _ in outcomes):
        wrong(f"{missing} of {len(parcels)} at once did not arrive", stand.subject.at("deliver"), "share no state")
    if any([each.read_bytes() for each in stand.drop.of(p.idempotency_key)] != [p.body] for p in parcels):
        wrong("one holds another's bytes", stand.subject.at("deliver"), "keep nothing of a call on the instance")


@check("unicode", "file")
async def writes_any_script(stand: Stand) -> None:
    """Words in any script are in the file as they were given."""
    found = [case for case in stand.cases if case.kind == "share" and not case.is_ascii]
    if not found:
        place = Place(stand.subject.mapping / "cases")
        wrong("no case holds words beyond ASCII", place, "add a case with words in other scripts and emoji")
    for case in found[:3]:
        parcel = stand.parcel(case)
        await stand.delivered(parcel)
        if [each.read_bytes() for each in stand.drop.of(parcel.idempotency_key)] != [parcel.body]:
            wrong(f"case {case.name} arrives altered", stand.subject.at("deliver"), "write parcel.body as it is")


@check("size", "file")
async def drops_neither_empty_nor_too_large(stand: Stand) -> None:
    """A file just under `limits.body_bytes` is whole; without a byte, or over the limit, there is none."""
    large = _padded(stand, stand.parcel())
    await stand.delivered(large)
    if [each.read_bytes() for each in stand.drop.of(large.idempotency_key)] != [large.body]:
        wrong("a large parcel does not arrive whole", stand.subject.at("deliver"), _FILE)
    for body in (b"", b" " * (stand.subject.manifest.limits.body_bytes + 1)):
        parcel = dataclasses.replace(stand.parcel(), body=body)
        outcome, started = await stand.deliver(parcel)
        if started or isinstance(outcome, Delivered) or stand.drop.of(parcel.idempotency_key):
            wrong(f"{len(body)} bytes are {outcome}", stand.subject.at("deliver"), "call context.start(len(body))")


@check("reach", "file")
async def reaches_no_folder_and_no_server_but_its_own(stand: Stand) -> None:
    """Without its folders or its server on the connection's list, nothing is written."""
    if not stand.subject.manifest.hosts and not landlock_version():
        return  # nothing but its user's rights holds it here, and the hub says so at its start
    host = await stand.fresh_host(hosts=("partner.example:22",), folders=())
    parcel = stand.parcel()
    outcome, _ = await stand.deliver(parcel, host)
    if isinstance(outcome, Delivered) or stand.drop.of(parcel.idempotency_key):
        fix = "name its settings as folders or hosts, and reach servers through context.connect"
        wrong(f"it reached what is not on its list ({outcome})", stand.subject.in_manifest("transport"), fix)


@check("refusals", "file")
async def holds_the_connection_without_its_folder(stand: Stand) -> None:
    """A folder that is gone is Halt, to check() and to a parcel, and works again once it is there."""
    host, out = await stand.host(), stand.drop.outbox
    away = out.rename(out.with_name("away"))
    try:
        checked = getattr(await host.check(), "outcome", None)
        outcome, _ = await stand.deliver(stand.parcel())
    finally:
        away.rename(out)
    if not isinstance(checked, Halt) or not isinstance(outcome, Halt):
        wrong(f"without its folder a parcel is {outcome}", stand.subject.at("deliver"), "return Halt")


@check("silence", "file")
async def shows_nothing_of_anybody(stand: Stand) -> None:
    """Nothing is printed, and neither outcomes nor log lines hold what a person gave, or a secret."""
    host = await stand.fresh_host(idle_seconds=59)
    with structlog.testing.capture_logs() as lines:
        parcel = stand.parcel()
        outcomes = [(await stand.deliver(parcel, host))[0]]
        (await _named(stand, parcel)).write_bytes(b"another")
        outcomes.append((await stand.deliver(parcel, host))[0])
        await host.close()
    if printed := host.printed:
        wrong(f"it printed {printed} bytes", Place(stand.subject.code), "print and log nothing: return a reason code")
    secrets = [line for text in stand.configure().secrets.values() for line in text.splitlines() if len(line) > 12]
    if any(text in repr((outcomes, lines)) for text in (*stand.personal(), *secrets)):
        wrong("an outcome or a log line shows what it may not", stand.subject.at("deliver"), "use fixed reason codes")


@check("answers", "file", "poll")
async def leaves_what_it_cannot_read(stand: Stand) -> None:
    """A file that is no answer stays where it lies, is told of without an answer, and keeps no other back."""
    host, inbox = await stand.host(), stand.drop.inbox
    for number, content in enumerate((b"", b"\xff\xfe", b"Dear all", b"[" * 20_000, b"<!DOCTYPE a><a/>", b"{}")):
        (inbox / f"note-{number}.txt").write_bytes(content)
    parcel = stand.parcel()
    await stand.delivered(parcel)
    await stand.say(parcel)
    found = await stand.collected()
    for each in found:
        await host.acknowledge(each.message_id)
    at = stand.subject.at("collect")
    if not any(each.reference == parcel.idempotency_key and each.answers for each in found):
        wrong("a file that is no answer keeps one back", at, "raise ValueError in read()")
    if len(list(inbox.glob("note-*"))) != 6:
        wrong("what cannot be read was taken away", at, _FILE)
    for left in inbox.glob("note-*"):
        left.unlink()


async def _named(stand: Stand, parcel: Parcel) -> Path:
    """Return where a parcel's file will be: as another's is, under its own key."""
    other = stand.parcel()
    await stand.delivered(other)
    (file,) = stand.drop.of(other.idempotency_key)
    return file.with_name(file.name.replace(other.idempotency_key, parcel.idempotency_key))


def _padded(stand: Stand, parcel: Parcel) -> Parcel:
    room = stand.subject.manifest.limits.body_bytes - len(parcel.body) - 1
    return dataclasses.replace(parcel, body=parcel.body + b" " * room)
