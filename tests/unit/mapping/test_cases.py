"""Cases: what passes, how a difference is named, and that a released version stays as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.mapping import MappingError, run_cases
from hub.mapping.cases import difference, release

Write = Callable[[str], Path]


def put(folder: Path, name: str, value: Any) -> None:
    (folder / "cases").mkdir(exist_ok=True)
    (folder / "cases" / name).write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def folder(write: Write, view: dict[str, Any]) -> Path:
    """Return a mapping with a case that passes and one that is refused, as it should be."""
    home = write('{a: {$: "section.goal[0].text"}, b: {$?: section.money}}')
    put(home, "all.in.json", view)
    put(home, "all.out.json", {"a": "A place of my own."})
    put(home, "nothing.in.json", {"section": {}})
    put(home, "nothing.refused.json", {"path": "/a", "categories": ["goal"]})
    return home


def test_a_case_passes_by_its_document_or_its_refusal(folder: Path, codes: Path) -> None:
    # given a case each, when run (the code lists stand beside the document's folder), then both pass
    assert [(result.name, result.passed) for result in run_cases(folder)] == [("all", True), ("nothing", True)]
    assert run_cases(folder, codes) == run_cases(folder)


@pytest.mark.parametrize(
    ("file", "value", "name", "why"),
    [
        ("all.out.json", {"a": "Another"}, "all", '/a: is "A place of my own.", should be "Another"'),
        ("all.out.json", {"a": "A place of my own.", "c": 1}, "all", "/c: is missing"),
        ("all.out.json", {}, "all", "/a: should not be there"),
        ("nothing.refused.json", {"path": "/a", "categories": []}, "nothing", "should be refused as the case says"),
        ("nothing.out.json", {}, "nothing", "needs either"),
        ("all.refused.json", {}, "all", "needs either"),
        ("stray.out.json", {}, "stray.out.json", "belongs to no"),
        ("odd.json", {}, "odd.json", "belongs to no"),
        ("all.in.json", {"section": {}}, "all", "was refused: nothing to put at /a"),
        ("all.in.json", [], "all", "is an object"),
        ("new.in.json", {}, "new", "needs either"),
    ],
)
def test_a_failing_case_says_where(folder: Path, file: str, value: Any, name: str, why: str) -> None:
    put(folder, file, value)
    failed = [result for result in run_cases(folder) if not result.passed]
    assert [result.name for result in failed] == [name]
    assert why in failed[0].why


def test_a_case_that_should_be_refused_and_is_not_fails(folder: Path, view: dict[str, Any]) -> None:
    put(folder, "nothing.in.json", view)
    assert [result.why for result in run_cases(folder) if not result.passed] == [
        "should be refused as the case says, and was not refused"
    ]


def test_a_case_that_is_not_json_fails(folder: Path) -> None:
    (folder / "cases" / "all.in.json").write_text("{", encoding="utf-8")
    assert [result.name for result in run_cases(folder) if not result.passed] == ["all"]


def test_a_mapping_that_does_not_load_or_has_no_case_fails(write: Write) -> None:
    assert [result.why for result in run_cases(write("{a: 1}"))] == ["there are no cases: add cases/<name>.in.json"]
    [failed] = run_cases(write("{a: {$: section}}"))
    assert (failed.name, failed.passed) == ("load", False)
    assert "mapping.yaml:6:" in failed.why


def test_a_released_version_is_never_edited(folder: Path, codes: Path) -> None:
    # given a released version
    release(folder, codes)
    assert all(result.passed for result in run_cases(folder))
    # when its file is edited, even in a comment only
    file = folder / "mapping.yaml"
    file.write_bytes(file.read_bytes() + b"# a small mend\n")
    # then its cases fail, while the same text with other line ends is still the same version
    [failed] = [result for result in run_cases(folder) if not result.passed]
    assert (failed.name, "make a new version" in failed.why) == ("released", True)
    file.write_bytes(file.read_bytes().replace(b"# a small mend\n", b"").replace(b"\n", b"\r\n"))
    assert all(result.passed for result in run_cases(folder))


def test_a_version_with_a_failing_case_is_not_released(folder: Path, codes: Path) -> None:
    put(folder, "all.out.json", {})
    with pytest.raises(MappingError, match="case all fails"):
        release(folder, codes)


@pytest.mark.parametrize(
    ("wanted", "made", "says"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, ""),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "/a/1/b: is 3, should be 2"),
        ([1, 2], [1], "/: has 1, should have 2 elements"),
        (1, True, "/: is true, should be 1"),
        (1, 1.0, "/: is 1.0, should be 1"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "/: has its keys in another order"),
    ],
)
def test_a_difference_is_named_at_its_place(wanted: Any, made: Any, says: str) -> None:
    assert difference(wanted, made) == says
