"""Files dropped into folders of this machine and on a real SFTP server, and answers fetched from them."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from asyncssh.connection import SSHConnection

from hub.sdk import AnswerState, Delivered, DeliveryKind, Halt, Inbound, InDoubt, Level, Parcel, Rejected, RetryLater
from hub.sdk.connector import NotSent
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.drop import USER, DropServer
from hub.sdk.transports.file import (
    FileConnector,
    FolderConnector,
    FolderSettings,
    SftpConnector,
    SftpSettings,
    file_name,
)
from hub.sdk.vocabulary import Vocabulary, read_vocabulary

pytestmark = pytest.mark.anyio


WORDS = "status,partner_reason,state,reason,stage,text,next_step\nACCEPTED,,accepted,,,They will help.,\n"


def vocabulary() -> Vocabulary:
    return read_vocabulary(WORDS.splitlines())


class ByFolder(FolderConnector):
    vocabulary = vocabulary()


class BySftp(SftpConnector):
    vocabulary = vocabulary()


@dataclass
class Place:
    """One way to drop files: where they lie on this machine, and how a connector is made for it."""

    root: Path
    connect: Callable[..., FileConnector[Any]]
    context: PlainContext
    server: DropServer | None = None

    def files(self, folder: str = "out") -> list[str]:
        return sorted(each.name for each in (self.root / folder).iterdir())


@pytest.fixture(params=["folder", "sftp"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    for name in ("out", "in", "kept"):
        (tmp_path / name).mkdir()
    if request.param == "folder":
        named = {"outbox": f"{tmp_path}/out", "inbox": f"{tmp_path}/in"}
        async with PlainContext() as context:
            yield Place(tmp_path, lambda **of: ByFolder(FolderSettings(**(named | of))), context)
        return
    async with DropServer(tmp_path) as server, PlainContext(secrets={"ssh_key": server.user_key}) as context:
        on = {"server": server.url, "user": USER, "host_keys": (server.host_key,), "outbox": "/out", "inbox": "/in"}
        yield Place(tmp_path, lambda **of: BySftp(SftpSettings(**(on | of))), context, server)


def parcel(body: bytes = b'{"a": "\xf0\x9f\x8f\xa0"}', **of: Any) -> Parcel:
    key = str(uuid.uuid4())
    whole = {"kind": DeliveryKind.SHARE, "attempt": 1, "idempotency_key": key, "case": key, "token": "t", "body": body}
    whole |= {"content_type": "application/json", "address": "desk", "deadline": time.time() + 60}
    return Parcel(**(whole | of))


async def test_a_parcel_becomes_one_whole_file_under_our_key(place: Place) -> None:
    connector, sent = place.connect(), parcel()
    assert await connector.check(place.context) == Delivered(level=Level.L0)
    assert place.context.started == 0
    # when it is delivered
    assert await connector.deliver(sent, place.context) == Delivered(f"{sent.idempotency_key}.json")
    # then there is that file, byte for byte, and nothing beside it
    assert place.files() == [f"{sent.idempotency_key}.json"]
    assert (place.root / "out" / file_name(sent)).read_bytes() == sent.body
    assert place.context.started == 1
    # and sent again it is found, not written anew
    assert await connector.deliver(replace(sent, attempt=2), place.context) == Delivered(file_name(sent))
    assert await connector.reconcile(sent, place.context) == Delivered(file_name(sent))
    assert (place.files(), place.context.started) == ([file_name(sent)], 1)


async def test_a_file_is_never_written_over(place: Place) -> None:
    sent = parcel(content_type="text/csv; charset=utf-8")
    there = place.root / "out" / f"{sent.idempotency_key}.csv"
    there.write_bytes(b"another")
    assert await place.connect().deliver(sent, place.context) == Rejected("another-file-of-that-name")
    assert (there.read_bytes(), place.files()) == (b"another", [there.name])


async def test_a_name_taken_while_it_is_written_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    async with DropServer(tmp_path) as server, PlainContext(secrets={"ssh_key": server.user_key}) as context:
        settings = SftpSettings(server=server.url, user=USER, host_keys=(server.host_key,), outbox="/out")
        sent = parcel()
        there = tmp_path / "out" / file_name(sent)

        async def overtake(step: str, _: object) -> None:
            if step == "rename":
                there.write_bytes(b"another")

        server.treat = overtake
        assert await BySftp(settings).deliver(sent, context) == RetryLater("rename-refused")
        assert [each.read_bytes() for each in (tmp_path / "out").iterdir()] == [b"another"]


async def test_what_was_taken_away_may_have_been_there(place: Place) -> None:
    sent = parcel()
    await place.connect().deliver(sent, place.context)
    (place.root / "out" / file_name(sent)).unlink()
    # given a partner that takes files away, nothing there proves nothing
    assert await place.connect().reconcile(sent, place.context) == InDoubt("taken-or-never-there")
    # but what a broken try left is smaller than the whole, so it never got its name: and it is cleared away
    (place.root / "out" / f".{file_name(sent)}.abc.part").write_bytes(sent.body[:3])
    assert await place.connect().reconcile(sent, place.context) == RetryLater("not-arrived")
    assert place.files() == []
    # and a partner that leaves files says by a missing one that it never had it
    assert await place.connect(partner_removes=False).reconcile(sent, place.context) == RetryLater("not-arrived")


async def test_another_try_clears_what_a_broken_one_left(place: Place) -> None:
    sent = parcel(attempt=2)
    (place.root / "out" / f".{file_name(sent)}.abc.part").write_bytes(b"half")
    assert isinstance(await place.connect().deliver(sent, place.context), Delivered)
    assert place.files() == [file_name(sent)]


async def test_nothing_empty_and_nothing_too_large_leaves(place: Place) -> None:
    assert await place.connect().deliver(parcel(b""), place.context) == Rejected("parcel-empty")
    assert await place.connect().deliver(parcel(b" " * 1_000_001), place.context) == RetryLater("body-too-large")
    assert (place.files(), place.context.started) == ([], 0)


async def test_a_folder_that_is_not_there_holds_the_connection(place: Place) -> None:
    gone = place.connect(outbox=f"{place.root}/gone" if place.server is None else "/gone")
    assert await gone.check(place.context) == Halt("folder-missing")
    assert await gone.deliver(parcel(), place.context) == Halt("folder-missing")
    assert await gone.reconcile(parcel(), place.context) == InDoubt("folder-missing")


@pytest.mark.parametrize("step", ["write", "rename", "renamed"])
async def test_a_connection_that_breaks_leaves_no_half_file_and_tells_the_truth(tmp_path: Path, step: str) -> None:
    (tmp_path / "out").mkdir()
    async with DropServer(tmp_path) as server, PlainContext(secrets={"ssh_key": server.user_key}) as context:
        settings = SftpSettings(server=server.url, user=USER, host_keys=(server.host_key,), outbox="/out")
        sent, connector = parcel(b"x" * 200_000), BySftp(settings)

        async def tear(at: str, connection: SSHConnection) -> None:
            if at == step:
                connection.abort()
                raise asyncssh.SFTPFailure("torn")

        server.treat = tear
        outcome = await connector.deliver(sent, context)
        # then a break before the rename was asked is nothing there; after it, a doubt
        assert outcome == (RetryLater("connection") if step == "write" else InDoubt("connection"))
        final = tmp_path / "out" / file_name(sent)
        assert final.exists() == (step == "renamed")
        assert not final.exists() or final.read_bytes() == sent.body

        # and asking settles it as far as it can be known
        async def well(_: str, __: object) -> None: ...

        server.treat = well
        settled = await connector.reconcile(sent, context)
        expected = {"write": RetryLater("not-arrived"), "renamed": Delivered(file_name(sent))}
        assert settled == expected.get(step, InDoubt("taken-or-never-there"))


async def test_only_the_pinned_key_and_only_our_own_open_the_server(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    other = asyncssh.generate_private_key("ssh-ed25519")
    async with DropServer(tmp_path) as server:
        on = {"server": server.url, "user": USER, "outbox": "/out", "host_keys": (server.host_key,)}
        stranger = other.export_public_key().decode().strip()
        async with PlainContext(secrets={"ssh_key": server.user_key}) as context:
            impostor = BySftp(SftpSettings(**(on | {"host_keys": (stranger,)})))
            assert await impostor.deliver(parcel(), context) == Halt("server-key-unknown")
            nobody = BySftp(SftpSettings(**(on | {"user": "root"})))
            assert await nobody.deliver(parcel(), context) == Halt("login-refused")
        async with PlainContext(secrets={"ssh_key": other.export_private_key().decode()}) as context:
            assert await BySftp(SftpSettings(**on)).deliver(parcel(), context) == Halt("login-refused")
        async with PlainContext(secrets={"ssh_key": "no key"}) as context:
            assert await BySftp(SftpSettings(**on)).check(context) == Halt("key-unreadable")
        assert list((tmp_path / "out").iterdir()) == []
    async with PlainContext(secrets={"ssh_key": other.export_private_key().decode()}) as context:
        assert await BySftp(SftpSettings(**on)).deliver(parcel(), context) == RetryLater("connection")
    with pytest.raises(ValueError, match="host_keys"):
        SftpSettings(**(on | {"host_keys": ()}))


KEYS = [str(uuid.UUID(int=number)) for number in (1, 2)]
FILES = {
    "csv": "hub_key,status,owner,note\r\n{0},accepted,Sam,'=1+1\r\n{1},odd,,\r\n",
    "json": json.dumps([{"hub_key": "{0}", "status": "ACCEPTED", "owner": "Sam", "note": "'=1+1"},
                        {"hub_key": "{1}", "status": "odd", "deep": [[]]}]),
    "xml": "<answers><made>today</made><answer><hub_key>{0}</hub_key><status>ACCEPTED</status><owner>Sam</owner>"
           "<note>'=1+1</note></answer><answer><hub_key>{1}</hub_key><status>odd</status></answer></answers>",
}  # fmt: skip


async def fetched(connector: FileConnector[Any], context: PlainContext) -> list[Inbound]:
    return [each async for each in connector.collect(context)]


@pytest.mark.parametrize("ending", FILES)
async def test_answers_are_read_and_stay_until_all_of_a_file_is_safe(place: Place, ending: str) -> None:
    text = FILES[ending].replace("{0}", KEYS[0]).replace("{1}", KEYS[1])
    (place.root / "in" / f"answers.{ending}").write_text(text, encoding="utf-8-sig")
    (place.root / "in" / ".hidden").write_text("x")
    (place.root / "in" / "coming.tmp").write_text("x")
    connector = place.connect()
    first = await fetched(connector, place.context)
    # then each row is about its delivery, and a word that nobody knows is kept as received
    assert [each.reference for each in first] == KEYS
    assert [each.answers[0].state for each in first] == [AnswerState.ACCEPTED, AnswerState.RECEIVED]
    assert (first[0].answers[0].owner, first[0].answers[0].text) == ("Sam", "'=1+1")
    # and it is the same until it is acknowledged, also by another host
    assert [each.message_id for each in await fetched(place.connect(), place.context)] == [
        each.message_id for each in first
    ]
    await connector.acknowledge(first[0].message_id, place.context)
    assert f"answers.{ending}" in place.files("in")
    await connector.acknowledge(first[1].message_id, place.context)
    assert place.files("in") == [".hidden", "coming.tmp"]
    assert await fetched(connector, place.context) == []


async def test_an_archive_keeps_what_was_read_and_never_writes_over(place: Place) -> None:
    archive = f"{place.root}/kept" if place.server is None else "/kept"
    (place.root / "kept" / "a.json").write_text("earlier")
    (place.root / "in" / "a.json").write_text(json.dumps({"hub_key": KEYS[0], "status": "ACCEPTED"}))
    connector = place.connect(archive=archive)
    for each in await fetched(connector, place.context):
        await connector.acknowledge(each.message_id, place.context)
    assert place.files("in") == []
    assert (len(place.files("kept")), (place.root / "kept" / "a.json").read_text()) == (2, "earlier")


async def test_a_file_that_grew_meanwhile_is_read_again_and_not_removed(place: Place) -> None:
    file = place.root / "in" / "a.csv"
    file.write_text(f"hub_key,status\n{KEYS[0]},accepted\n")
    connector = place.connect()
    (first,) = await fetched(connector, place.context)
    file.write_text(f"hub_key,status\n{KEYS[0]},accepted\n{KEYS[1]},accepted\n")
    await connector.acknowledge(first.message_id, place.context)
    again = await fetched(connector, place.context)
    assert (again[0].message_id, len(again)) == (first.message_id, 2)


HOSTILE = {
    "bomb.xml": b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a><hub_key>&c;</hub_key></a>',
    "outside.xml": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><hub_key>x</hub_key></a>',
    "deep.xml": b"<a>" * 500 + b"</a>" * 500,
    "deep.json": b"[" * 100_000,
    "words.csv": b"hello",
    "nobody.json": b'{"hub_key": "somebody", "status": "ACCEPTED"}',
    "large.json": b'{"hub_key": "' + b"x" * 1_000_001 + b'"}',
    "broken.csv": b"\xff\xfe\x00",
    "empty.json": b"",
}


async def test_what_cannot_be_read_stays_is_told_once_and_blocks_nobody(place: Place) -> None:
    for name, content in HOSTILE.items():
        (place.root / "in" / name).write_bytes(content)
    (place.root / "in" / "zz.json").write_text(json.dumps({"hub_key": KEYS[0], "status": "ACCEPTED"}))
    os.symlink("/etc/hostname", place.root / "in" / "link.json")
    os.mkfifo(place.root / "in" / "pipe.json")
    connector = place.connect()
    found = await fetched(connector, place.context)
    # then each is told of under a name that no delivery has, and holds nothing of what stood there
    assert sorted(each.reference for each in found) == [KEYS[0]] + ["unreadable-file"] * len(HOSTILE)
    assert all(not each.answers for each in found if each.reference == "unreadable-file")
    for each in found:
        await connector.acknowledge(each.message_id, place.context)
    # and once that is safe it stays where it lay, and is not told of again
    assert set(place.files("in")) == {*HOSTILE, "link.json", "pipe.json"}
    assert await fetched(connector, place.context) == []


async def test_a_server_that_says_nothing_is_given_up_on_by_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    async with DropServer(tmp_path) as server, PlainContext(secrets={"ssh_key": server.user_key}) as context:
        settings = SftpSettings(server=server.url, user=USER, host_keys=(server.host_key,), outbox="/out")
        forever = asyncio.Event()

        async def stall(step: str, _: object) -> None:
            if step == "write":
                await forever.wait()

        server.treat = stall
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await BySftp(settings).deliver(parcel(), context)
        assert time.monotonic() - begun < 3
        forever.set()


async def test_no_inbox_means_that_nothing_is_fetched_and_a_drop_that_is_gone_is_said(place: Place) -> None:
    assert await fetched(place.connect(inbox=""), place.context) == []
    gone = place.connect(inbox=f"{place.root}/gone" if place.server is None else "/gone")
    with pytest.raises(NotSent) as failure:
        await fetched(gone, place.context)
    assert failure.value.reason == "folder-missing"
