"""The pack as a whole: manifest, entry point, mapping cases, and what a page may hold."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest
from hub_treatment.connector import TreatmentMesh
from hub_treatment.documents import ANSWERS, COLUMNS, make_page, read_answer

from hub.domain.share import Category
from hub.mapping.cases import CaseResult, run_cases
from hub.mapping.codes import codes_in
from hub.mapping.load import load_mapping
from hub.sdk import Answer, AnswerState
from hub.sdk.manifest import read_manifest
from hub.sdk.transports.mesh_connector import MeshSettings

PACK = Path(str(files("hub_treatment")))
MAPPING = PACK / "mappings/treatment-referral/1.0.0"
CASES = MAPPING / "cases"
MANIFEST = read_manifest(PACK / "manifest.toml")
DECLARED = MANIFEST.connectors["treatment-mesh"]
KEY = "0b9a4f7e-5d2c-4f0b-8a55-8f4b5f6f2f11"


def page(case: str) -> str:
    return make_page((CASES / f"{case}.out.json").read_bytes()).decode()


def test_the_entry_point_registers_what_the_manifest_declares() -> None:
    # given the installed distribution
    (point,) = [each for each in entry_points(group="hub.connectors") if each.name == MANIFEST.name]
    registered = {}
    # when its hook is called
    point.load().register_connectors(lambda name, connector: registered.update({name: connector}))
    # then it offers just what the manifest says, under the version installed
    assert registered == {"treatment-mesh": TreatmentMesh}
    assert set(registered) == set(MANIFEST.connectors)
    assert point.dist is not None
    assert point.dist.version == MANIFEST.version


def test_the_manifest_names_settings_code_lists_and_a_mapping_that_exist() -> None:
    assert set(DECLARED.hosts) <= set(MeshSettings.model_fields)
    mapping = load_mapping(PACK / "mappings" / DECLARED.mapping, codes_in(PACK / "mappings/codes"))
    assert mapping.categories == set(DECLARED.accepts) <= set(Category)
    for name in DECLARED.code_lists:
        (found,) = PACK.rglob(f"{name}.csv")
        assert found.read_text(encoding="utf-8").count("# date: 2026-") == 1


@pytest.mark.parametrize("result", run_cases(MAPPING), ids=lambda result: result.name)
def test_mapping_case(result: CaseResult) -> None:
    assert result.passed, result.why


@pytest.mark.parametrize("file", sorted(CASES.glob("*.out.json")), ids=lambda file: file.name)
def test_every_page_keeps_to_what_a_provider_may_see(file: Path) -> None:
    # given what a provider would get
    made = page(file.name.removesuffix(".out.json"))
    # then no identifier beyond the name is in it, nor the service's own name, and nothing runs or loads
    for never in ("1988-04-02", "9434765919", "North Recovery", "<script", "href=", "src="):
        assert never not in made, never
    # and safe contact stands before the name
    if "<h2>Who</h2>" in made:
        assert made.index("How to make contact safely") < made.index("<h2>Who</h2>")


def test_the_same_parcel_is_always_the_same_page() -> None:
    assert page("everything-agreed") == page("everything-agreed")


def test_the_line_for_a_spreadsheet_names_nobody_and_obeys_nothing() -> None:
    # given everything that may be shared
    made = page("everything-agreed")
    line = made[made.index("<pre>") :]
    # then it holds the codes of the return and our reference, and no name, number or words
    assert ",".join(COLUMNS) in line
    assert f"{KEY},K7M-4QX,2026-11-20,8,1011,3201,1,C,Y" in line
    assert not any(word in line for word in ("Sam", "Rivers", "07700", "every day"))


def test_their_words_arrive_code_point_for_code_point() -> None:
    made = page("words-in-any-script")
    given = json.loads((CASES / "words-in-any-script.in.json").read_text(encoding="utf-8"))
    assert given["section"]["goal"][0]["text"] in made
    assert "<bdi>=HYPERLINK(&quot;http://x&quot;,&quot;y&quot;) &lt;script&gt;" in made
    assert "مرحبا Śledź 😀" in made


@pytest.mark.parametrize(
    "body",
    [
        f"hub_key,status,reason,owner,note\r\n{KEY},Accepted,,Jo at the duty desk,Come on Monday\r\n".encode(),
        f"\ufeffHub_Key,Status,Owner,Note\n\n'{KEY},ACCEPTED,Jo at the duty desk,Come on Monday\n".encode(),
        json.dumps(
            {"hub_key": KEY, "status": "accepted", "owner": "Jo at the duty desk", "note": "Come on Monday"}
        ).encode(),
    ],
)
def test_an_answer_is_read_from_a_spreadsheet_or_a_system(body: bytes) -> None:
    # given / when
    inbound = read_answer("m-1", body)
    # then
    assert (inbound.message_id, inbound.reference) == ("m-1", KEY)
    assert inbound.answers == (Answer(AnswerState.ACCEPTED, owner="Jo at the duty desk", text="Come on Monday"),)


@pytest.mark.parametrize(
    ("status", "reason", "state", "why"),
    [
        ("4", "", "received", ""),
        ("1", "", "in_progress", ""),
        ("2", "5", "redirect_suggested", "referred-on"),
        ("2", "12", "declined", "person-did-not-want-it"),
        ("DECEASED", "", "declined", "person-died"),
        ("something new", "", "received", "unrecognised-status"),
    ],
)
def test_the_codes_of_the_return_are_answers(status: str, reason: str, state: str, why: str) -> None:
    said = read_answer("m", f"hub_key,status,reason\n{KEY},{status},{reason}\n".encode()).answers[0]
    assert (said.state, said.reason) == (state, why)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"hub_key,status\nnot-a-key,ACCEPTED\n", b"hub_key\n", b"[" * 100_000, b"{}"]
)
def test_what_names_no_referral_is_not_an_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_answer("m", body)


def test_every_word_of_the_vocabulary_is_said_without_naming_what_the_service_does() -> None:
    for answer in ANSWERS.rows.values():
        assert not any(word in f"{answer.text} {answer.next_step}".lower() for word in ("drug", "alcohol", "recovery"))
