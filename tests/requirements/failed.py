"""Names the few files in which a test failed, so that they are run once more alone, and keeps what came of that.

A busy machine can fail a test that is right. What passes at its second try is said, never hidden: it may be a fault.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

#: More than this is no chance.
FEW = 5
_FAULTS = frozenset({"failure", "error"})


def failed(results: Path, root: Path) -> list[str]:
    """Return the files of the tests that failed, if all are found and they are few; else nothing."""
    names = {
        case.get("classname", "") for case in _cases(ElementTree.parse(results)) if _FAULTS & {c.tag for c in case}
    }
    found = {name: _file(name, root) for name in names}
    if not names or None in found.values():
        return []
    files = sorted({str(path) for path in found.values()})
    return files if len(files) <= FEW else []


def _file(name: str, root: Path) -> Path | None:
    """Return the file that a dotted name begins with: after it a class may follow."""
    parts = name.split(".")
    ends = (Path(*parts[:end]).with_suffix(".py") for end in range(len(parts), 0, -1))
    return next((path for path in ends if (root / path).is_file()), None)


def keep(results: Path, again: Path) -> list[str]:
    """Put what came of the second run in place of the first, and return the tests that passed only then."""
    tree, second = ElementTree.parse(results), {_key(case): case for case in _cases(ElementTree.parse(again))}
    only_then = []
    for suite in tree.iter("testsuite"):
        for index, case in enumerate(list(suite)):
            if case.tag == "testcase" and (newer := second.get(_key(case))) is not None:
                if _FAULTS & {child.tag for child in case} and not _FAULTS & {child.tag for child in newer}:
                    only_then.append(".".join(_key(case)))
                suite[index] = newer
    tree.write(results, encoding="utf-8")
    return only_then


def _cases(tree: ElementTree.ElementTree[ElementTree.Element]) -> Iterator[ElementTree.Element]:
    yield from tree.iter("testcase")


def _key(case: ElementTree.Element) -> tuple[str, str]:
    return case.get("classname", ""), case.get("name", "")


def main() -> int:
    """Print the files to run once more, or with a second run's results, the tests that passed only then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--again", type=Path, help="the results of the second run")
    asked = parser.parse_args()
    lines = keep(asked.results, asked.again) if asked.again else failed(asked.results, Path())
    print(*lines, sep="\n", end="\n" if lines else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
