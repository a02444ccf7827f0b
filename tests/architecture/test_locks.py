"""What is installed is exactly what was locked: by version and hash, from no named host."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.txt", "requirements-dev.txt")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")


def pins(lock: Path) -> dict[str, str]:
    """Return the version that a lock file pins each library to."""
    found = (PIN.match(line) for line in lock.read_text(encoding="utf-8").splitlines())
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_carries_a_hash_and_no_line_names_a_host(root: Path, name: str) -> None:
    # given a lock file, one entry for each line that starts in the first column
    text = (root / name).read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]

    # then each is a pin with hashes, and nothing says where it came from
    assert entries
    assert [entry.splitlines()[0] for entry in entries if not PIN.match(entry) or "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_every_dependency_is_locked_at_a_version_it_allows(root: Path) -> None:
    # given what the hub and each plugin say they need
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {"requirements.txt": list(project["project"]["dependencies"]), "requirements-dev.txt": []}
    for extra in project["project"]["optional-dependencies"].values():
        asked["requirements.txt"] += extra
    asked["requirements.txt"] += project["dependency-groups"]["build"]
    asked["requirements-dev.txt"] += project["dependency-groups"]["dev"]
    for plugin in root.glob("plugins/*/pyproject.toml"):
        asked["requirements.txt"] += tomllib.loads(plugin.read_text(encoding="utf-8"))["project"]["dependencies"]

    # when each is looked up in its lock file
    locked = {name: pins(root / name) | {"trusted-person-hub": project["project"]["version"]} for name in LOCKS}
    missing = [
        f"{name}: {need}"
        for name, lines in asked.items()
        for need in map(Requirement, lines)
        if not need.specifier.contains(locked[name].get(canonicalize_name(need.name), "0"))
    ]

    # then it is there
    assert missing == []


def test_tests_run_on_the_versions_that_ship(root: Path) -> None:
    runtime, tools = (pins(root / name) for name in LOCKS)
    assert {name: version for name, version in runtime.items() if tools.get(name) != version} == {}
