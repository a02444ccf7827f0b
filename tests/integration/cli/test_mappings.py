"""`hub mappings test` runs every case there is, finds code lists as the hub does, and shows in and out to a reader."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hub.cli.main import app

MAPPING = """\
document: demo
version: 1.0.0
content_type: application/json
codes: {ask: asks}
template: {key: {$: delivery.key}, ask: {$: "lookup('ask', share.ask)"}}
"""


@pytest.fixture
def own(empty):
    """An instance with a mapping of its own, whose code list is the one that the hub ships."""
    cases = empty.folder / "mappings" / "demo" / "1.0.0" / "cases"
    cases.mkdir(parents=True)
    empty.write("mappings/demo/1.0.0/mapping.yaml", MAPPING)
    given = {"delivery": {"key": "k-1"}, "share": {"ask": "act"}}
    empty.write("mappings/demo/1.0.0/cases/plain.in.json", json.dumps(given))
    run = CliRunner().invoke(app, ["mappings", "test", str(empty.folder / "mappings"), "--json"])
    made = json.loads(run.stdout)["cases"][0]["why"]
    assert "needs either" in made
    return empty


def complete(instance, ask: str) -> None:
    """Give the case the document that should come out."""
    instance.write("mappings/demo/1.0.0/cases/plain.out.json", json.dumps({"key": "k-1", "ask": ask}))


def shipped_word(own) -> str:
    """Return what the shipped code list makes of `act`, as a failing case tells."""
    complete(own, "?")
    (case,) = [each for each in json.loads(own.hub("mappings", "test", "--json").stdout)["cases"] if not each["passed"]]
    return str(case["why"]).split('"')[1]


def test_every_mapping_of_instance_and_packs_is_run(own) -> None:
    complete(own, shipped_word(own))

    found = own.json("mappings", "test")

    assert found["failed"] == 0
    assert {"demo/1.0.0", "duty-to-refer/1.0.0", "bars-servicerequest/1.0.0"} <= {c["mapping"] for c in found["cases"]}
    assert (
        f"{found['passed']} passed, 0 failed"
        in CliRunner().invoke(app, ["mappings", "test", "--dir", str(own.folder)]).stdout
    )


def test_a_failing_case_is_named_with_the_place_where_documents_differ(own) -> None:
    complete(own, "something else")

    result = CliRunner().invoke(app, ["mappings", "test", str(own.folder / "mappings"), "--dir", str(own.folder)])

    assert result.exit_code == 1
    assert "FAILED  plain: /ask: is" in result.stdout
    assert "cases that failed: 1" in result.stderr


@pytest.mark.parametrize("below", ["mappings", "mappings/demo", "mappings/demo/1.0.0"])
def test_a_folder_may_be_given_at_any_depth(own, below) -> None:
    complete(own, shipped_word(own))

    result = CliRunner().invoke(app, ["mappings", "test", str(own.folder / below), "--json"])

    assert [case["mapping"] for case in json.loads(result.stdout)["cases"]] == ["demo/1.0.0"]


def test_a_case_can_be_read_without_knowing_json(own) -> None:
    complete(own, shipped_word(own))

    result = CliRunner().invoke(app, ["mappings", "test", str(own.folder / "mappings"), "--show"])

    shown = [line.strip() for line in result.stdout.splitlines()]
    assert "in:" in shown
    assert "out:" in shown
    assert "key: k-1" in shown


def test_documents_are_in_the_json_when_they_are_asked_for(own) -> None:
    complete(own, shipped_word(own))

    result = CliRunner().invoke(app, ["mappings", "test", str(own.folder / "mappings"), "--show", "--json"])

    (case,) = json.loads(result.stdout)["cases"]
    assert (case["in"]["share"], case["out"]["key"]) == ({"ask": "act"}, "k-1")


@pytest.mark.parametrize("name", ["nowhere", "void"])
def test_a_folder_without_a_mapping_is_named(tmp_path, name) -> None:
    (tmp_path / "void").mkdir()

    result = CliRunner().invoke(app, ["mappings", "test", str(tmp_path / name)])

    assert result.exit_code == 1
    assert str(tmp_path / name) in result.stderr


def test_a_mapping_that_does_not_load_is_a_failed_case(own) -> None:
    own.write("mappings/demo/1.0.0/mapping.yaml", "template: {a: {$: section.*}}\n")

    result = CliRunner().invoke(app, ["mappings", "test", str(own.folder / "mappings"), "--json"])

    assert result.exit_code == 1
    assert [case["case"] for case in json.loads(result.stdout)["cases"]] == ["load"]


def test_a_pack_s_folder_is_asked_by_its_own_name(tmp_path) -> None:
    # given a pack, made and not installed, as a newcomer has it
    made = CliRunner().invoke(app, ["connector", "new", "river-trust", "--transport", "rest", "--in", str(tmp_path)])
    # when its mappings are asked for by the pack's folder
    run = CliRunner().invoke(app, ["mappings", "test", str(tmp_path / "river-trust"), "--json"])
    # then every case of them ran
    assert (made.exit_code, run.exit_code) == (0, 0), run.output
    found = json.loads(run.stdout)
    assert {case["mapping"] for case in found["cases"]} == {"river-trust-referral/1.0.0"}
    assert found["passed"] >= 4
