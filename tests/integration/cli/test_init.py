"""`hub init` writes an instance that starts without editing, is nobody else's, and overwrites nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from hub import config, partnership
from hub.bootstrap import find_plugins
from hub.cli.main import app
from hub.security.keys import KeyRing
from hub.security.webhooks import new_secret


def run(*words: str, **environment: str):
    """Run the command line."""
    return CliRunner().invoke(app, list(words), env=environment)


def test_a_new_instance_loads_and_says_what_to_do_next(tmp_path) -> None:
    folder = tmp_path / "here"

    result = run("init", str(folder))

    assert result.exit_code == 0
    assert f"hub serve --dir {folder}" in result.stdout
    assert config.load(folder).hub.profile == "embedded"
    assert KeyRing.load(folder / "keys").active_kid


def test_the_next_steps_come_in_order_and_run_as_they_are_printed(tmp_path, monkeypatch) -> None:
    # given a shell that does not know the command
    monkeypatch.setenv("PATH", "/usr/bin")
    folder = tmp_path / "here"
    steps = json.loads(run("init", str(folder), "--json").stdout)["next"]

    # then partners come first, a connector and a service before the start
    marks = ("partnerships/local.toml", "connector ls", "connector allow", "services/", "directory approve", " serve ")
    assert [next(n for n, step in enumerate(steps) if mark in step) for mark in marks] == [0, 1, 2, 3, 4, 5]

    # and a printed command runs
    command = steps[1].partition(": ")[2]
    done = subprocess.run(command.split(), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.split()[0]) == (0, "PLUGIN")


def test_nobody_else_can_read_any_of_it(tmp_path) -> None:
    folder = tmp_path / "here"
    run("init", str(folder))

    modes = {path: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert {path.name for path, mode in modes.items() if mode & 0o077} == set()
    assert modes[folder] == 0o700
    assert modes[folder / "data" / "hub.db"] == 0o600


def test_a_second_time_changes_nothing(tmp_path) -> None:
    folder = tmp_path / "here"
    run("init", str(folder))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    result = run("init", str(folder))

    assert result.exit_code == 1
    assert "is there already" in result.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", ["file", "full folder"])
def test_what_is_there_already_is_left_alone(tmp_path, kind) -> None:
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine").write_text("mine")

    assert run("init", str(place)).exit_code == 1
    assert (place if kind == "file" else place / "mine").read_text() == "mine"


def test_an_empty_folder_is_taken_and_closed_to_others(tmp_path) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o755)

    assert run("init", str(place)).exit_code == 0
    assert place.stat().st_mode & 0o777 == 0o700


def test_the_folder_may_come_from_the_environment_and_the_report_as_json(tmp_path) -> None:
    result = run("init", "--json", HUB_DIR=str(tmp_path / "there"))

    document = json.loads(result.stdout)
    assert (result.exit_code, document["folder"]) == (0, str(tmp_path / "there"))
    assert {name for name in document["written"] if not (tmp_path / "there" / name).exists()} == set()


def test_the_service_profile_is_written_and_makes_no_database(tmp_path) -> None:
    folder = tmp_path / "there"

    result = run("init", str(folder), "--profile", "service")

    assert result.exit_code == 0
    assert "Edit" in result.stdout
    assert config.load(folder).hub.profile == "service"
    assert list((folder / "data").iterdir()) == []


def test_an_unknown_profile_is_a_usage_error(tmp_path) -> None:
    assert run("init", str(tmp_path / "there"), "--profile", "huge").exit_code == 2
    assert not (tmp_path / "there").exists()


PARTNERS = {
    "council-housing": "council",
    "nhs-service": "nhs-trust",
    "childrens-front-door": "childrens-services",
    "probation-office": "probation",
    "floating-support": "your-council",
}


@pytest.mark.parametrize("name", PARTNERS)
def test_every_example_is_a_service_once_its_partner_and_secrets_are_there(empty, name) -> None:
    # given an instance that allows every installed pack, as the examples tell
    for plugin in ("housing", "health-fhir", "childrens-lcs", "mailbox", "probation"):
        assert empty.hub("connector", "allow", plugin, "--yes").exit_code == 0
    example = empty.folder / "services" / f"{name}.toml.example"
    shutil.copy(example, example.with_suffix(""))
    partner = PARTNERS[name]
    champion = (
        '{ id = "champion", name = "Champion Name", email = "champion@daycentre.example", working_days = ["mon"] }'
    )
    added = f'\n[[partners]]\nid = "{partner}"\nname = "P"\nkind = "health"\nchampion = {champion}\n'
    contact = '{ id = "champion", name = "Champion Name", email = "champion@daycentre.example" }'
    added += f'[safeguarding]\ncontact = {contact}\nnumbers = [{{ name = "N", phone = "P" }}]\n'
    file = empty.folder / "partnerships" / "local.toml"
    file.write_text(file.read_text(encoding="utf-8") + added, encoding="utf-8")
    for secret in ("council-client-key.pem", "bars-signing-key.pem", "children-client-key.pem", "probation-code"):
        empty.write(f"secrets/{secret}", "secret-of-some-length")
    for secret in ("council-callback", "children-callback"):
        empty.write(f"secrets/{secret}", new_secret())
    empty.write("clients/bars.jwks.json", '{"keys": []}')
    empty.write("secrets/floating-support-code", "kettle-otter-42")

    # when its connections are listed
    (connection,) = empty.json("connection", "ls")

    # then it is ready, and with its secrets it can be used
    assert (connection["id"], connection["state"], connection["why"]) == (name, "ready", "")
    configuration = config.load(empty.folder)
    assert set(partnership.enable(configuration, find_plugins(configuration))) == {name}


@pytest.mark.parametrize("name", ["council-housing", "nhs-service"])
def test_every_commented_setting_of_an_example_is_one(tmp_path, name) -> None:
    # given an example with its comments taken off, where they hold a setting
    example = partnership.shipped("config") / "services" / f"{name}.toml.example"
    lines = example.read_text(encoding="utf-8").splitlines()
    setting = re.compile(r"# (?=(?:\[\[?[a-z.]+\]\]?|[a-z_]+ = .*)$)")
    taken = "\n".join(setting.sub("", line) for line in lines)

    # when it is read, then every one of them is known
    table = config.ServiceTable.model_validate(tomllib.loads(taken))
    assert table.clocks is not None
    assert table.connection.clocks is not None
    assert table.connection.mapping
    assert table.connection.allow_addresses == ("127.0.0.0/8",)
    assert table.gates


def test_every_setting_there_is_stands_in_a_shipped_file() -> None:
    # given the names of all settings, and what the shipped files say, comments included
    folder = partnership.shipped("config")
    told = "\n".join(file.read_text(encoding="utf-8") for file in folder.rglob("*.toml*"))
    tables = (config.HubSettings, config.PartnershipTable, config.ServiceTable)

    # then each is told of; the demo's and the allow-list's own entries are written by commands
    unknown = {name for table in tables for name in _settings(table) if not re.search(rf"\b{name}\b", told)}
    assert unknown - {"business_start"} == set()


def _settings(table: type[BaseModel]) -> Iterator[str]:
    for name, field in table.model_fields.items():
        yield name
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from _settings(inner)


def test_the_commented_partner_and_client_work_as_they_stand(empty) -> None:
    # given the shipped partnership with its comments taken off
    file = empty.folder / "partnerships" / "local.toml"
    text = file.read_text(encoding="utf-8")
    uncommented = "\n".join(
        line.removeprefix("# ") if "=" in line or line.startswith("# [") else line for line in text.splitlines()
    )
    file.write_text(uncommented, encoding="utf-8")

    # when it is read, then both are there, and the clocks
    found = config.load(empty.folder).partnership
    assert [(client.id, client.partner) for client in found.clients] == [("day-centre-cases", "day-centre")]
    assert found.clients[0].webhook_allow_addresses == ("127.0.0.0/8",)
    assert found.clocks is not None


def test_both_shipped_files_hold_no_secret() -> None:
    for name in ("hub.toml", "service.toml"):
        text = (partnership.shipped("config") / name).read_text(encoding="utf-8")
        assert 'password = "' not in text.replace('password = "file:', "").replace('password = "env:', "")
