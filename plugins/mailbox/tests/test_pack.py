"""The pack as a whole: manifest, entry point, size, and mapping cases that the answer page can show."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest
from hub_mailbox import connector as module

from hub.mapping.cases import CaseResult, run_cases
from hub.mapping.load import load_mapping
from hub.sdk.manifest import read_manifest
from hub.sdk.page import read_page
from hub.sdk.transports.email import EmailConnector

PACK = Path(str(files("hub_mailbox")))
MAPPING = PACK / "mappings/answer-page/1.0.0"
MANIFEST = read_manifest(PACK / "manifest.toml")
DECLARED = MANIFEST.connectors["answer-page"]


def test_the_entry_point_registers_what_the_manifest_declares() -> None:
    # given the installed distribution
    (point,) = [each for each in entry_points(group="hub.connectors") if each.name == MANIFEST.name]
    registered = {}
    # when its hook is called
    point.load().register_connectors(lambda name, connector: registered.update({name: connector}))
    # then it offers just what the manifest says
    assert registered == {"answer-page": EmailConnector}
    assert set(MANIFEST.connectors) == set(registered)


def test_its_code_is_small() -> None:
    # given the connector's module, when its lines are counted, then an e-mail pack is at most 40
    assert len(Path(str(module.__file__)).read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.parametrize("result", run_cases(MAPPING), ids=lambda result: result.name)
def test_its_mapping_makes_what_its_cases_say(result: CaseResult) -> None:
    # given a case, when it was run, then its document came out
    assert result.passed, result.why


@pytest.mark.parametrize("case", sorted((MAPPING / "cases").glob("*.out.json")), ids=lambda case: case.name)
def test_the_page_can_show_what_comes_out(case: Path) -> None:
    # given what a case makes, when the page reads it, then it is a page document
    read_page(case.read_bytes())


def test_the_mapping_touches_no_category_that_the_pack_does_not_accept() -> None:
    # given the mapping, when what it can touch is compared with the manifest, then all of it is accepted
    assert load_mapping(MAPPING, MAPPING.parent.parent / "codes").categories <= set(DECLARED.accepts)
    assert not {"safety", "domestic_abuse", "offending", "children", "about_someone_else"} & set(DECLARED.accepts)
