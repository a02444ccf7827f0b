"""The connector to a GP practice against NHS England's own MESH: what arrives, and what each acknowledgement proves."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fhir.resources.R4B.bundle import Bundle
from hub_health_fhir.gp_mesh import GpMesh
from hub_health_fhir.gp_sandbox import acknowledgement
from hub_health_fhir.itk3 import expects, read_acknowledgement

from hub.domain.answer import PERSON_DIED
from hub.mapping import Mapping, load_mapping, run_cases
from hub.sdk import AnswerState, Delivered, DeliveryKind, Inbound, InDoubt, Level, Parcel, Rejected
from hub.sdk.connector import NoReply, Response
from hub.sdk.manifest import read_manifest
from hub.sdk.testing.context import PlainContext
from hub.sdk.transports.mesh import NOT_COLLECTED
from hub.sdk.transports.mesh_connector import MeshSettings
from tests.peers.mesh import KEY, OURS, PASSWORD, THEIRS, WORKFLOW, MeshSandbox

pytestmark = pytest.mark.anyio
PACK = Path(__file__).parents[1] / "hub_health_fhir"
FOLDER = PACK / "mappings" / "gp-document" / "1.0.0"
MADE = sorted((FOLDER / "cases").glob("*.out.json"))
SECRETS = {"mailbox_password": PASSWORD, "shared_key": KEY}
DELIVERY = "2f6d1c1e-6f0a-4c58-9d0b-0d6f7c1f8a11"


@pytest.fixture(scope="module")
def running() -> Iterator[MeshSandbox]:
    with MeshSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def mesh(running: MeshSandbox) -> MeshSandbox:
    running.forget()
    return running


@pytest.fixture
def practice(mesh: MeshSandbox) -> GpMesh:
    return GpMesh(MeshSettings(base_url=mesh.url, mailbox=OURS, to_mailbox=THEIRS, workflow=WORKFLOW))


@pytest.fixture
async def context() -> AsyncIterator[PlainContext]:
    async with PlainContext(secrets=SECRETS) as context:
        yield context


@pytest.fixture(scope="module")
def letters() -> Mapping:
    return load_mapping(FOLDER, {})


@pytest.fixture
def send(letters: Mapping) -> Callable[..., Parcel]:
    """Makes a parcel with a key of its own, as the hub does."""

    def make(case: str = "everything") -> Parcel:
        view, key = read(f"{case}.in"), str(uuid.uuid4())
        body = letters.run(view | {"delivery": view["delivery"] | {"key": key}})
        return Parcel("t", DeliveryKind.SHARE, 1, key, str(uuid.uuid4()), body, letters.content_type, "A81001", 0.0)

    return make


def read(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / "cases" / f"{name}.json").read_text(encoding="utf-8"))


def document(name: str) -> dict[str, Any]:
    return read(name)["entry"][3]["resource"]


def sections(name: str) -> dict[str, str]:
    """What a person reads, by heading."""
    told = document(name)["entry"][0]["resource"]["section"]
    return {each["title"]: "\n".join(ET.fromstring(each["text"]["div"]).itertext()) for each in told}


async def collected(practice: GpMesh, context: PlainContext) -> list[Inbound]:
    found = [inbound async for inbound in practice.collect(context)]
    for inbound in found:
        await practice.acknowledge(inbound.message_id, context)
    return found


async def test_a_practice_gets_one_message_that_asks_for_both_acknowledgements(
    mesh: MeshSandbox, practice: GpMesh, context: PlainContext, send: Callable[..., Parcel]
) -> None:
    # given / when
    parcel = send()
    outcome = await practice.deliver(parcel, context)
    # then NHS England's own client reads just the parcel's bytes, and the envelope says our key and no subject
    assert outcome == Delivered(getattr(outcome, "receipt", ""), Level.L1)
    assert isinstance(outcome, Delivered)
    envelope = mesh.details(outcome.receipt)
    assert (envelope["filename"], envelope["subject"]) == (f"{parcel.idempotency_key}.json", "")
    came = mesh.read(outcome.receipt)["body"].encode("latin-1")
    assert came == parcel.body
    assert expects(came) == {"InfAckRequested", "BusAckRequested"}


async def test_filed_is_received_and_says_no_more(
    mesh: MeshSandbox, practice: GpMesh, context: PlainContext, send: Callable[..., Parcel]
) -> None:
    # given a letter that the practice's system collected
    parcel = send()
    outcome = await practice.deliver(parcel, context)
    assert isinstance(outcome, Delivered)
    mesh.read(outcome.receipt)
    assert [(each.level, each.answers) for each in await collected(practice, context)] == [(Level.L2, ())]
    # when its system says that it processed it, and the practice that it knows the person
    for code in ("20013", "30001"):
        mesh.send(json.dumps(acknowledgement(parcel.idempotency_key, code)))
    system, people = await collected(practice, context)
    # then the first is L2 without an answer, and the second is filed: nobody has decided anything
    assert (system.reference, system.level, system.answers) == (parcel.idempotency_key, Level.L2, ())
    assert (people.reference, people.answers[0].state, people.answers[0].stage) == (
        parcel.idempotency_key,
        AnswerState.RECEIVED,
        "filed",
    )
    assert await collected(practice, context) == []


@pytest.mark.parametrize("code", ["30002", "30003"])
async def test_a_practice_that_does_not_have_the_person_says_no(code: str) -> None:
    said = read_acknowledgement("m", json.dumps(acknowledgement(DELIVERY, code)).encode()).answers[0]
    assert (said.state, bool(said.next_step)) == (AnswerState.DECLINED, True)


async def test_r69_a_death_stops_everything_whatever_else_is_said(practice: GpMesh) -> None:
    # given an acknowledgement with several codes
    message = acknowledgement(DELIVERY, "30004")
    message["entry"].append({"resource": acknowledgement(DELIVERY, "20013")["entry"][1]["resource"]})
    message["entry"].insert(0, {"resource": acknowledgement(DELIVERY, "30001")["entry"][1]["resource"]})
    # when / then
    inbound = read_acknowledgement("m", json.dumps(message).encode())
    assert inbound.answers[0].reason == PERSON_DIED
    assert inbound.reference == DELIVERY


@pytest.mark.parametrize("code", ["10001", "10004", "10009", "20001", "20002", "20006", "20009", "20012", "20015"])
async def test_what_a_system_could_not_take_in_proves_no_more_than_transport(code: str) -> None:
    inbound = read_acknowledgement("m", json.dumps(acknowledgement(DELIVERY, code)).encode())
    (said,) = inbound.answers
    assert (said.state, inbound.level) == (AnswerState.AWAITED, None)
    assert "Nobody there has read it." in said.text
    assert said.next_step == "Ring the practice."


@pytest.mark.parametrize("code", ["20007", "20008"])
async def test_a_duplicate_proves_that_it_arrived_and_no_more(code: str) -> None:
    inbound = read_acknowledgement("m", json.dumps(acknowledgement(DELIVERY, code)).encode())
    assert inbound == Inbound("m", DELIVERY, level=Level.L1)


async def test_a_code_that_nobody_knows_is_never_taken_for_good_news() -> None:
    # given a new code, as a failure and as a success
    bad = acknowledgement(DELIVERY, "20099")
    good = json.loads(json.dumps(bad).replace("fatal-error", "ok"))
    # then the failure is one, and the success is kept as received and seen
    assert read_acknowledgement("m", json.dumps(bad).encode()).answers[0].state is AnswerState.AWAITED
    assert read_acknowledgement("m", json.dumps(good).encode()).answers[0].reason == "unrecognised-status"


XML = """\ufeff<?xml version="1.0" encoding="utf-8"?>
<Bundle xmlns="http://hl7.org/fhir"><id value="1"/><type value="message"/>
  <entry><fullUrl value="urn:uuid:a"/><resource><MessageHeader><id value="a"/>
    <text><div xmlns="http://www.w3.org/1999/xhtml">An <b>answer</b></div></text>
    <response><identifier value="{about}"/><code value="{code}"/></response></MessageHeader></resource></entry>
  <!-- an edition of its own -->
  <entry><fullUrl value="urn:uuid:b"/><resource><OperationOutcome>
    <issue><severity value="fatal"/><code value="processing"/>{details}</issue></OperationOutcome></resource></entry>
</Bundle>"""
DETAILS = """<details><coding><system value="https://fhir.nhs.uk/STU3/CodeSystem/ITK-ResponseCodes-1"/>
    <code value="{}"/></coding></details>"""


@pytest.mark.parametrize(
    ("code", "state", "level"),
    [
        ("20013", None, Level.L2),
        ("20007", None, Level.L1),
        ("30001", AnswerState.RECEIVED, None),
        ("30002", AnswerState.DECLINED, None),
        ("20009", AnswerState.AWAITED, None),
    ],
)
async def test_an_acknowledgement_in_xml_says_the_same(
    mesh: MeshSandbox,
    practice: GpMesh,
    context: PlainContext,
    send: Callable[..., Parcel],
    code: str,
    state: AnswerState | None,
    level: Level | None,
) -> None:
    # given a practice whose system writes the edition that ITK3 was published in
    parcel = send()
    await practice.deliver(parcel, context)
    good = code in {"20013", "30001"}
    words = {"about": parcel.idempotency_key.upper(), "code": "ok" if good else "fatal-error"}
    mesh.send(XML.format(**words, details=DETAILS.format(code)))
    # when / then
    (inbound,) = await collected(practice, context)
    assert (inbound.reference, inbound.level) == (parcel.idempotency_key, level)
    assert [each.state for each in inbound.answers] == ([state] if state else [])


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<Bundle/>",
        b"<Patient><id value='1'/></Patient>",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><Bundle><id value='&a;'/></Bundle>",
        b"<a>" * 5_000 + b"</a>" * 5_000,
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"resourceType": "Bundle"}',
        b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MessageHeader", "response": 7}}]}',
        b"[" * 20_000,
    ],
)
async def test_what_acknowledges_nothing_is_not_an_acknowledgement(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_acknowledgement("m", body)


async def test_a_report_of_non_delivery_is_told_and_proves_nothing(
    mesh: MeshSandbox, practice: GpMesh, context: PlainContext, send: Callable[..., Parcel]
) -> None:
    # given a letter that nobody collected in five days
    parcel = send()
    outcome = await practice.deliver(parcel, context)
    assert isinstance(outcome, Delivered)
    report = mesh.report(local_id=parcel.idempotency_key, linked_message_id=outcome.receipt)
    # when / then
    assert await collected(practice, context) == [Inbound(report, parcel.idempotency_key, answers=(NOT_COLLECTED,))]


class Losing(PlainContext):
    """Lets a letter arrive and loses the reply; counts the letters that left."""

    async def send(self, *words: Any, **about: Any) -> Response:
        reply = await super().send(*words, **about)
        if about.get("starts", True):
            raise NoReply("connection")
        return reply


async def test_mesh_is_asked_before_anything_is_sent_again(
    mesh: MeshSandbox, practice: GpMesh, context: PlainContext, send: Callable[..., Parcel]
) -> None:
    # given a letter that arrived while its reply was lost
    parcel = send()
    async with Losing(secrets=SECRETS) as losing:
        assert await practice.deliver(parcel, losing) == InDoubt("connection")
    # when it is tried again
    outcome = await practice.deliver(replace(parcel, attempt=2), context)
    # then it is found by our own key, and no second letter leaves
    assert isinstance(outcome, Delivered)
    assert context.started == 0
    assert await practice.reconcile(parcel, context) == outcome


async def test_a_message_without_its_key_does_not_leave(
    practice: GpMesh, context: PlainContext, send: Callable[..., Parcel]
) -> None:
    for body in (b"", b"{}", send().body, b"[" * 20_000):
        assert isinstance(await practice.deliver(replace(send(), body=body), context), Rejected)
    assert context.started == 0


def test_every_case_gives_what_it_says() -> None:
    assert [(each.name, each.why) for each in run_cases(FOLDER) if not each.passed] == []


@pytest.mark.parametrize("file", MADE, ids=lambda file: file.name)
def test_every_message_and_document_is_valid_fhir_and_holds_together(file: Path) -> None:
    # given
    message = json.loads(file.read_text(encoding="utf-8"))
    inner = message["entry"][3]["resource"]
    # then both are of R4's shape, a document begins with its composition, and every reference leads to an entry
    for bundle, kind in ((message, "MessageHeader"), (inner, "Composition")):
        Bundle.model_validate(bundle)
        assert bundle["entry"][0]["resource"]["resourceType"] == kind
        urls = {entry["fullUrl"] for entry in bundle["entry"]}
        here = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] != "Bundle"]
        assert set(references(here)) <= urls
    # and every narrative is XHTML
    for section in inner["entry"][0]["resource"]["section"]:
        assert ET.fromstring(section["text"]["div"]).tag == "{http://www.w3.org/1999/xhtml}div"


def references(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        if isinstance(tree.get("reference"), str):
            yield tree["reference"]
        for value in tree.values():
            yield from references(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from references(value)


def test_r65_safe_contact_is_read_before_everything_about_the_person() -> None:
    titles = list(sections("everything.out"))
    assert titles[:3] == ["What this is", "How to make contact safely", "Take care"]
    # and a number that is not safe to use stands nowhere
    assert "07700" not in json.dumps(document("unknown-fields-and-unsafe-contact.out"))


def test_r39_every_statement_stands_with_who_said_it() -> None:
    assert (
        "Noted by outreach worker from what they saw, on 11 November 2026"
        in sections("everything.out")["Drugs and alcohol"]
    )


def test_words_are_read_as_they_were_said() -> None:
    given = read("words-in-any-script.in")["section"]["in_their_words"][0]["text"]
    assert given in sections("words-in-any-script.out")["In their own words"]


def test_r15_please_stop_using_names_no_one() -> None:
    made = json.dumps(read("please-stop-using.out"))
    assert "Patient" in made
    assert not any(
        entry["resource"]["resourceType"] == "Patient" for entry in document("please-stop-using.out")["entry"]
    )
    assert "Sam" not in made


def test_what_comes_after_names_the_letter_that_it_is_about(letters: Mapping) -> None:
    # given a letter, and an addendum to it
    first, more = document("everything.out"), document("addendum-with-a-name.out")
    assert read("addendum-with-a-name.in")["delivery"]["follows"] == read("everything.in")["delivery"]["key"]
    # then the addendum's document appends the letter's
    (relation,) = more["entry"][0]["resource"]["relatesTo"]
    assert relation["targetIdentifier"] == first["entry"][0]["resource"]["identifier"]


def test_the_manifest_accepts_exactly_what_the_mapping_can_touch(letters: Mapping) -> None:
    declared = read_manifest(PACK / "manifest.toml").connectors["gp-mesh"]
    assert set(declared.accepts) == letters.categories
    assert declared.mapping == f"{letters.document}/{letters.version}"
