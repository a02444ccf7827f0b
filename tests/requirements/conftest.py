"""A small tree of claims and tests to try the proof page on, run as a person would."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.requirements.claims import FILE, REQUIREMENTS, ROOT, THREATS

_RUN = """
import sys
from pathlib import Path
from tests.requirements.__main__ import main
sys.exit(main(sys.argv[2:], Path(sys.argv[1])))
"""


@dataclass(slots=True)
class Tree:
    """A tree in which everything is unclaimed until a test claims it."""

    root: Path
    claimed: dict[str, list[str]] = field(default_factory=dict)
    ending: str = ""  #: what stands at the end of the claims file

    def test(self, code: str, name: str = "test_r12_some.py") -> None:
        """Write a file of tests."""
        (self.root / "tests").mkdir(exist_ok=True)
        (self.root / "tests" / name).write_text(code, encoding="utf-8")

    def claim(self, name: str, *tests: str) -> None:
        """Claim a requirement by tests, and write the claims file."""
        self.claimed[name] = list(tests)
        each = (f'[{n}]\ntitle = "t"\ntests = {self.claimed.get(n, [])}\n' for n in (*REQUIREMENTS, *THREATS))
        (self.root / FILE).parent.mkdir(parents=True, exist_ok=True)
        (self.root / FILE).write_text("\n".join(each) + self.ending, encoding="utf-8")

    def page(self, *words: str) -> tuple[int, str]:
        """Print the page; return the exit code and all that was said."""
        command = [sys.executable, "-c", _RUN, str(self.root), "--workers", "0", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr * (not done.stdout)

    def commit(self) -> None:
        """Commit everything."""
        who = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false")
        for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "More")):
            subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty tree, outside any repository."""
    return Tree(tmp_path)
