"""A test counts as one only when something in it could fail: asserted there, or in the tests' functions it calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.requirements.asserting import Suite

ASSERTING = {
    "an assertion": "def test_it(n): assert n == 1",
    "an error expected": "import pytest\ndef test_it():\n    with pytest.raises(ValueError): int('x')",
    "the same by its own name": "from pytest import raises\ndef test_it(): raises(ValueError, int, 'x')",
    "a failure named": "import pytest\ndef test_it(n):\n    if n: pytest.fail('no')",
    "in a loop": "def test_it():\n    for n in range(3):\n        assert n < 3",
    "in a function below": "def check(n): assert n\ndef test_it(n): check(n)",
    "two functions down": "def low(n): assert n\ndef check(n): low(n)\ndef test_it(n): check(n)",
    "in an inner function that is called": "def test_it():\n    def inner(n): assert n\n    inner(1)",
    "in an inner one under hypothesis": "def test_it():\n    @given(n)\n    def inner(n): assert n\n    inner()",
    "under hypothesis": "@given(integers())\ndef test_it(n): assert n",
    "asynchronous": "async def test_it(n): assert await n",
    "in another file": "from tests.checks import check\ndef test_it(n): check(n)",
    "in another file under another name": "from tests.checks import check as c\ndef test_it(n): c(n)",
    "through a module": "from tests import checks\ndef test_it(n): checks.check(n)",
    "by a method of what it is given": "from tests.checks import House\ndef test_it(house: House): house.check()",
}

EMPTY = {
    "nothing": "def test_it(): pass",
    "words": "def test_it():\n    '''Given, when, then.'''\n    print(1)",
    "what is always true": "def test_it(): assert True",
    "a number": "def test_it(): assert 1 == 1.0",
    "a tuple": "def test_it(n): assert (n == 1, 'no')",
    "true or else": "def test_it(n): assert n or True",
    "a thing with itself": "def test_it(n): assert n == n",
    "what is never called": "def check(n): assert n\ndef test_it(): pass",
    "an inner function that nobody calls": "def test_it():\n    def inner(n): assert n",
    "what is never reached": "def test_it(n):\n    if False:\n        assert n",
    "round in a circle": "def a(): b()\ndef b(): a()\ndef test_it(): a()",
    "the hub's own function": "from hub.domain.share import check\ndef test_it(n): check(n)",
    "another file's empty one": "from tests.checks import empty\ndef test_it(n): empty(n)",
}

CHECKS = """
def check(n):
    assert n
def empty(n):
    return n
class House:
    def check(self):
        self.look()
    def look(self):
        assert self.open
"""


def suite(folder: Path, code: str) -> Suite:
    """Return a tree of one test file and one file of functions that it may call."""
    (folder / "tests").mkdir()
    (folder / "tests/checks.py").write_text(CHECKS, encoding="utf-8")
    (folder / "tests/test_one.py").write_text(code, encoding="utf-8")
    return Suite(folder)


@pytest.mark.parametrize("case", ASSERTING)
def test_what_may_fail_is_seen(tmp_path: Path, case: str) -> None:
    assert suite(tmp_path, ASSERTING[case]).asserts("tests/test_one.py::test_it")


@pytest.mark.parametrize("case", EMPTY)
def test_what_cannot_fail_is_seen_through(tmp_path: Path, case: str) -> None:
    assert not suite(tmp_path, EMPTY[case]).asserts("tests/test_one.py::test_it")
