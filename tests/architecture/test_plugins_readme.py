"""What partner IT reads of connectors is so: its commands exist, its code runs, its tables name what there is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from hub import sdk
from hub.cli.main import app
from hub.conformance.scaffold import TEMPLATES
from hub.conformance.trial import Trial
from hub.domain.contact import NOTES, STATEMENTS
from hub.domain.outcome import Outcome
from hub.domain.share import Category
from hub.sdk.manifest import ConnectorManifest, Idempotency, Limits, Manifest, Window

PAGES = ["plugins/README.md", "mappings/README.md"]


def page(root: Path, name: str = PAGES[0]) -> str:
    """Return one of the pages."""
    return (root / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the code that a page shows in a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def hub_commands(text: str) -> list[list[str]]:
    """Return the words of every `hub …` command, in blocks and in sentences."""
    lines = [line for block in blocks(text, "sh") for line in block.splitlines()] + re.findall(r"`(hub [^`\n]+)`", text)
    return [line.partition("#")[0].split()[1:] for line in lines if line.startswith("hub ")]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_named_exists_with_its_options(root: Path, name: str) -> None:
    for said in hub_commands(page(root, name)):
        words = said
        command: Any = typer.main.get_command(app)
        while isinstance(command, TyperGroup) and words:
            assert words[0] in command.commands, words
            command, words = command.commands[words[0]], words[1:]
        known = {option for each in command.params for option in each.opts}
        assert {word for word in words if word.startswith("-")} <= known, words


def test_the_first_commands_do_what_the_page_says(root: Path, tmp_path: Path, monkeypatch) -> None:
    # given an empty folder
    monkeypatch.chdir(tmp_path)
    new, *_ = hub_commands(page(root))
    # when the first command is run as it stands, and the README's table is written
    made = CliRunner().invoke(app, new)
    written = CliRunner().invoke(app, ["connector", "readme", "./river-trust"])
    # then the pack is there, with every file that the page names
    assert (made.exit_code, written.exit_code) == (0, 0), made.output + written.output
    named = re.findall(
        r"(?m)^\| `([^`]+)`", page(root).partition("The partner's interface")[0].partition("what to change")[2]
    )
    assert len(named) >= 8
    assert [name for name in named if not (tmp_path / "river-trust" / name).exists()] == []


def test_the_connector_on_the_page_runs(root: Path) -> None:
    # given the first piece of code on the page
    sample: dict[str, Any] = {"__name__": "sample"}
    exec(compile(blocks(page(root), "python")[0], "plugins/README.md", "exec", dont_inherit=True), sample)
    offered: dict[str, type[sdk.Connector[Any]]] = {}
    # when it is registered and made
    sample["register_connectors"](offered.__setitem__)
    made = offered["river-trust"](sample["RiverTrustSettings"](base_url="https://partner.example"))
    # then it is a connector with what the contract asks for
    assert isinstance(made, sdk.Connector)
    assert {"check", "deliver"} <= set(vars(type(made)))


def test_the_test_on_the_page_is_the_one_that_a_new_pack_gets(root: Path) -> None:
    shown = blocks(page(root), "python")[1]
    assert shown == (TEMPLATES / "every/tests/test_conformance.py.txt").read_text(encoding="utf-8")


def test_the_page_names_every_method_outcome_and_field(root: Path) -> None:
    text = page(root)
    methods = ("check", "deliver", "reconcile", "parse_callback", "collect", "acknowledge")
    outcomes = [each.__name__ for each in Outcome.__args__]
    fields = [each.name for each in dataclasses.fields(sdk.Parcel)]
    assert [name for name in (*methods, *outcomes) if f"`{name}(" not in text] == []
    assert [name for name in fields if f"`{name}`" not in text] == []
    trial = {"echoes", "refusal", "parcel_path"}
    assert trial <= set(Trial.model_fields)
    assert [name for name in trial if f"`{name}`" not in text] == []


def test_the_page_names_every_key_of_a_manifest_and_no_other(root: Path) -> None:
    # given the part about the manifest, and the keys that its tables explain
    part = page(root).partition("### The manifest")[2].partition("\n### ")[0]
    known = {key for of in (Manifest, ConnectorManifest, Idempotency, Limits, Window) for key in of.model_fields}
    # then each is named, and each row is of keys that there are
    assert sorted(key for key in known if not re.search(rf"[`{{ []{key}[` =.]", part)) == []
    rows = re.findall(r"(?m)^\| (`[^|]+`) \|", part)
    assert len(rows) >= 15
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} <= set(ConnectorManifest.model_fields)


def test_the_page_on_mappings_names_every_category_and_what_is_said_of_contact(root: Path) -> None:
    text = page(root, "mappings/README.md")
    assert [name for name in (*Category, *STATEMENTS, *NOTES) if f"`{name}`" not in text] == []
