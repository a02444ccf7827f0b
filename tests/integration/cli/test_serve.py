"""`hub serve` as a real process: what it says, whom it refuses to run beside, and that it stops when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from hub.cli.serve import refuse_foreign_code, refuse_unfit
from hub.config import load
from hub.courier.reached import as_the_hub
from tests.kernels import needs_namespaces, without_namespaces

STRICT = "\n[isolation]\nstrict = true\n"
COMMAND = [sys.executable, "-m", "hub.cli", "serve", "--json", "--dir"]


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a hub on an instance; yields the process and what it said at the start, once it answers."""
    with subprocess.Popen(
        [*COMMAND, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = ""
        while not said.endswith("\n}\n"):
            line = process.stdout.readline()
            if not line:
                pytest.fail(process.communicate()[1])
            said += line
        opening = json.loads(said)
        _wait_until_it_answers(opening["address"])
        try:
            yield process, opening
        finally:
            process.kill()


def _wait_until_it_answers(address: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            httpx.get(f"{address}/healthz").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("it never answered")


def test_a_new_instance_serves_without_editing_and_stops_cleanly(empty) -> None:
    # given a new instance
    with serving(empty.folder) as (process, opening):
        # then it says what it stands on
        assert opening["address"].startswith("http://127.0.0.1:")
        assert (opening["profile"], opening["broker"], opening["connections"]) == ("embedded", "memory://", [])
        assert opening["isolation"]["level"] in {"own-uid", "namespaces", "landlock", "none"}

        # and it is seen to run by the commands that read
        assert empty.json("status")["running"] is True

        # and its replies do not say what server it is
        assert "server" not in httpx.get(f"{opening['address']}/healthz").headers

        # when it is told to stop
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)

        # then it ends well, and its log is lines of JSON with what happened
        assert process.returncode == 0
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines if line["event"].startswith("hub.")] == ["hub.serving", "hub.stopped"]
    assert [line["logger"] for line in lines if line["event"] == "library.said"] == []
    assert empty.json("status")["running"] is False
    modes = {file.name: file.stat().st_mode & 0o077 for file in (empty.folder / "data").iterdir()}
    assert set(modes.values()) == {0}


def test_each_connection_is_named_with_how_it_stands(instance) -> None:
    # given one connection whose plugin may not run
    instance.write("connectors.toml", "")

    # when the hub starts, then it starts without it, and says why
    with serving(instance.folder) as (_, opening):
        (connection,) = opening["connections"]
        assert (connection["id"], connection["state"]) == ("housing", "not allowed")
        assert "hub connector allow housing" in connection["why"]


def test_a_second_process_on_the_same_file_is_refused(empty) -> None:
    with serving(empty.folder):
        second = subprocess.run([*COMMAND, str(empty.folder)], capture_output=True, text=True, timeout=30, check=False)

    assert (second.returncode, second.stdout) == (1, "")
    assert "another process serves" in second.stderr


def test_a_taken_port_is_named_with_what_to_do(empty) -> None:
    with serving(empty.folder) as (_, opening):
        port = opening["address"].rpartition(":")[2]
        text = (empty.folder / "hub.toml").read_text(encoding="utf-8")
        changed = text.replace("port = 0", f"port = {port}").replace("data/hub.db", "data/other.db")
        empty.write("hub.toml", changed)

        result = empty.hub("serve")

    assert result.exit_code == 1
    assert f"port {port}" in result.stderr
    assert "another port under [listen]" in result.stderr


def test_the_service_profile_refuses_sqlite(empty) -> None:
    text = (empty.folder / "hub.toml").read_text(encoding="utf-8")
    empty.write("hub.toml", text.replace('profile = "embedded"', 'profile = "service"'))

    result = empty.hub("serve")

    assert result.exit_code == 1
    assert "does not run on SQLite" in result.stderr


def test_a_pth_file_that_runs_code_stops_it_and_is_named(tmp_path, capsys) -> None:
    # given a folder of packages where a file runs code in every interpreter
    (tmp_path / "innocent.pth").write_text("/some/folder\n", encoding="utf-8")
    (tmp_path / "surprise.pth").write_text("import os; os.environ\n", encoding="utf-8")

    # when the hub is about to start, then it refuses, naming that file and no other
    with pytest.raises(typer.Exit) as ended:
        refuse_foreign_code([tmp_path])
    said = capsys.readouterr().err
    assert ended.value.exit_code == 1
    assert "surprise.pth" in said
    assert "innocent.pth" not in said


def test_folders_without_such_files_are_fine(tmp_path) -> None:
    (tmp_path / "innocent.pth").write_text("/some/folder\n", encoding="utf-8")

    refuse_foreign_code([tmp_path, tmp_path / "missing"])


@pytest.mark.skipif(os.name != "posix", reason="keys are closed to others by POSIX permissions")
def test_keys_that_others_can_read_stop_it_with_the_fix(empty) -> None:
    (empty.folder / "keys" / "index.key").chmod(0o644)

    result = subprocess.run([*COMMAND, str(empty.folder)], capture_output=True, text=True, timeout=30, check=False)

    assert result.returncode == 1
    assert "chmod 600" in result.stderr
    assert "Traceback" not in result.stderr


def test_th07_it_does_not_start_where_strict_isolation_is_asked_for_and_not_to_be_had(
    empty, monkeypatch, tmp_path, capsys
) -> None:
    # given an instance that asks for it, on a machine that gives no namespaces
    empty.write("hub.toml", (empty.folder / "hub.toml").read_text(encoding="utf-8") + STRICT)
    monkeypatch.setattr(sys, "executable", without_namespaces(tmp_path))
    as_the_hub.cache_clear()
    # when it is started
    with pytest.raises(typer.Exit):
        refuse_unfit(load(empty.folder))
    as_the_hub.cache_clear()
    # then it says what is missing, and what to do
    said = capsys.readouterr().err
    assert "no-namespaces" in said
    assert "user.max_user_namespaces" in said


@needs_namespaces
def test_th07_what_holds_each_connection_is_said_at_the_start_and_by_the_command(instance) -> None:
    # given an instance that asks for strict isolation, and for user ids that this hub may not be able to give
    asked = STRICT + 'uids = "61000-61999"\n'
    instance.write("hub.toml", (instance.folder / "hub.toml").read_text(encoding="utf-8") + asked)
    # when it starts, and when its connections are listed
    with serving(instance.folder) as (_, opening):
        (said,) = opening["connections"]
        (listed,) = instance.json("connection", "ls")
        # then both say how the connection's process is held, and why no better
        held = said["isolation"]
        assert listed["isolation"] == held
        assert (held["level"], held["user"] is None, held["strict"]) in {
            ("own-uid", False, True),
            ("namespaces", True, True),
        }
        assert bool(held["why"]) == (held["user"] is None)
        assert "no network" in instance.hub("connection", "ls").stdout
