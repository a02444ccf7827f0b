"""The kit's own MESH held against NHS England's: its client works with both, and both refuse the same things."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour
from hub.sdk.transports.mesh import Mailbox
from tests.peers.mesh import KEY, OURS, PASSWORD, THEIRS, WORKFLOW, MeshSandbox, by_client, read_by_client

SETTINGS = {"mailbox": OURS, "to_mailbox": THEIRS, "workflow": WORKFLOW, "password": PASSWORD, "shared_key": KEY}
BOX = f"/{OURS}"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    paths = [str(Path(__file__).parent)]
    folder = tmp_path_factory.mktemp("post")
    with SandboxProcess("plain_post_office", folder, settings=SETTINGS, paths=paths) as process:
        yield process


@pytest.fixture(scope="module")
def theirs() -> Iterator[MeshSandbox]:
    with MeshSandbox() as sandbox:
        yield sandbox


def proof(password: str = PASSWORD, at: datetime | None = None, mailbox: str = OURS) -> str:
    return Mailbox("http://mesh.example", mailbox, password, KEY).authorization(at or datetime.now(UTC))


def ask(url: str, method: str, path: str, *, content: bytes | None = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    whole = {"accept": "application/vnd.mesh.v2+json", "authorization": proof()} | named
    return httpx.request(method, url + path, headers=whole, content=content)


def letter(**more: str) -> dict[str, str]:
    about = {"mex_to": THEIRS, "mex_workflowid": WORKFLOW, "mex_localid": str(uuid.uuid4())}
    return about | {"content_type": "text/plain"} | more


def test_nhs_england_s_own_client_sends_and_reads_as_at_the_real_one(office: SandboxProcess) -> None:
    # given a letter of two pieces, sent as the hub sends
    url, about = f"{office.url}/messageexchange", letter(mex_chunk_range="1:2")
    sent = ask(url, "POST", f"{BOX}/outbox", content=b"one person, ", **about).json()["message_id"]
    assert not office.effects(about["mex_localid"])
    assert ask(url, "POST", f"{BOX}/outbox/{sent}/2", content=b"one story", mex_chunk_range="2:2").status_code == 202
    # when the client of NHS England collects it, and answers
    read = read_by_client(url, sent)
    answer = by_client(url, THEIRS, to=OURS, send="we have it", about={"workflow_id": f"{WORKFLOW}_ACK"})
    # then it read the letter whole, and the post office knows that it was collected
    assert read == {"body": "one person, one story", "local_id": about["mex_localid"]}
    assert office.effects(about["mex_localid"]) == 1
    assert ask(url, "GET", f"{BOX}/outbox/tracking/{about['mex_localid']}").json()["status"] == "acknowledged"
    # and its answer waits for us
    assert answer in ask(url, "GET", f"{BOX}/inbox").json()["messages"]
    assert read_by_client(url, answer, OURS)["body"] == "we have it"


REFUSED = {
    "a wrong password": ("GET", f"{BOX}/inbox", {"authorization": "wrong"}),
    "no authorisation that can be read": ("GET", f"{BOX}/inbox", {"authorization": "NHSMESH x"}),
    "another mailbox's authorisation": ("GET", f"{BOX}/inbox", {"authorization": "theirs"}),
    "a mailbox that does not exist": ("POST", f"{BOX}/outbox", letter(mex_to="X26NOBODY")),
    "no data": ("POST", f"{BOX}/outbox", letter() | {"content": ""}),
    "chunks that cannot be": ("POST", f"{BOX}/outbox", letter(mex_chunk_range="3:2")),
    "a piece of a message nobody sent": ("POST", f"{BOX}/outbox/0123456789ABCDEF/2", {"mex_chunk_range": "2:2"}),
    "a message that is not there": ("GET", f"{BOX}/inbox/0123456789ABCDEF0123", {}),
    "tracking of what was never sent": ("GET", f"{BOX}/outbox/tracking/{uuid.uuid4()}", {}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_both_refuse_the_same(office: SandboxProcess, theirs: MeshSandbox, what: str) -> None:
    # given one request
    method, path, about = REFUSED[what]
    headers = {name: value for name, value in about.items() if name != "content"}
    content = about.get("content", "words").encode() if method == "POST" else None

    def refuse(url: str) -> tuple[int, str]:
        match about.get("authorization"):
            case "wrong":
                headers["authorization"] = proof("another")
            case "theirs":
                headers["authorization"] = proof(mailbox=THEIRS)
        reply = ask(url, method, path, content=content, **headers)
        detail = reply.json().get("detail") if reply.content and reply.status_code == 417 else None
        return reply.status_code, detail[0]["code"] if isinstance(detail, list) else ""

    # when / then: both MESHes refuse it with the same status, and the same code where the code decides
    assert refuse(f"{office.url}/messageexchange")[0] == refuse(theirs.url)[0] >= 400
    if what == "a mailbox that does not exist":
        assert refuse(f"{office.url}/messageexchange") == refuse(theirs.url) == (417, "12")


def test_an_authorisation_is_good_once_and_for_now(office: SandboxProcess) -> None:
    url, once = f"{office.url}/messageexchange", proof()
    assert ask(url, "GET", f"{BOX}/inbox", authorization=once).status_code == 200
    assert ask(url, "GET", f"{BOX}/inbox", authorization=once).status_code == 403
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    assert ask(url, "GET", f"{BOX}/inbox", authorization=proof(at=long_ago)).status_code == 403


def test_what_was_in_the_post_is_there_after_a_crash(office: SandboxProcess) -> None:
    # given a letter that MESH took and died over
    about = letter()
    office.behave(Behaviour.CRASHING, times=1)
    with pytest.raises(httpx.HTTPError):
        ask(f"{office.url}/messageexchange", "POST", f"{BOX}/outbox", content=b"words", **about)
    office.wait()
    # when it runs again
    office.start()
    # then it knows the letter by our own id
    known = ask(f"{office.url}/messageexchange", "GET", f"{BOX}/outbox/tracking/{about['mex_localid']}")
    assert (known.status_code, known.json()["status"]) == (200, "accepted")
