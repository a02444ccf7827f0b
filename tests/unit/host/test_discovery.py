"""Plugins are found, read and hashed without running a line of theirs; start-up files that run code are refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.host.discovery import Allowed, PluginError, content_hash, find_plugins

MANIFEST = """
sdk = "{sdk}"
name = "{name}"
version = "{version}"
owner = "o"
summary = "s"
[connectors.cc]
title = "C"
transport = "rest"
mapping = "m/1"
accepts = ["contact"]
levels = ["L1"]
answers = ["sync"]
idempotency = {{ key = "header", partner_dedupes = true }}
"""


def install(site: Path, name: str = "hostile", *, code: str | None = None, sdk: str = "1", says: str = "1.0") -> Path:
    """Install a distribution whose every module would leave a file behind if it ran; returns its package."""
    trap = f"open({str(site / 'RAN')!r}, 'a').write(__name__)\n"
    package, metadata = site / f"hub_{name}", site / f"hub_{name}-1.0.dist-info"
    package.mkdir(parents=True)
    metadata.mkdir()
    (package / "__init__.py").write_text(trap)
    (package / "connector.py").write_text(code or trap)
    (package / "manifest.toml").write_text(MANIFEST.format(sdk=sdk, name=name, version=says))
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hub-{name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[hub.connectors]\n{name} = hub_{name}.connector\n")
    (metadata / "RECORD").write_text("".join(f"hub_{name}/{f.name},,\n" for f in package.iterdir()))
    return package


def only(site: Path, *allowed: Allowed):
    (found,) = find_plugins(allowed, [str(site)])
    return found


def test_th08_a_hostile_distribution_that_is_installed_and_not_listed_runs_no_line(tmp_path: Path) -> None:
    """TH08: present on the search path of an interpreter that looks for plugins, and of the search itself."""
    # given a distribution that leaves a trace when imported
    install(tmp_path)
    # when plugins are looked for here, and in a fresh interpreter that has it on its path
    found = only(tmp_path)
    code = (
        "import sys; sys.path.append(sys.argv[1]); from hub.host.discovery import find_plugins; print(find_plugins([]))"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    # then it is seen, refused with the reason, and not one line of it ran
    assert (found.status, found.why, found.distribution) == ("unlisted", "not-on-the-allow-list", "hub-hostile")
    assert "hostile" in said.stdout
    assert not (tmp_path / "RAN").exists()
    assert "hub_hostile" not in sys.modules


def test_a_listed_plugin_is_allowed_with_exactly_its_version_and_files(tmp_path: Path) -> None:
    # given a listed plugin
    package = install(tmp_path)
    listed = Allowed("hostile", "1.0", content_hash(package))
    found = only(tmp_path, listed)
    assert (found.status, found.why, found.folder) == ("allowed", "", package)
    assert found.manifest is not None
    assert only(tmp_path, Allowed("hostile", "1.1", listed.sha256)).why == "version"
    # when one byte of it changes, or a file is added
    for file in (package / "connector.py", package / "added.txt"):
        before = file.read_bytes() if file.exists() else None
        file.write_bytes(b"#")
        # then it is no longer the one that was listed
        assert (only(tmp_path, listed).status, only(tmp_path, listed).why) == ("changed", "files")
        file.unlink() if before is None else file.write_bytes(before)
    # and compiled copies make no difference
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "connector.cpython-311.pyc").write_bytes(b"x")
    assert only(tmp_path, listed).status == "allowed"
    # but what an import statement could reach in their folder does
    for name in ("more.py", "more.pyc", "more.so"):
        (package / "__pycache__" / name).write_bytes(b"x")
        assert only(tmp_path, listed).why == "files"
        (package / "__pycache__" / name).unlink()


def test_the_hash_tells_a_moved_file_from_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    hashes = set()
    for number, (name, content) in enumerate([("a", b"bc"), ("ab", b"c"), ("a", b"b"), ("b", b"bc")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_bytes(content)
        hashes.add(content_hash(folder))
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda package: (package / "manifest.toml").unlink(), "manifest-missing"),
        (lambda package: (package / "manifest.toml").write_text("= broken"), "manifest-invalid"),
        (lambda package: (package / "manifest.toml").write_text('sdk = "1"'), "manifest-invalid"),
        (lambda package: (package / "link.py").symlink_to("/etc/hosts"), "symbolic-link"),
        (lambda package: (package / "__init__.py").unlink(), "not-a-package"),
        (
            lambda package: (package.parent / "hub_hostile-1.0.dist-info" / "RECORD").write_text("other/x.py,,\n"),
            "files-outside-package",
        ),
    ],
)
def test_a_broken_plugin_is_shown_as_such_with_the_reason(tmp_path: Path, change, why: str) -> None:
    package = install(tmp_path)
    change(package)
    found = only(tmp_path)
    assert (found.status, found.why) == ("broken", why)
    assert not (tmp_path / "RAN").exists()


def test_a_plugin_of_another_sdk_or_with_another_s_manifest_is_told_apart(tmp_path: Path) -> None:
    # given a plugin for the next SDK, one whose manifest has fields of that SDK, and one with another's manifest
    install(tmp_path / "a", sdk="2")
    package = install(tmp_path / "c", sdk="2")
    (package / "manifest.toml").write_text('sdk = "2.1"\nnew_field = true\n')
    install(tmp_path / "b", says="9.9")
    assert only(tmp_path / "a").status == "other-sdk"
    assert only(tmp_path / "c").status == "other-sdk"
    assert only(tmp_path / "b").why == "manifest-of-another"


def test_two_distributions_under_one_name_are_both_refused(tmp_path: Path) -> None:
    # given a listed plugin, and another distribution that takes its name
    package = install(tmp_path / "a", "hostile")
    install(tmp_path / "b", "copycat")
    (tmp_path / "b" / "hub_copycat-1.0.dist-info" / "entry_points.txt").write_text(
        "[hub.connectors]\nhostile = hub_copycat.connector\n"
    )
    listed = Allowed("hostile", "1.0", content_hash(package))
    found = find_plugins([listed], [str(tmp_path / "a"), str(tmp_path / "b")])
    assert [(plugin.status, plugin.why) for plugin in found] == [("broken", "name-twice")] * 2


def test_content_hash_refuses_a_link(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(tmp_path)
    with pytest.raises(PluginError, match="symbolic-link"):
        content_hash(tmp_path)
