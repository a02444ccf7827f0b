"""The MESH transport against NHS England's own sandbox, read and answered with NHS England's own client."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from hub.sdk import Delivered, DeliveryKind, Halt, Inbound, InDoubt, Level, Parcel, Rejected, RetryLater
from hub.sdk.connector import NoReply, NotSent, Response
from hub.sdk.testing.context import PlainContext
from hub.sdk.transports.mesh import NOT_COLLECTED, Letter, Received
from hub.sdk.transports.mesh_connector import MeshConnector, MeshSettings
from tests.peers.mesh import KEY, OTHERS, OURS, PASSWORD, THEIRS, WORKFLOW, MeshSandbox

pytestmark = pytest.mark.anyio
SECRETS = {"mailbox_password": PASSWORD, "shared_key": KEY}


@pytest.fixture(scope="module")
def running() -> Iterator[MeshSandbox]:
    with MeshSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def mesh(running: MeshSandbox) -> MeshSandbox:
    running.forget()
    return running


class Plain(MeshConnector[MeshSettings]):
    """Sends a parcel as it is; a reply is the key that it answers."""

    settings_type = MeshSettings

    def letter(self, parcel: Parcel) -> Letter:
        of, key = self.settings, parcel.idempotency_key
        return Letter(of.to_mailbox, of.workflow, key, parcel.body, parcel.content_type, f"{key}.txt")

    def read(self, message: Received) -> Inbound:
        return Inbound(message.id, str(uuid.UUID(message.body.decode())), level=Level.L2)


class Broken(PlainContext):
    """Lets so many requests that carry a parcel through, and then breaks off: before or after they arrived."""

    def __init__(self, good: int, *, arrives: bool) -> None:
        super().__init__(secrets=SECRETS)
        self.good, self.arrives = good, arrives
        self.calls: list[str] = []

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        starts: bool = True,
    ) -> Response:
        self.calls.append(f"{method} {url.partition('/messageexchange')[2]}")
        if starts and self.good <= 0:
            if self.arrives:
                await super().send(method, url, headers=headers, content=content, starts=starts)
                raise NoReply("connection")
            raise NotSent("connection")
        self.good -= starts
        return await super().send(method, url, headers=headers, content=content, starts=starts)


def connect(mesh: MeshSandbox, **about: Any) -> Plain:
    whole = {"base_url": mesh.url, "mailbox": OURS, "to_mailbox": THEIRS, "workflow": WORKFLOW} | about
    return Plain(MeshSettings(**whole))


def parcel(body: bytes = b"what the person agreed to share", attempt: int = 1) -> Parcel:
    key, case = str(uuid.uuid4()), str(uuid.uuid4())
    return Parcel("t-1", DeliveryKind.SHARE, attempt, key, case, body, "text/plain", "", 0.0)


def again(sent: Parcel) -> Parcel:
    return Parcel(**{name: getattr(sent, name) for name in Parcel.__slots__} | {"attempt": sent.attempt + 1})


@pytest.fixture
async def context() -> AsyncIterator[PlainContext]:
    async with PlainContext(secrets=SECRETS) as context:
        yield context


async def collected(connector: Plain, context: PlainContext) -> list[Inbound]:
    return [inbound async for inbound in connector.collect(context)]


async def test_the_mailbox_is_proved_without_a_parcel(mesh: MeshSandbox, context: PlainContext) -> None:
    # given / when / then: our proof is taken, and nothing has left
    assert await connect(mesh).check(context) == Delivered(level=Level.L0)
    assert context.started == 0
    # and a wrong password is ours to mend
    async with PlainContext(secrets=SECRETS | {"mailbox_password": "wrong"}) as other:
        assert await connect(mesh).check(other) == Halt("http-403")


@pytest.mark.parametrize("packed", [True, False])
async def test_a_letter_arrives_byte_for_byte_in_as_many_pieces_as_it_needs(mesh: MeshSandbox, packed: bool) -> None:
    # given a parcel of three chunks
    connector, sent = connect(mesh, chunk_bytes=1_000, packed=packed), parcel(bytes(range(256)) * 9)
    # when
    async with Broken(3, arrives=False) as counting:
        outcome = await connector.deliver(sent, counting)
    # then NHS England's own client reads just these bytes under our own id
    assert isinstance(outcome, Delivered)
    assert outcome.level == Level.L1
    assert counting.calls[1:] == [f"POST /{OURS}/outbox/{outcome.receipt}/{piece}" for piece in (2, 3)]
    read = mesh.read(outcome.receipt)
    assert read["body"].encode("latin-1") == sent.body
    assert read["local_id"] == sent.idempotency_key


async def test_what_their_system_collects_is_received(mesh: MeshSandbox, context: PlainContext) -> None:
    # given a letter that nobody has fetched
    connector, sent = connect(mesh), parcel()
    outcome = await connector.deliver(sent, context)
    assert isinstance(outcome, Delivered)
    assert await collected(connector, context) == []
    # when their system collects and acknowledges it
    mesh.read(outcome.receipt)
    # then that is L2, until the hub has kept it
    (known,) = await collected(connector, context)
    assert (known.reference, known.level) == (sent.idempotency_key, Level.L2)
    assert await collected(connector, context) == [known]
    await connector.acknowledge(known.message_id, context)
    assert await collected(connector, context) == []
    # and whoever is in doubt learns it too
    assert await connector.reconcile(sent, context) == Delivered(outcome.receipt, Level.L2)


async def test_a_reply_stays_in_the_mailbox_until_it_is_acknowledged(mesh: MeshSandbox, context: PlainContext) -> None:
    # given their answer under the paired workflow id, written with NHS England's own client
    connector, sent = connect(mesh), parcel()
    await connector.deliver(sent, context)
    message = mesh.send(sent.idempotency_key)
    # when it is collected twice, as by a hub that ended before its commit
    first, second = await collected(connector, context), await collected(connector, context)
    # then it is the same message, and gone only after it is acknowledged
    assert first == second == [Inbound(message, sent.idempotency_key, level=Level.L2)]
    await connector.acknowledge(message, context)
    assert await collected(connector, context) == []


async def test_a_reply_of_another_s_and_one_that_cannot_be_read_stay_where_they_are(
    mesh: MeshSandbox, context: PlainContext
) -> None:
    # given a stranger's message, and one of theirs that holds no key of ours
    connector, sent = connect(mesh), parcel()
    await connector.deliver(sent, context)
    others = mesh.send(sent.idempotency_key, sender=OTHERS)
    unreadable = mesh.send("Dear colleagues")
    # when / then: neither is an answer, neither is acknowledged, and each is fetched once
    assert await collected(connector, context) == []
    assert [mesh.details(each)["status"] for each in (others, unreadable)] == ["Accepted", "Accepted"]
    counting = Broken(0, arrives=False)
    async with counting:
        assert await collected(connector, counting) == []
    assert not [call for call in counting.calls if others in call or unreadable in call]


async def test_a_report_of_non_delivery_reaches_only_the_connection_whose_message_it_is(
    mesh: MeshSandbox, context: PlainContext
) -> None:
    # given two connections that share our mailbox and workflow id, and a message of the first
    connector, other = connect(mesh), connect(mesh, to_mailbox=OTHERS)
    sent = parcel()
    outcome = await connector.deliver(sent, context)
    assert isinstance(outcome, Delivered)
    report = mesh.report(local_id=sent.idempotency_key, linked_message_id=outcome.receipt)
    # when both look
    theirs, ours = await collected(other, context), await collected(connector, context)
    # then the owner alone learns that nobody collected it, which proves nothing beyond transport
    assert theirs == []
    assert ours == [Inbound(report, sent.idempotency_key, answers=(NOT_COLLECTED,))]


async def test_nothing_is_sent_again_before_mesh_was_asked(mesh: MeshSandbox) -> None:
    # given a letter that arrived while its reply was lost
    connector, sent = connect(mesh), parcel()
    async with Broken(0, arrives=True) as lost:
        assert await connector.deliver(sent, lost) == InDoubt("connection")
    # when the next try is made
    async with Broken(9, arrives=True) as next_try:
        outcome = await connector.deliver(again(sent), next_try)
    # then it asks by our own id first, finds the letter, and sends none
    assert isinstance(outcome, Delivered)
    assert next_try.calls == [f"GET /{OURS}/outbox/tracking/{sent.idempotency_key}"]


async def test_an_upload_that_broke_off_goes_on_where_it_stopped(mesh: MeshSandbox, context: PlainContext) -> None:
    # given a letter of three pieces of which one arrived: nobody can see it yet
    connector, sent = connect(mesh, chunk_bytes=1_000), parcel(b"0123456789" * 250)
    async with Broken(1, arrives=False) as breaking:
        assert await connector.deliver(sent, breaking) == RetryLater("upload-broke-off")
    assert await connector.reconcile(sent, context) == RetryLater("upload-incomplete")
    # when
    outcome = await connector.deliver(again(sent), context)
    # then there is one message, and it is whole
    assert isinstance(outcome, Delivered)
    assert mesh.read(outcome.receipt)["body"].encode() == sent.body


async def test_what_never_arrived_is_known_by_mesh_s_own_word(mesh: MeshSandbox, context: PlainContext) -> None:
    assert await connect(mesh).reconcile(parcel(), context) == RetryLater("not-arrived")


async def test_a_doubt_stays_one_where_mesh_cannot_be_asked(mesh: MeshSandbox, unused_port: int) -> None:
    away = connect(mesh, base_url=f"http://127.0.0.1:{unused_port}/messageexchange")
    async with PlainContext(secrets=SECRETS) as context:
        assert isinstance(await away.reconcile(parcel(), context), InDoubt)
        assert isinstance(await away.deliver(parcel(), context), RetryLater)


async def test_a_mailbox_that_does_not_exist_is_refused_for_good(mesh: MeshSandbox, context: PlainContext) -> None:
    connector = connect(mesh, to_mailbox="X26NOBODY")
    assert await connector.deliver(parcel(), context) == Rejected("mesh-mailbox-unknown")
