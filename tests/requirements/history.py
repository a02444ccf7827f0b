"""What was claimed before, as git remembers it: claims only grow."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.requirements.claims import FILE, BadClaims, Claims, read


@dataclass(frozen=True, slots=True)
class Growth:
    """What was dropped without a word, and how much of the past was there to compare with."""

    dropped: tuple[tuple[str, str], ...]
    compared: str


def growth(now: Claims, root: Path, file: Path = FILE) -> Growth:
    """Compare claims with every committed version of their file."""
    asked = _git(root, "log", "--format=%H", "--", str(file))
    if asked is None:
        return Growth((), "the past was not looked at: there is no git history here")
    past: set[tuple[str, str]] = set()
    commits = asked.split()
    for commit in commits:
        past |= _claimed_at(root, commit, file)
    shallow = (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    said = f"compared with {len(commits)} earlier versions"
    if shallow:
        said += ", of a clone that holds only the newest commits"
    return Growth(tuple(sorted(past - now.pairs - now.withdrawn)), said)


def _claimed_at(root: Path, commit: str, file: Path) -> frozenset[tuple[str, str]]:
    text = _git(root, "show", f"{commit}:{file}")
    try:
        return read(text).pairs if text else frozenset()
    except BadClaims:  # a version that could not be read claimed nothing
        return frozenset()


def _git(root: Path, *words: str) -> str | None:
    command = ["git", "-c", f"safe.directory={root}", *words]
    try:
        return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
