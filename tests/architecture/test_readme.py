"""The README says what is so: its commands exist, and its tables are those in the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from hub.cli.main import app


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """Return the README at the top of the tree."""
    return (root / "README.md").read_text(encoding="utf-8")


def commands(text: str, program: str) -> list[list[str]]:
    """Return the words after a program's name, wherever a page shows it as code."""
    shown = re.findall(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block, inline in shown for line in (block or inline).splitlines()]
    return [line.split("#")[0].split()[1:] for line in lines if re.match(rf"(?:\S*/)?{program}\s+\w", line)]


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    text = "Run `make demo`.\n```sh\n$ .venv/bin/hub status --json  # all of it\nmake test\n```\nmake no sense"
    assert commands(text, "make") == [["demo"], ["test"]]
    assert commands(text, "hub") == [["status", "--json"]]


def test_every_make_target_named_exists(root: Path, page: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8")))
    named = {word for words in commands(page, "make") for word in words if re.fullmatch(r"[a-z]+", word)}
    assert named - targets == set()


def test_every_hub_command_named_exists(page: str) -> None:
    unknown = []
    for words in commands(page, "hub"):
        group = typer.main.get_command(app)
        for word in words:
            if not isinstance(group, TyperGroup) or not re.fullmatch(r"[a-z-]+", word) or word.startswith("-"):
                break
            if word not in group.commands:
                unknown.append(" ".join(words))
                break
            group = group.commands[word]
    assert unknown == []


def test_what_is_made_from_the_code_is_up_to_date(root: Path) -> None:
    # when the page's made parts are compared with the code
    checked = subprocess.run(
        [sys.executable, root / "tests/architecture/readme.py", "--check"], capture_output=True, text=True, check=False
    )

    # then they are the same
    assert checked.returncode == 0, checked.stderr


def test_make_lists_every_target_with_a_line(root: Path) -> None:
    # given the targets that a person may ask for
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"(?m)^\.PHONY: (.*)$", makefile)[0].split())

    # when plain make is run
    listed = subprocess.run(["make", "--no-print-directory"], cwd=root, capture_output=True, text=True, check=True)

    # then it lists each
    assert {line.split()[0] for line in listed.stdout.splitlines()[1:]} == phony
