"""TH18: what is fetched at a partner, or comes by our own broker, does no harm, and what lies behind it is read."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hub_health_fhir.closed_loop import FhirTask
from hub_health_fhir.gp_mesh import GpMesh
from hub_health_fhir.gp_sandbox import acknowledgement
from hub_treatment.connector import TreatmentMesh
from kombu import Producer

from hub.broker import nudges
from hub.host import wire
from hub.host.context import CallContext
from hub.sdk import AnswerState, Connector, Inbound, Level
from hub.sdk.http import GuardedClient
from hub.sdk.reach import SANDBOX_ADDRESSES, Reach, host_and_port
from hub.sdk.transports.fhir_task import SYSTEM, FhirTaskSettings
from hub.sdk.transports.file import FolderConnector, FolderSettings
from hub.sdk.transports.mesh import Received
from hub.sdk.transports.mesh_connector import MeshSettings
from hub.sdk.transports.table import write_table
from hub.sdk.vocabulary import read_vocabulary
from hub.security.assertions import ClientKey
from tests.acceptance import hostile
from tests.acceptance.hostile import MARK, WORDS, Asked, answering, as_reply, bodies, reply
from tests.acceptance.house import until_true

pytestmark = pytest.mark.anyio
KEY = str(uuid.uuid4())
LONGEST = 20.0  #: seconds for a whole corpus on a busy machine; one that grows with the square takes minutes
OURS, THEIRS, WORKFLOW = "X26OURS", "X26THEIRS", "TEST_WORKFLOW"


@asynccontextmanager
async def lent(url: str, secrets: dict[str, str], waiting: tuple[str, ...] = ()) -> AsyncIterator[CallContext]:
    """What the host lends a connector, with the real guards."""
    client = GuardedClient(Reach.to([host_and_port(url)], SANDBOX_ADDRESSES, reply_bytes=5_000_000))
    yield CallContext(client, secrets, time.time() + 60, waiting=waiting)
    await client.aclose()


async def fetched(connector: Connector[Any], context: CallContext) -> list[Inbound]:
    """All that a connector fetches, as it reaches the hub: through the frames between host and courier."""
    began, found = time.monotonic(), []
    async for inbound in connector.collect(context):
        encoded = wire.encode(wire.Read(1, inbound))
        header, _ = wire.lengths(encoded[:8])
        frame = wire.decode(encoded[8 : 8 + header], b"")
        assert isinstance(frame, wire.Read)
        found.append(frame.inbound)
    assert time.monotonic() - began < LONGEST
    return found


def post_office(letters: dict[str, bytes]) -> Callable[[Asked], bytes]:
    """A MESH whose inbox holds these replies, in this order; each is what it sends for the message, whole."""

    def answers(asked: Asked) -> bytes:
        _, _, name = asked.path.rpartition("/inbox/")
        if "/inbox?" in asked.path:
            listed = [*letters] if f"{WORKFLOW}_ACK" in asked.path else []
            return as_reply({"messages": listed})
        return letters.get(name) or as_reply({"messages": []})

    return answers


def a_letter(body: bytes, *more: str, kind: str = "application/octet-stream") -> bytes:
    """A message of the partner's mailbox as MESH hands it out."""
    return reply(body, f"mex-from: {THEIRS}", f"mex-workflowid: {WORKFLOW}_ACK", *more, content_type=kind)


_BROKEN_LETTERS = {
    "bomb": a_letter(hostile.GZIP_BOMB, "content-encoding: gzip"),
    "none": a_letter(b"{}", "content-encoding: gzip"),
    "large": a_letter(b" " * 6_000_000),
    "gone": reply(b"", status="410 Gone"),
}


def _connected(kind: type[GpMesh | TreatmentMesh], url: str) -> GpMesh | TreatmentMesh:
    return kind(MeshSettings(base_url=url, mailbox=OURS, to_mailbox=THEIRS, workflow=WORKFLOW))


@pytest.mark.parametrize("kind", [GpMesh, TreatmentMesh])
async def test_th18_a_mailbox_full_of_hostile_messages_is_read_to_its_end(kind: type[GpMesh | TreatmentMesh]) -> None:
    # given a mailbox, to which anybody may write, with an authentic answer behind everything that is none
    good = {
        GpMesh: json.dumps(acknowledgement(KEY, "20013")).encode(),
        TreatmentMesh: f"hub_key,status,owner\r\n{KEY},REJECTED,Duty desk\r\n".encode(),
    }[kind]
    odd = {f"m{number}": a_letter(body) for number, body in enumerate(bodies("no-key-of-ours").values())}
    letters = _BROKEN_LETTERS | odd | {"good": a_letter(good)}
    secrets = {"mailbox_password": "p", "shared_key": "k"}
    with answering(post_office(letters)) as url:
        async with lent(url, secrets) as context:
            # when the hub looks into it
            found = await fetched(_connected(kind, url), context)
    # then the answer is read, and nothing else counts
    assert [(each.message_id, each.reference) for each in found] == [("good", KEY)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["laughs", "outside", "definition", "parameter"])
def test_th18_no_document_type_is_read_in_any_encoding(name: str, encoding: str) -> None:
    # given a message with a document type of its own / when it is read as what each pack reads
    text = hostile.XML[name].replace("<a>", "<Bundle>").replace("</a>", "</Bundle>")
    for kind in (GpMesh, TreatmentMesh):
        connector = _connected(kind, "http://127.0.0.1:9")
        body = text.encode(encoding)
        # then it is refused before anything in it is expanded or fetched
        with pytest.raises(ValueError, match=r"."):
            connector.read(Received("m", {"mex-from": THEIRS}, body))


async def test_th18_hostile_fhir_tasks_are_passed_over_and_the_one_that_answers_is_read() -> None:
    # given a server whose Tasks are of every wrong type and hold every word that does something
    waiting = tuple(f"t{number}" for number in range(60))
    odd: list[Any] = [None, 7, [], {}, "x", {"a": {"b": []}}, [[[]]], *WORDS.values()]
    names = ("status", "statusReason", "owner", "note", "output", "executionPeriod", "businessStatus", "code", "meta")
    fhir_tasks = [
        {"resourceType": "Task", "id": f"t{number}", "status": "accepted", "identifier": each, "focus": each}
        | dict.fromkeys(names[number % 3 :: 3], each)
        for number, each in enumerate(odd)
    ]
    good = {"resourceType": "Task", "id": "t59", "status": "completed", "owner": {"display": WORDS["bidi"]}}
    good |= {"identifier": [{"system": SYSTEM, "value": KEY}]}
    bundle = {"resourceType": "Bundle", "entry": [*({"resource": each} for each in [*fhir_tasks, *odd, good]), *odd]}

    def answers(asked: Asked) -> bytes:
        if asked.method == "POST":
            return as_reply({"access_token": "t", "expires_in": float("1e300")})
        return as_reply(bundle, content_type="text/html")

    with answering(answers) as url:
        secrets = {"client_key": ClientKey.generate("ES256").pem().decode()}
        values = {"base_url": url, "token_url": f"{url}/token", "client_id": "hub", "algorithm": "ES256"}
        connector = FhirTask(FhirTaskSettings.model_validate(values))
        async with lent(url, secrets, waiting) as context:
            # when the hub asks what became of them
            found = await fetched(connector, context)
    # then the one that is whole is read, beside those that still say something
    assert KEY in {each.reference for each in found}
    (answer,) = next(each.answers for each in found if each.reference == KEY)
    assert answer.state is AnswerState.COMPLETED
    assert all("\0" not in one.owner + one.text for each in found for one in each.answers)


class ByFolder(FolderConnector):
    """A partner that leaves files, as a pack would name its words."""

    vocabulary = read_vocabulary(["status,partner_reason,state,reason,stage,text,next_step", "REJECTED,,declined,,,,"])


async def test_th18_hostile_files_are_kept_for_a_person_and_the_next_is_read(tmp_path: Path) -> None:
    # given a folder of files that are none, and one answer whose cells are formulas
    inbox = tmp_path / "in"
    inbox.mkdir()
    for number, body in enumerate(bodies("no-key-of-ours").values()):
        (inbox / f"{number:03}.csv").write_bytes(body)
    (inbox / "link.csv").symlink_to("/etc/passwd")
    (inbox / "=cmd|' '!A1.csv").write_bytes(b"\0" * 5)
    (inbox / "zz.csv").write_text(f"hub_key,status,owner\n{KEY},REJECTED,{WORDS['wide formula']}\n", encoding="utf-8")
    connector = ByFolder(FolderSettings(outbox=str(tmp_path), inbox=str(inbox)))
    async with lent("http://127.0.0.1:9", {}) as context:
        # when the hub looks into it
        found = await fetched(connector, context)
    # then each is named to the operator, none is followed or unpacked, and the answer is read
    assert {each.reference for each in found} == {"unreadable-file", KEY}
    (answer,) = next(each.answers for each in found if each.reference == KEY)
    assert answer.state is AnswerState.DECLINED
    # and written into a table of ours, its cell is text for every spreadsheet
    cell = write_table(["owner"], [{"owner": answer.owner}]).splitlines()[1]
    assert cell.lstrip('"').startswith("'")


async def test_th18_levels_and_receipts_of_odd_types_never_leave_the_host() -> None:
    # given a connector that hands on what a partner wrote, whatever its type
    odd: list[Any] = [None, 7, [], {"a": 1}, float("nan"), WORDS["nothing"], "\ud800"]
    for each in odd:
        inbound = Inbound(each, each, level=Level.L2)
        # when it is written for the hub, then it is either whole text or an error, and never something between
        try:
            encoded = wire.encode(wire.Read(1, inbound))
            header, _ = wire.lengths(encoded[:8])
            frame = wire.decode(encoded[8 : 8 + header], b"")
        except (wire.FrameError, TypeError, ValueError):
            continue
        assert isinstance(frame, wire.Read)
        assert isinstance(frame.inbound.reference, str)
        assert "\0" not in frame.inbound.reference


def test_th18_a_pickle_at_the_broker_is_never_opened_and_nudges_go_on(capfd: pytest.CaptureFixture[str]) -> None:
    # given the hub's own queue, into which somebody put what is no nudge
    name, heard = f"q{uuid.uuid4().hex}", []
    broker = nudges.Nudges("memory://", [name], lambda queue, ids: heard.append((queue, ids)))
    broker.start()
    try:
        with nudges._connect("memory://") as connection:
            producer = Producer(connection, exchange=nudges._EXCHANGE)
            how: dict[str, Any] = {"routing_key": name, "declare": [nudges._queue(name)]}
            for kind, coding in (("application/x-python-serialize", "binary"), ("application/json", "utf-8")):
                producer.publish(hostile.PICKLE, content_type=kind, content_encoding=coding, **how)
            producer.publish(b"!!python/object/apply:os.system [id]", content_type="application/x-yaml", **how)
            for odd in (None, 7, [], {"ids": 7}, {"ids": [{}, None, MARK]}, {"ids": "x"}):
                producer.publish(odd, serializer="json", **how)
        # when a nudge comes behind it
        broker.publish(name, ["last"])
        # then it arrives, and no pickle was opened
        until_true("the nudge", lambda: (name, ["last"]) in heard, 15)
    finally:
        broker.close()
    assert "Executed" not in "".join(capfd.readouterr())
