"""A pack is made by one command, passes as it is made, and is installed without any of it running (TH08)."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.conformance.pack import find_pack, installed_packs
from hub.conformance.quality import faults
from hub.conformance.run import trying
from hub.conformance.scaffold import make_pack, transports
from hub.conformance.wheel import NotInstallable, look_into, make_wheel
from hub.host.loader import locate
from hub.host.wire import Configure


@pytest.mark.parametrize("transport", transports())
def test_a_pack_passes_every_check_as_it_is_made(tmp_path: Path, transport: str) -> None:
    # given a pack of each transport, made and not installed
    folder = make_pack("river-trust", transport, tmp_path)
    # when it is tried
    with trying(str(folder)) as tried:
        results = tried.run_all()
        # then nothing fails, and what it says of itself is so
        assert [each for each in results if each.state == "failed"] == []
        assert faults(tried.pack.package, results) == []
    assert sum(each.state == "passed" for each in results) >= (20 if transport == "email" else 40)


@pytest.mark.parametrize("name", ["River", "a--b", "-a", "a_b", "../x", "", "a" * 41])
def test_a_name_that_is_none_makes_nothing(tmp_path: Path, name: str) -> None:
    told = CliRunner().invoke(app, ["connector", "new", "--transport", "rest", "--in", str(tmp_path), "--", name])
    assert told.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_pack_is_made_where_there_is_none_yet(pack: Path) -> None:
    told = CliRunner().invoke(app, ["connector", "new", "river-trust", "--transport", "rest", "--in", str(pack.parent)])
    assert told.exit_code == 1
    assert "is there already" in told.stderr


def test_th08_a_wheel_is_made_and_read_without_running_the_pack(pack: Path, tmp_path: Path) -> None:
    # given a pack that would leave a trace if any of it ran
    trace = tmp_path / "ran"
    connector = pack / "hub_river_trust/__init__.py"
    connector.write_text(f"open({str(trace)!r}, 'w')\n", encoding="utf-8")
    # when its wheel is made and looked into
    wheel = make_wheel(find_pack(str(pack), tmp_path / "stage"), tmp_path)
    # then it names the pack, holds its package only, and nothing ran
    assert look_into(wheel) == "river-trust"
    assert not trace.exists()


@pytest.mark.parametrize("stray", ["evil.pth", "other/__init__.py", "x-0.1.0.data/scripts/run", "sitecustomize.py"])
def test_th08_a_wheel_that_would_run_outside_a_host_is_refused(pack: Path, tmp_path: Path, stray: str) -> None:
    wheel = make_wheel(find_pack(str(pack), tmp_path / "stage"), tmp_path)
    with zipfile.ZipFile(wheel, "a") as content:
        content.writestr(stray, "import os\n")
    with pytest.raises(NotInstallable, match="outside its package"):
        look_into(wheel)


def test_th08_a_wheel_with_an_entry_point_of_another_group_is_refused(pack: Path, tmp_path: Path) -> None:
    made = make_wheel(find_pack(str(pack), tmp_path / "stage"), tmp_path)
    other = tmp_path / "other.whl"
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            more = b"[pytest11]\nx = hub_river_trust\n" if name.endswith("entry_points.txt") else b""
            new.writestr(name, old.read(name) + more)
    with pytest.raises(NotInstallable, match="and nothing else"):
        look_into(other)


def test_th08_an_unlisted_wheel_is_never_imported_until_it_is_pinned(pack: Path, tmp_path: Path) -> None:
    # given an environment of its own that sees the hub, and a pack that leaves a trace when it runs
    trace = tmp_path / "ran"
    (pack / "hub_river_trust/__init__.py").write_text(f"open({str(trace)!r}, 'w')\n", encoding="utf-8")
    wheel = make_wheel(find_pack(str(pack), tmp_path / "stage"), tmp_path)
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as content:
        content.extractall(site)
    # when the hub lists, pins and lists again, in a process that finds the pack
    hub = "import sys; sys.path.insert(0, sys.argv.pop(1)); from hub.cli.main import main; main()"
    instance = str(tmp_path / "instance")

    def run(*words: str) -> str:
        command = [sys.executable, "-c", hub, str(site), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("init", instance)
    before = run("connector", "ls", "--dir", instance)
    run("connector", "pin", "river-trust", "--yes", "--dir", instance)
    after = run("connector", "ls", "--dir", instance)
    # then it was unlisted, is allowed by the hash of its files, and still nothing of it ran
    assert "unlisted" in next(line for line in before.splitlines() if line.startswith("river-trust"))
    assert "allowed" in next(line for line in after.splitlines() if line.startswith("river-trust"))
    assert not trace.exists()
    # and a file that changes afterwards takes the leave away
    (site / "hub_river_trust/reading.py").write_text("", encoding="utf-8")
    assert "changed" in next(
        line for line in run("connector", "ls", "--dir", instance).splitlines() if line.startswith("river-trust")
    )


def test_a_pack_is_installed_from_beside_its_folder_and_then_upgraded(pack: Path, tmp_path: Path, monkeypatch) -> None:
    # given a place of its own to install to, and somebody who stands beside the folder, as the page has it
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setenv("PIP_TARGET", str(site))
    monkeypatch.setenv("PIP_UPGRADE", "1")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(pack.parent)
    for version in ("0.1.0", "0.2.0"):
        for file in (pack / "pyproject.toml", pack / "hub_river_trust/manifest.toml"):
            file.write_text(file.read_text(encoding="utf-8").replace("0.1.0", version, 1), encoding="utf-8")
        # when it is installed by its folder, and then again with the next version
        told = CliRunner().invoke(app, ["connector", "install", "./river-trust"])
        # then it says so, and it is so
        assert (told.exit_code, told.stderr.count("hub:")) == (0, 0), told.output
        assert "river-trust is installed" in told.stdout
        assert "river-trust" in installed_packs()
        assert len(list(site.glob(f"hub_river_trust-{version}.dist-info"))) == 1


def test_a_folder_is_tried_where_an_older_pack_is_installed(pack: Path, tmp_path: Path, monkeypatch) -> None:
    # given an installed pack, and the folder of the next one
    site = tmp_path / "site"
    with zipfile.ZipFile(make_wheel(find_pack(str(pack), tmp_path / "stage"), tmp_path)) as content:
        content.extractall(site)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    assert "river-trust" in installed_packs()
    # when the folder is to be tried, and a host looks for it
    found = find_pack(str(pack), tmp_path / "stage")
    host = Configure("c", "river-trust", found.name, found.distribution, {}, {}, paths=found.paths)
    _, folder = locate(host)
    # then the kit reads the folder, and the host would run its code
    assert (found.package, folder) == (pack / "hub_river_trust", pack / "hub_river_trust")
