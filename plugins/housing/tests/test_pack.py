"""The pack as a whole: manifest, entry point, size, gates, mapping cases."""

from __future__ import annotations

import ast
import json
import re
from datetime import date
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hub_housing import connector as module
from hub_housing.connector import CouncilSettings, DutyToRefer

from hub.domain.errors import Refusal
from hub.domain.gate import Gate
from hub.domain.gate import refusals as refused_by
from hub.domain.precondition import Asserted
from hub.domain.share import Category
from hub.mapping.cases import CaseResult, run_cases
from hub.mapping.codes import codes_in
from hub.mapping.load import load_mapping
from hub.sdk.manifest import ConnectorManifest, read_manifest
from hub.sdk.page import read_page
from hub.sdk.testing.sandbox import Sandbox
from tests.gating import shipped_gate

PACK = Path(str(files("hub_housing")))
MAPPING = PACK / "mappings/duty-to-refer/1.0.0"
CASES = MAPPING / "cases"
MANIFEST = read_manifest(PACK / "manifest.toml")
DECLARED: ConnectorManifest = MANIFEST.connectors["duty-to-refer"]


def gate(area: str) -> list[Gate]:
    """Return the gate that the pack asks for, as it stands for the council of an area."""
    (name,) = DECLARED.prerequisites
    return [shipped_gate(name, area=area)]


GATE = gate("E07000008")
TODAY = date(2026, 11, 20)
AGREED = {"consent_to_refer": True, "chosen_authority": "E07000008", "consent_to_pass_contact": True}


def refusals(gates: list[Gate], facts: dict[str, Any], pointer: str) -> tuple[Refusal, ...]:
    """Return what the pack's gate refuses of what was agreed."""
    return refused_by(gates, Asserted(facts, "not_said", TODAY), pointer)


def test_the_entry_point_registers_what_the_manifest_declares() -> None:
    # given the installed distribution
    (point,) = [each for each in entry_points(group="hub.connectors") if each.name == MANIFEST.name]
    registered = {}
    # when its hook is called
    point.load().register_connectors(lambda name, connector: registered.update({name: connector}))
    # then it offers just what the manifest says, under the version installed
    assert set(registered) == set(MANIFEST.connectors)
    assert registered["duty-to-refer"] is DutyToRefer
    assert point.dist is not None
    assert point.dist.version == MANIFEST.version


def test_the_connector_has_at_most_sixty_lines_of_code() -> None:
    source = Path(module.__file__).read_text(encoding="utf-8")
    prose = set()
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            prose |= set(range(body[0].lineno, (body[0].end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), 1)
    code = [line for number, line in lines if line.strip() and number not in prose and not line.strip().startswith("#")]
    assert len(code) <= 60


def test_the_manifest_names_settings_and_a_mapping_that_exist() -> None:
    assert set(DECLARED.hosts) <= set(CouncilSettings.model_fields)
    assert (PACK / "mappings" / DECLARED.mapping / "mapping.yaml").is_file()
    for name in DECLARED.code_lists:
        assert list(PACK.rglob(f"{name}.csv")), name


def test_the_mapping_touches_only_what_the_manifest_accepts() -> None:
    mapping = load_mapping(MAPPING, codes_in(PACK / "mappings/codes"))
    assert mapping.categories == set(DECLARED.accepts)
    assert mapping.categories <= set(Category)
    assert f"{mapping.document}/{mapping.version}" == DECLARED.mapping


@pytest.mark.parametrize("result", run_cases(MAPPING), ids=lambda result: result.name)
def test_mapping_case(result: CaseResult) -> None:
    assert result.passed, result.why


@pytest.mark.parametrize("file", sorted(CASES.glob("*.out.json")), ids=lambda file: file.name)
def test_every_document_keeps_to_what_a_council_may_see(file: Path) -> None:
    # given what a council would get
    text = file.read_text(encoding="utf-8")
    made = json.loads(text)
    # then no identifier beyond the name is in it, the note fits, and safe contact stands before the name
    for never in ("birth", "nhs", "1988-04-02", "9434765919", "postcode", "address"):
        assert never not in text.lower(), never
    assert len(made.get("submissionNote", "")) <= 4000
    if made.get("status") == "SUBMITTED":
        assert list(made).index("contact") < list(made).index("person")
        assert made["contact"]["sendAutomaticMessages"] is False
        assert made["handling"]


@pytest.mark.parametrize("file", sorted(CASES.glob("*.out.json")), ids=lambda file: file.name)
def test_r65_a_number_travels_only_where_it_is_safe(file: Path) -> None:
    contact = json.loads(file.read_text(encoding="utf-8")).get("contact", {})
    for way in contact.get("ways", []):
        assert "phone" not in way or "yes" in (way["safeToCall"], way["textOk"])
        assert "email" not in way or way["emailOk"] == "yes"


def test_the_person_s_words_arrive_code_point_for_code_point() -> None:
    given = json.loads((CASES / "unicode.in.json").read_text(encoding="utf-8"))
    made = json.loads((CASES / "unicode.out.json").read_text(encoding="utf-8"))
    assert made["inTheirWords"][0]["words"] == given["section"]["in_their_words"][0]["text"]
    assert made["housing"][0]["words"] == given["section"]["housing"][0]["text"]


def test_r63_all_three_agreed_passes_the_gate() -> None:
    assert refusals(GATE, AGREED, "/consents/0") == ()


@pytest.mark.parametrize("name", list(AGREED))
@pytest.mark.parametrize("value", [None, False, "", "yes", "E07000008 "])
def test_r63_each_of_the_three_is_refused_by_itself_with_a_next_step(name: str, value: object) -> None:
    facts = {key: each for key, each in (AGREED | {name: value}).items() if each is not None}
    (refusal,) = refusals(GATE, facts, "/consents/0")
    assert refusal.pointer == f"/consents/0/facts/{name}"
    assert refusal.title.endswith(".")
    assert refusal.next_step.endswith(".")


def test_r63_all_three_missing_are_told_at_once() -> None:
    assert len(refusals(GATE, {}, "/consents/0")) == 3


@pytest.mark.parametrize(
    "code", ["W06000015", "S12000036", "N09000003", "E10000007", "E0700000", "e07000008", "E07000008x"]
)
def test_r63_only_an_english_housing_authority_is_a_choice(code: str) -> None:
    (refusal,) = refusals(GATE, AGREED | {"chosen_authority": code}, "/consents/0")
    assert "Wales or Scotland" in refusal.next_step


@pytest.mark.parametrize("code", ["E06000001", "E07000008", "E08000003", "E09000007"])
def test_r63_every_kind_of_english_housing_authority_is(code: str) -> None:
    assert refusals(gate(code), AGREED | {"chosen_authority": code}, "/consents/0") == ()


def test_r63_another_council_than_the_one_they_chose_gets_nothing() -> None:
    (refusal,) = refusals(GATE, AGREED | {"chosen_authority": "E09000001"}, "/consents/0")
    assert refusal.title == "They chose another council."
    assert refusal.pointer == "/consents/0/facts/chosen_authority"


def test_the_readme_says_what_a_champion_asks() -> None:
    readme = (PACK.parent / "README.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (.+)$", readme, re.MULTILINE))
    assert headings >= {
        "Business need", "Context map", "Interfaces", "What is sent", "What comes back", "Clocks",
        "What we have not checked [K]",
    }  # fmt: skip


def test_the_sandbox_module_makes_a_sandbox() -> None:
    from hub_housing.sandbox import make

    from hub.sdk.testing.ledger import Ledger
    from hub.sdk.testing.serve import Surroundings

    assert isinstance(make(Surroundings("http://127.0.0.1:1", Ledger(), None, {})), Sandbox)


@pytest.mark.parametrize(
    "file", sorted((PACK / "mappings/duty-to-refer-page/1.0.0/cases").glob("*.out.json")), ids=lambda file: file.name
)
def test_the_answer_page_can_show_every_document(file: Path) -> None:
    # given what a team would get, when the page reads it
    shown = read_page(file.read_bytes())
    # then it is whole, and a number is there only where it is safe to use it (R65)
    assert shown.kind == json.loads(file.read_text(encoding="utf-8"))["kind"]
    for way in shown.contact:
        assert "phone" not in way or "yes" in (way["safe_to_call"], way["text_ok"])


NEEDS = (
    *("homeless_now", "rough_sleeping", "threatened_with_homelessness_56_days"),
    *("existing_application", "keep_my_tenancy", "supported_housing"),
)


@pytest.mark.parametrize("need", NEEDS)
@pytest.mark.parametrize("kind", ["public_body", "charity"])
@pytest.mark.parametrize("document", ["duty-to-refer", "duty-to-refer-page"])
def test_r63_every_need_goes_by_the_same_form_under_the_sender_s_own_title(document: str, kind: str, need: str) -> None:
    # given the least that the law asks for, with one of the needs that housing takes
    view = json.loads((CASES / "legal-minimum.in.json").read_text(encoding="utf-8"))
    view["section"]["housing"][0]["fields"]["reason"] = need
    view["sender"]["kind"] = kind
    mapping = load_mapping(PACK / f"mappings/{document}/1.0.0", codes_in(PACK / "mappings/codes"))
    # when it is mapped
    text = mapping.run(view).decode()
    # then it names the need, the council that the person chose, and by which duty or commitment it comes
    words = codes_in(PACK / "mappings/codes")("dtr-reasons")
    assert words.word(need, "word") in text
    assert view["consent"]["facts"]["chosen_authority"] in text
    title = "duty to refer" if kind == "public_body" else "commitment to refer"
    assert title in text.lower()
    assert ("commitment" if kind == "public_body" else "duty to refer,") not in text.lower()


def test_r63_the_needs_are_those_of_the_dated_list() -> None:
    lines = (PACK / "mappings/codes/dtr-reasons.csv").read_text(encoding="utf-8").splitlines()
    assert {line.partition(",")[0] for line in lines if not line.startswith(("#", "code,"))} == set(NEEDS)
