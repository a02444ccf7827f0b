"""The proof page finds what is missing, skipped, forgiven, failed or empty, and says so in its exit code."""

from __future__ import annotations

import json
import re

import pytest

from tests.requirements.conftest import Tree

PROVED = "def test_r12_holds():\n    value = 1\n    assert value == 1\n"


def test_what_runs_and_passes_is_proved(tree: Tree) -> None:
    # given one claim, by a test with parameters and a plain one
    each = "import pytest\n@pytest.mark.parametrize('n', [1, 2])\ndef test_each(n):\n    assert n\n"
    tree.test(PROVED + each)
    tree.claim("R12", "tests/test_r12_some.py::test_r12_holds", "tests/test_r12_some.py::test_each")
    # when the page is printed, then it is proved, and the last line counts it
    code, said = tree.page()
    assert code == 0, said
    assert "R12   proved" in said
    assert said.splitlines()[-1] == "requirements: 1/75 threats: 0/24"


#: What is wrong with a test before it is run, and what is said of it.
BROKEN = {
    "R01": ("def test_other(): assert print\n", "missing"),
    "R02": ("import pytest\n@pytest.mark.skip\ndef test_holds(): assert print\n", "marked skip"),
    "R03": ("import pytest\npytestmark = pytest.mark.xfail\ndef test_holds(): assert print\n", "marked xfail"),
    "R04": ("import pytest\n@pytest.mark.skipif('0', reason='')\ndef test_holds(): assert print\n", "marked skipif"),
    "R05": ("if 0:\n    def test_holds(): assert print\n", "missing"),
    "R06": ("def test_holds(): assert print\ntest_holds.__test__ = False\n", "not collected"),
    "R07": ("def test_holds(): assert True\n", "asserts nothing"),
    "R08": ("import pytest\n@pytest.mark.parametrize('n', [])\ndef test_holds(n): assert n\n", "marked skip"),
}
#: What looks well until it is run.
ENDS = {
    "R01": ("import pytest\ndef test_holds():\n    pytest.skip('no database')\n    assert print\n", "skipped"),
    "R02": ("import pytest\ndef test_holds():\n    pytest.xfail('one day')\n    assert print\n", "skipped"),
    "R03": ("def test_holds(): assert len('') == 1\n", "failed"),
    "R04": ("import pytest\n@pytest.fixture\ndef f(): 1 / 0\ndef test_holds(f): assert f\n", "failed"),
    "R05": ("import pytest\n@pytest.mark.parametrize('n', [1, 0])\ndef test_holds(n): assert n\n", "failed"),
}


def claimed(tree: Tree, cases: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Claim each by a test of its own, and R75 by a good one; return what should be said of each."""
    for name, (code, _) in (cases | {"R75": (PROVED.replace("r12_", ""), "")}).items():
        tree.test(code, f"test_{name.lower()}_some.py")
        tree.claim(name, f"tests/test_{name.lower()}_some.py::test_holds")
    return {name: f"{said}: tests/test_{name.lower()}_some.py::test_holds" for name, (_, said) in cases.items()}


@pytest.mark.parametrize(("cases", "words"), [(BROKEN, ["--no-run"]), (ENDS, [])], ids=["at-a-look", "by-running"])
def test_a_claim_that_nothing_proves_is_found(tree: Tree, cases: dict[str, tuple[str, str]], words: list[str]) -> None:
    # given claims by tests that prove nothing, each in its own way, and one good claim
    expected = claimed(tree, cases)
    # when the page is printed
    ended, said = tree.page(*words)
    # then each is found, with what is wrong, and the good one alone counts
    assert ended == 1
    found = dict(zip(re.findall(r"(?m)^(R\d\d) +BROKEN", said), re.findall(r"(?m)^ +! (.*)$", said), strict=True))
    assert found == expected
    assert said.splitlines()[-1] == "requirements: 1/75 threats: 0/24"


def test_the_page_can_be_made_from_a_run_that_has_been(tree: Tree) -> None:
    # given a claim, and the results of a run in which its test was not
    tree.test(PROVED)
    tree.claim("R12", "tests/test_r12_some.py::test_r12_holds")
    results = tree.root / "results.xml"
    for case, code in (("test_other", 1), ("test_r12_holds", 0)):
        results.write_text(f'<testsuites><testcase classname="tests.test_r12_some" name="{case}"/></testsuites>')
        # then only what stands in it counts
        assert tree.page("--results", str(results))[0] == code


@pytest.mark.parametrize("kind", ["missing", "a-folder", "cut-off", "another-document"])
def test_results_that_cannot_be_read_are_said_with_what_to_do(tree: Tree, kind: str) -> None:
    # given results that are not there, or are none
    tree.test(PROVED)
    tree.claim("R12", "tests/test_r12_some.py::test_r12_holds")
    results = tree.root / "results.xml"
    if kind == "a-folder":
        results.mkdir()
    elif kind != "missing":
        results.write_text("<testsuites><testcase" if kind == "cut-off" else "<html/>", encoding="utf-8")
    # when the page is to be made from them
    code, said = tree.page("--results", str(results))
    # then it says so, and how to make them, without a traceback
    assert code == 2
    assert "results.xml: " in said
    assert "make test TEST_FLAGS=--junitxml=results.xml" in said
    assert "Traceback" not in said


def test_a_program_can_read_it(tree: Tree) -> None:
    tree.test(PROVED)
    tree.claim("R12", "tests/test_r12_some.py::test_r12_holds")
    read = json.loads(tree.page("--json", "--no-run")[1])
    assert read["summary"] == "requirements: 1/75 threats: 0/24"
    assert {each["standing"] for each in read["claims"]} == {"claimed", "not claimed"}
    assert read["claims"][11]["tests"] == ["tests/test_r12_some.py::test_r12_holds"]
