"""What failed is run once more where it is little, and what passed only then is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.requirements.failed import FEW, failed, keep

BAD = "<failure/>"


def _results(path: Path, **ends: str) -> Path:
    cases = "".join(
        f'<testcase classname="{name.replace("__", ".")}" name="t">{end}</testcase>' for name, end in ends.items()
    )
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a few files of tests."""
    (tmp_path / "tests").mkdir()
    for number in range(FEW + 1):
        (tmp_path / "tests" / f"test_{number}.py").touch()
    return tmp_path


def test_the_files_of_what_failed_are_named(tree: Path) -> None:
    # given one test that passed, one that failed and one that could not begin, in a class
    results = _results(tree / "a", tests__test_0="", tests__test_1=BAD, tests__test_2__TestIt="<error/>")
    # then the two files are to be run once more
    assert failed(results, tree) == ["tests/test_1.py", "tests/test_2.py"]


@pytest.mark.parametrize(
    "names",
    [(), ("tests__test_9",), tuple(f"tests__test_{number}" for number in range(FEW + 1))],
    ids=["nothing-failed", "not-a-file-of-ours", "too-many-to-be-chance"],
)
def test_nothing_is_run_once_more_where_that_would_say_nothing(tree: Path, names: tuple[str, ...]) -> None:
    assert failed(_results(tree / "a", **dict.fromkeys(names, BAD)), tree) == []


def test_what_passed_only_the_second_time_is_said_and_kept(tree: Path) -> None:
    # given two that failed, of which one passes when run again
    results = _results(tree / "a", tests__test_0=BAD, tests__test_1=BAD, tests__test_2="")
    again = _results(tree / "b", tests__test_0="", tests__test_1=BAD)
    # when that is kept
    told = keep(results, again)
    # then the one is named, and the other still counts as failed
    assert told == ["tests.test_0.t"]
    assert failed(results, tree) == ["tests/test_1.py"]
