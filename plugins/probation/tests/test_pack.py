"""The pack as a whole: manifest, entry point, size, mapping cases, and what is never in a document."""

from __future__ import annotations

import ast
import json
import re
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest
from hub_probation import connector as module
from hub_probation.connector import HmppsSettings

from hub.domain.gate import refusals
from hub.domain.precondition import Asserted
from hub.mapping.cases import CaseResult, run_cases
from hub.mapping.codes import codes_in
from hub.mapping.load import load_mapping
from hub.sdk.manifest import read_manifest
from hub.sdk.page import read_page

PACK = Path(str(files("hub_probation")))
MAPPINGS = PACK / "mappings"
MANIFEST = read_manifest(PACK / "manifest.toml")
FOLDERS = sorted(file.parent for file in MAPPINGS.glob("*/*/mapping.yaml"))


def test_the_entry_point_registers_what_the_manifest_declares() -> None:
    (point,) = [each for each in entry_points(group="hub.connectors") if each.name == MANIFEST.name]
    registered = {}
    point.load().register_connectors(lambda name, connector: registered.update({name: connector}))
    assert set(registered) == set(MANIFEST.connectors)


def test_the_connector_is_at_most_sixty_lines_of_code() -> None:
    source = Path(module.__file__).read_text(encoding="utf-8")
    prose = set()
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            prose |= set(range(body[0].lineno, (body[0].end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), 1)
    code = [line for number, line in lines if line.strip() and number not in prose and not line.strip().startswith("#")]
    assert len(code) <= 60


@pytest.mark.parametrize("name", MANIFEST.connectors)
def test_the_manifest_accepts_what_its_mapping_touches_and_no_more(name: str) -> None:
    declared = MANIFEST.connectors[name]
    assert set(declared.hosts) <= set(HmppsSettings.model_fields)
    mapping = load_mapping(MAPPINGS / declared.mapping, codes_in(MAPPINGS / "codes"))
    assert mapping.categories == set(declared.accepts)
    assert not mapping.categories & {"safety", "domestic_abuse", "children", "location"}


@pytest.mark.parametrize(
    "result", [each for folder in FOLDERS for each in run_cases(folder)], ids=lambda result: result.name
)
def test_mapping_case(result: CaseResult) -> None:
    assert result.passed, result.why


@pytest.mark.parametrize("file", sorted(MAPPINGS.rglob("*.out.json")), ids=lambda file: f"{file.parts[-4]}-{file.name}")
def test_no_address_health_number_or_unsafe_way_is_in_a_document(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for never in ("9434765919", "Zz9", "risk", "mappa"):
        assert never not in text.lower().replace("zz9", "Zz9"), never
    for way in json.loads(text).get("safeContact", {}).get("ways", []):
        assert "phone" not in way or "yes" in (way["safeToCall"], way["textOk"])


@pytest.mark.parametrize("said", [None, False, "yes", ""])
def test_nobody_is_looked_up_who_did_not_say_that_they_are_on_probation(said: object) -> None:
    # given what the connector asks for, whatever its service asks besides
    from hub.gates import made
    from tests.gating import GatedService

    asked = MANIFEST.connectors["responsible-team"].preconditions
    gate = made("connector", "It asks", asked, GatedService(), {})
    facts = {} if said is None else {"says_on_probation": said}
    # then only a plain yes lets it go
    from datetime import date

    on = date(2026, 11, 20)
    (refusal,) = refusals([gate], Asserted(facts, "not_said", on), "/consents/0")
    assert refusal.type == "gate-on-probation"
    assert refusals([gate], Asserted({"says_on_probation": True}, "not_said", on), "/consents/0") == ()


def test_the_readme_says_what_a_champion_asks() -> None:
    readme = (PACK.parent / "README.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (.+)$", readme, re.MULTILINE))
    assert headings >= {
        "Business need", "Context map", "Interfaces", "What must be agreed first", "What is sent", "What comes back",
        "Clocks", "Limits", "Troubleshooting", "What it needs", "What we have not checked [K]", "Try it",
    }  # fmt: skip


@pytest.mark.parametrize(
    "file", sorted((PACK / "mappings/probation-office/1.0.0/cases").glob("*.out.json")), ids=lambda file: file.name
)
def test_the_answer_page_can_show_every_document(file: Path) -> None:
    # given what a team would get, when the page reads it
    shown = read_page(file.read_bytes())
    # then it is whole, and a number is there only where it is safe to use it (R65)
    assert shown.kind == json.loads(file.read_text(encoding="utf-8"))["kind"]
    for way in shown.contact:
        assert "phone" not in way or "yes" in (way["safe_to_call"], way["text_ok"])
