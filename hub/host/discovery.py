"""Which connector plugins are installed and which of them may run: found, read and hashed without importing any."""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path, PurePosixPath
from typing import Literal

from hub.sdk.connector import SDK_VERSION
from hub.sdk.manifest import Manifest, read_manifest

GROUP = "hub.connectors"

#: What an interpreter writes beside a source: no import statement can name it, and a host never reads it.
_COMPILED = re.compile(r"\w+\.[\w.-]+\.pyc")

Status = Literal["allowed", "unlisted", "changed", "broken", "other-sdk"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """One line of a partnership's allow-list: this plugin, this version, these exact files (TH08)."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that is installed; only one that is `allowed` may ever be imported. `why` is a code, "" if allowed."""

    name: str
    version: str
    sha256: str
    manifest: Manifest | None
    folder: Path | None
    distribution: str
    status: Status
    why: str = ""


class PluginError(Exception):
    """A distribution that cannot be a plugin; the message is a code."""


def find_plugins(allowed: Iterable[Allowed], path: Sequence[str] | None = None) -> list[Found]:
    """Return every installed plugin by name, each with its standing; nothing of theirs is imported.

    `path` is a module search path (default: this interpreter's).
    """
    search = list(sys.path if path is None else path)
    known = {entry.name: entry for entry in allowed}
    found = [
        _describe(distribution, entry, known.get(entry.name), search)
        for distribution in distributions(path=search)
        for entry in distribution.entry_points
        if entry.group == GROUP
    ]
    names = Counter(plugin.name for plugin in found)
    twice = [
        replace(plugin, status="broken", why="name-twice") if names[plugin.name] > 1 else plugin for plugin in found
    ]
    return sorted(twice, key=lambda plugin: (plugin.name, plugin.distribution))


def package_folder(distribution: Distribution, entry: EntryPoint, path: Sequence[str]) -> Path:
    """Return the folder of a plugin's package; raises `PluginError` unless all its code lies there."""
    top = entry.module.partition(".")[0]
    spec = PathFinder.find_spec(top, list(path))  # path-based only: import hooks of others do not run
    if spec is None or spec.origin is None or Path(spec.origin).name != "__init__.py":
        raise PluginError("not-a-package")
    folder = Path(spec.origin).parent
    for name in distribution.files or ():
        parts = PurePosixPath(name).parts
        if parts[0] != top and not parts[0].endswith(".dist-info") and not _is_editable_link(parts):
            raise PluginError("files-outside-package")
    return folder


def content_hash(folder: Path) -> str:
    """Return the SHA-256 over a package's files and their names; raises `PluginError`.

    Compiled copies are left out: they differ from machine to machine, and a host compiles what it runs (`loader`).
    """
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*"), key=lambda file: file.relative_to(folder).as_posix()):
        relative = file.relative_to(folder)
        if file.is_symlink():
            raise PluginError("symbolic-link")
        if relative.parent.name == "__pycache__" and _COMPILED.fullmatch(file.name):
            continue
        if file.is_file():
            name, content = relative.as_posix().encode(), hashlib.sha256(file.read_bytes()).digest()
            total.update(len(name).to_bytes(4, "big") + name + content)
    return total.hexdigest()


def _describe(distribution: Distribution, entry: EntryPoint, listed: Allowed | None, path: Sequence[str]) -> Found:
    plugin = Found(entry.name, distribution.version, "", None, None, distribution.name, "broken")
    try:
        folder = package_folder(distribution, entry, path)
        plugin = replace(plugin, folder=folder, sha256=content_hash(folder))
        manifest = read_manifest(folder / "manifest.toml")
    except PluginError as error:
        return replace(plugin, why=str(error))
    except OSError:
        return replace(plugin, why="manifest-missing")
    except ValueError:  # also TOML that cannot be read, and a manifest that breaks a rule
        if _other_sdk(folder / "manifest.toml"):
            return replace(plugin, status="other-sdk", why="sdk-version")
        return replace(plugin, why="manifest-invalid")
    status, why = _judge(replace(plugin, manifest=manifest), manifest, listed)
    return replace(plugin, manifest=manifest, status=status, why=why)


def _judge(plugin: Found, manifest: Manifest, listed: Allowed | None) -> tuple[Status, str]:
    if manifest.name != plugin.name or manifest.version != plugin.version:
        return "broken", "manifest-of-another"
    if manifest.sdk.partition(".")[0] != SDK_VERSION:
        return "other-sdk", "sdk-version"
    if listed is None:
        return "unlisted", "not-on-the-allow-list"
    if listed.version != plugin.version:
        return "changed", "version"
    return ("allowed", "") if listed.sha256 == plugin.sha256 else ("changed", "files")


def _other_sdk(path: Path) -> bool:
    """Tell whether a manifest we cannot check names another SDK, whose manifests may have other fields."""
    try:
        sdk = str(tomllib.loads(path.read_text(encoding="utf-8")).get("sdk", SDK_VERSION))
    except ValueError:
        return False
    return sdk.partition(".")[0] != SDK_VERSION


def _is_editable_link(parts: tuple[str, ...]) -> bool:
    # An editable install adds a folder by a .pth file; one that runs code is caught by `hub.host.foreign`.
    return len(parts) == 1 and parts[0].endswith(".pth")
