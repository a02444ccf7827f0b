"""What pytest makes of the claimed tests: which it finds, which carry a mark that lets them off, and which pass."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import pytest

#: A test under one of these may not have looked at all, or may have failed and been forgiven.
_LETS_OFF = ("skip", "skipif", "xfail")


@dataclass(slots=True)
class Collected:
    """A plugin of pytest's that remembers what was found."""

    marks: dict[str, set[str]] = field(default_factory=dict)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep each test, and the marks that let it off."""
        for item in items:
            found = self.marks.setdefault(item.nodeid.partition("[")[0], set())
            found |= {mark.name for mark in item.iter_markers() if mark.name in _LETS_OFF}


def collect(tests: Iterable[str], root: Path) -> dict[str, set[str]]:
    """Return the tests that pytest finds in the files of those named, each with the marks that let it off."""
    files = sorted({test.partition("::")[0] for test in tests})
    files = [name for name in files if (root / name).is_file()]
    found = Collected()
    if files:
        words = ["--collect-only", "-qq", "--no-header", "--no-summary", f"--rootdir={root}", "-p", "no:randomly"]
        pytest.main([*words, *(str(root / name) for name in files)], plugins=[found])
    return found.marks


def run(tests: Iterable[str], root: Path, results: Path, workers: str) -> None:
    """Run the named tests, and leave what became of them in a JUnit file; pytest's own words go to stderr."""
    words = [sys.executable, "-m", "pytest", "-n", workers, f"--junitxml={results}", "--timeout", "3600"]
    subprocess.run([*words, *sorted(set(tests))], cwd=root, check=False, stdout=sys.stderr)


class BadResults(Exception):
    """A file of results that cannot be read; the text says what to do."""


def read(results: Path) -> dict[str, list[str]]:
    """Return what became of each test in a JUnit file, once for each set of parameters: passed, skipped or failed.

    Raises `BadResults` where there is no such file, or it is not one that a run of tests left.
    """
    found: dict[str, list[str]] = {}
    for case in _cases(results):
        name = f"{case.get('classname', '')}.{case.get('name', '').partition('[')[0]}"
        ends = {child.tag for child in case} & {"skipped", "failure", "error"}
        end = "passed" if not ends else "skipped" if ends == {"skipped"} else "failed"
        found.setdefault(name, []).append(end)
    return found


_MAKE_IT = "Make it with: make test TEST_FLAGS=--junitxml=results.xml, then make requirements RESULTS=results.xml."


def _cases(results: Path) -> list[ElementTree.Element]:
    try:
        root = ElementTree.parse(results).getroot()
    except FileNotFoundError:
        raise BadResults(f"{results}: there is no such file. {_MAKE_IT}") from None
    except OSError as error:
        raise BadResults(f"{results}: cannot be read ({error.strerror}). {_MAKE_IT}") from None
    except ElementTree.ParseError:
        raise BadResults(f"{results}: is no whole JUnit file; the run may have been cut off. {_MAKE_IT}") from None
    if root.tag not in {"testsuites", "testsuite"}:
        raise BadResults(f"{results}: holds no results of tests. {_MAKE_IT}")
    return list(root.iter("testcase"))


def junit_name(test: str) -> str:
    """Return what a JUnit file calls `file::function`."""
    file, _, rest = test.partition("::")
    return ".".join((*PurePosixPath(file).with_suffix("").parts, *rest.split("::")))
