"""The pack as a whole: manifest, entry point, size, gate, mapping cases, and that the panel ships turned off (R29)."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest
from hub_childrens_lcs import connector as module
from hub_childrens_lcs.connector import LcsSettings

from hub.mapping.cases import CaseResult, run_cases
from hub.mapping.codes import codes_in
from hub.mapping.load import load_mapping
from hub.partnership import shipped
from hub.sdk.manifest import read_manifest
from hub.sdk.page import read_page

PACK = Path(str(files("hub_childrens_lcs")))
MAPPINGS = PACK / "mappings"
MANIFEST = read_manifest(PACK / "manifest.toml")
FOLDERS = [MAPPINGS / "lcs-contact/1.0.0", MAPPINGS / "lcs-panel-referral/1.0.0"]
OUT = sorted(file for folder in FOLDERS for file in (folder / "cases").glob("*.out.json"))


def test_the_entry_point_registers_what_the_manifest_declares() -> None:
    (point,) = [each for each in entry_points(group="hub.connectors") if each.name == MANIFEST.name]
    registered = {}
    point.load().register_connectors(lambda name, connector: registered.update({name: connector}))
    assert set(registered) == set(MANIFEST.connectors)


def test_the_connectors_are_at_most_sixty_lines_of_code() -> None:
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
def test_the_manifest_names_what_exists_and_accepts_what_its_mapping_touches(name: str) -> None:
    declared = MANIFEST.connectors[name]
    assert set(declared.hosts) <= set(LcsSettings.model_fields)
    for codes in declared.code_lists:
        assert list(PACK.rglob(f"{codes}.csv")), codes
    mapping = load_mapping(MAPPINGS / declared.mapping, codes_in(MAPPINGS / "codes"))
    assert mapping.categories == set(declared.accepts)


@pytest.mark.parametrize(
    "result", [each for folder in FOLDERS for each in run_cases(folder)], ids=lambda result: result.name
)
def test_mapping_case(result: CaseResult) -> None:
    assert result.passed, result.why


@pytest.mark.parametrize("file", OUT, ids=lambda file: f"{file.parts[-4]}-{file.name}")
def test_r65_a_number_travels_only_where_it_is_safe_and_stands_before_the_name(file: Path) -> None:
    made = json.loads(file.read_text(encoding="utf-8"))
    for way in made.get("contact", {}).get("ways", []):
        assert "phone" not in way or "yes" in (way["safeToCall"], way["textOk"])
    if "person" in made and "contact" in made:
        assert list(made).index("contact") < list(made).index("person")
        assert made["contact"]["sendAutomaticMessages"] is False


@pytest.mark.parametrize("file", OUT, ids=lambda file: f"{file.parts[-4]}-{file.name}")
def test_r66_handling_lines_go_with_every_document(file: Path) -> None:
    given = json.loads(file.with_name(file.name.replace(".out.", ".in.")).read_text(encoding="utf-8"))
    made = json.loads(file.read_text(encoding="utf-8"))
    assert made.get("handling") == ([line["words"] for line in given["share"].get("handling", [])] or None)


def test_r29_the_panel_gets_the_number_of_the_cera_and_nothing_of_what_it_says() -> None:
    # given a case-holder's system that asserts more than it was asked for
    text = (FOLDERS[1] / "cases/never-what-the-cera-says.out.json").read_text(encoding="utf-8")
    # then the number goes, and what it says does not
    assert json.loads(text)["pathway"]["ceraReference"] == "CERA-2026-0412"
    assert "Zz9" not in text
    assert "Zz9" in (FOLDERS[1] / "cases/never-what-the-cera-says.in.json").read_text(encoding="utf-8")


def test_r29_the_panel_ships_turned_off_behind_its_gate() -> None:
    # given the example that ships
    text = (shipped("config") / "services/trusted-relationships.toml.example").read_text(encoding="utf-8")
    service = tomllib.loads(text)
    # then it is off, and asks for every step before anything may go
    assert service["enabled"] is False
    assert service["gates"] == ["trusted-relationships"]
    assert (service["connection"]["plugin"], service["connection"]["connector"]) == (
        MANIFEST.name,
        "trusted-relationships",
    )
    assert MANIFEST.connectors["trusted-relationships"].prerequisites == ("trusted-relationships",)


@pytest.mark.parametrize(
    ("case", "code"), [("everything-agreed", "8"), ("from-health", "3F"), ("unknown-fields-and-sender", "10")]
)
def test_where_it_comes_from_is_told_by_who_the_sender_is(case: str, code: str) -> None:
    made = json.loads((FOLDERS[0] / f"cases/{case}.out.json").read_text(encoding="utf-8"))
    assert made["source"]["code"] == code


def test_a_partner_may_have_a_source_of_its_own(tmp_path: Path) -> None:
    # given an instance's own list that names a partner
    rows = (MAPPINGS / "codes/cin-referral-sources.csv").read_text(encoding="utf-8")
    (tmp_path / "cin-referral-sources.csv").write_text(rows + "youth-club,5D,Early help\n", encoding="utf-8")
    view = json.loads((FOLDERS[0] / "cases/everything-agreed.in.json").read_text(encoding="utf-8"))
    # when a contact is mapped by it, then the partner's own code stands
    made = json.loads(load_mapping(FOLDERS[0], codes_in(tmp_path)).run(view))
    assert made["source"] == {"code": "5D", "words": "Early help"}


def test_the_readme_says_what_a_champion_asks() -> None:
    readme = (PACK.parent / "README.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (.+)$", readme, re.MULTILINE))
    assert headings >= {
        "Business need", "Context map", "Interfaces", "What must be agreed first", "What is sent", "What comes back",
        "Clocks", "Limits", "Troubleshooting", "What it needs", "What we have not checked [K]", "Try it",
    }  # fmt: skip


@pytest.mark.parametrize(
    "file", sorted((PACK / "mappings/lcs-page/1.0.0/cases").glob("*.out.json")), ids=lambda file: file.name
)
def test_the_answer_page_can_show_every_document(file: Path) -> None:
    # given what a team would get, when the page reads it
    shown = read_page(file.read_bytes())
    # then it is whole, and a number is there only where it is safe to use it (R65)
    assert shown.kind == json.loads(file.read_text(encoding="utf-8"))["kind"]
    for way in shown.contact:
        assert "phone" not in way or "yes" in (way["safe_to_call"], way["text_ok"])
