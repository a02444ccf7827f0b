"""The claims as they stand hold, are written as they should be, and only grow."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.requirements.claims import FILE, REQUIREMENTS, ROOT, THREATS, BadClaims, named_for, read
from tests.requirements.conftest import Tree
from tests.requirements.history import growth

TEST, OTHER = "tests/test_r12_some.py::test_r12_holds", "tests/test_r12_some.py::test_more"


def test_every_claim_that_stands_is_by_tests_that_exist_run_and_assert() -> None:
    # when the page is made from this tree, without running what it names
    words = [sys.executable, "-m", "tests.requirements", "--no-run", "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    page = json.loads(done.stdout)
    # then nothing is wrong with any claim, and none was dropped
    assert {each["id"]: each["problems"] for each in page["claims"] if each["problems"]} == {}
    assert page["dropped"] == []
    assert done.returncode == 0
    # and there is one line for each, and more than none is claimed
    assert [each["id"] for each in page["claims"]] == [*REQUIREMENTS, *THREATS]
    assert any(each["tests"] for each in page["claims"])


def test_a_claim_that_is_removed_is_found_until_it_is_withdrawn_with_a_reason(tree: Tree) -> None:
    # given two claims, each committed
    for claimed in ([TEST], [TEST, OTHER]):
        tree.claim("R12", *claimed)
        tree.commit()
    # when one of them is gone, in a commit or before it
    tree.claim("R12", OTHER)
    found = growth(read((tree.root / FILE).read_text()), tree.root)
    assert found.dropped == (("R12", TEST),)
    tree.commit()
    found = growth(read((tree.root / FILE).read_text()), tree.root)
    assert (found.dropped, found.compared) == ((("R12", TEST),), "compared with 3 earlier versions")
    code, said = tree.page("--no-run")
    assert (code, f"dropped without a word: R12 {TEST}" in said) == (1, True)
    # then it is let go only by a line that says why
    tree.ending = f'[[withdrawn]]\nclaim = "R12"\ntest = "{TEST}"\nreason = "{OTHER} says more."\n'
    tree.claim("R12", OTHER)
    assert growth(read((tree.root / FILE).read_text()), tree.root).dropped == ()


def test_without_a_past_it_says_so(tree: Tree) -> None:
    tree.claim("R12", TEST)
    found = growth(read((tree.root / FILE).read_text()), tree.root)
    assert (found.dropped, found.compared) == ((), "the past was not looked at: there is no git history here")


def test_a_clone_of_the_newest_commits_alone_says_so(tree: Tree) -> None:
    # given a clone that was cut short after a claim went
    tree.claim("R12", TEST)
    tree.commit()
    tree.claim("R12")
    tree.commit()
    short = tree.root / "short"
    subprocess.run(["git", "clone", "-q", "--depth", "1", tree.root.as_uri(), short], check=True, capture_output=True)
    # then what it cannot see it does not find, and says how little it saw
    found = growth(read((short / FILE).read_text()), short)
    assert found.dropped == ()
    assert found.compared.endswith("of a clone that holds only the newest commits")


WRONG = [
    ("R12", ["no test"], "is not file::function"),
    ("R12", [f"{TEST}[one]"], "is not file::function"),
    ("R12", ["tests/test_some.py::test_holds"], "no test is named for it"),
    ("R12", [TEST, TEST], "names a test twice"),
    ("R76", [TEST], ""),
]


@pytest.mark.parametrize(("name", "tests", "said"), WRONG)
def test_what_is_not_a_claim_is_refused_with_what_is_wrong(tree: Tree, name: str, tests: list[str], said: str) -> None:
    tree.ending = f'[{name}]\ntitle = "t"\ntests = {tests}\n' if name not in REQUIREMENTS else ""
    tree.claim(name, *tests)
    with pytest.raises(BadClaims, match=said or "R76 must be a requirement or threat"):
        read((tree.root / FILE).read_text())


def test_a_withdrawal_without_a_reason_is_refused(tree: Tree) -> None:
    tree.ending = f'[[withdrawn]]\nclaim = "R12"\ntest = "{TEST}"\nreason = " "\n'
    tree.claim("R12")
    with pytest.raises(BadClaims, match="withdrawn needs claim, test and reason"):
        read((tree.root / FILE).read_text())


def test_a_test_is_named_by_a_word_of_its_own_or_its_files_name() -> None:
    assert named_for("R12", "tests/a/test_r12_some.py::test_holds")
    assert named_for("TH10", "tests/a/test_some.py::test_th10_holds")
    assert not named_for("R12", "tests/a/test_r123_some.py::test_r1_2_holds")
    assert not named_for("R12", "tests/r12/test_some.py::test_holds")
