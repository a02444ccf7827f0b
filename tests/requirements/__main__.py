"""Print which requirements and threats are proved, and by which tests; ends with 1 when a claimed one is not."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from tests.requirements import collection, page
from tests.requirements.asserting import Suite
from tests.requirements.claims import FILE, ROOT, BadClaims, read
from tests.requirements.history import growth


def main(words: list[str] | None = None, root: Path = ROOT) -> int:
    """Judge the claims below `root`, print the page, and return the exit code."""
    asked = _parser().parse_args(words)
    try:
        claims = read((root / FILE).read_text(encoding="utf-8"))
    except BadClaims as error:
        print(f"{FILE}: {error}", file=sys.stderr)
        return 1
    every = {test for _, test in claims.pairs}
    with redirect_stdout(sys.stderr):
        found = collection.collect(every, root)
        try:
            ends = None if asked.no_run else _ends(every & set(found), root, asked.results, asked.workers)
        except collection.BadResults as error:
            print(error)
            return 2
    findings = page.judge(claims, Suite(root), found, ends)
    past = growth(claims, root)
    ran = ends is not None
    if asked.json:
        print(page.as_json(findings, ran=ran, compared=past.compared, dropped=past.dropped))
    else:
        print(*page.lines(findings, ran=ran), sep="\n")
        print(*(f"dropped without a word: {name} {test}" for name, test in past.dropped), sep="\n", end="")
        print(f"\nClaims only grow: {past.compared}.")
        print(page.last_line(findings))
    return int(bool(past.dropped) or any(finding.problems for finding in findings))


def _ends(tests: set[str], root: Path, results: Path | None, workers: str) -> dict[str, list[str]]:
    if results is not None:
        return collection.read(results)
    if not tests:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "results.xml"
        collection.run(tests, root, made, workers)
        return collection.read(made) if made.exists() else {}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make requirements", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the page for a program")
    parser.add_argument("--workers", default="auto", help="how many processes run the tests")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--no-run", action="store_true", help="look at the claims and the tests, and run none")
    how.add_argument("--results", type=Path, help="a JUnit file of a run that has been: run none again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
