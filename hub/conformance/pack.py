"""A connector pack as it lies on disk: found by name or folder, read and, when not installed, laid out for a host."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from hub.host.discovery import GROUP, PluginError, content_hash, find_plugins
from hub.sdk.manifest import Manifest, read_manifest

#: A requirement begins with the name of what is required.
_REQUIRED = re.compile(r"[A-Za-z0-9._-]+")


class NoPack(Exception):
    """There is no pack to try; the message says what is missing and where."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack's parts; `paths` are folders a host needs to find it, none for one that is installed."""

    name: str
    version: str
    distribution: str
    module: str
    package: Path
    manifest: Manifest
    readme: Path
    readme_text: str
    requires: tuple[str, ...]
    paths: tuple[str, ...] = ()

    @property
    def manifest_file(self) -> Path:
        """Where its manifest is."""
        return self.package / "manifest.toml"

    @property
    def sha256(self) -> str:
        """The content hash that an allow-list would name."""
        return content_hash(self.package)


def installed_packs() -> list[str]:
    """Return the names of every connector pack installed here; none is imported."""
    return [plugin.name for plugin in find_plugins([])]


def find_pack(name: str, stage: Path) -> Pack:
    """Return an installed pack by name, or one in a folder; raises `NoPack`.

    A folder is laid out in `stage` as an installer would, so that a host finds it before one that is installed.
    """
    root = Path(name)
    if (root / "pyproject.toml").is_file():
        return _in_folder(root.resolve(), stage)
    return installed_pack(name)


def installed_pack(name: str) -> Pack:
    """Return the installed pack of a name, whatever folder of that name there is here; raises `NoPack`."""
    for distribution in distributions():
        for entry in distribution.entry_points:
            if entry.group == GROUP and entry.name == name:
                return _installed(distribution, name)
    raise NoPack(f"{name} is neither an installed pack nor a folder with a pyproject.toml")


def _installed(distribution: Distribution, name: str) -> Pack:
    plugin = next(each for each in find_plugins([]) if each.name == name)
    if plugin.folder is None or plugin.manifest is None:
        raise NoPack(f"the pack {name} is broken: {plugin.why}")
    (module,) = [entry.value.partition(":")[0] for entry in distribution.entry_points if entry.group == GROUP]
    readme = plugin.folder.parent / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else str(distribution.metadata["Description"] or "")
    requires = tuple(_name(each) for each in distribution.requires or ())
    return Pack(name, plugin.version, distribution.name, module, plugin.folder, plugin.manifest, readme, text, requires)


def _in_folder(root: Path, stage: Path) -> Pack:
    project = _project(root)
    points = project.get("entry-points", {}).get(GROUP, {})
    if len(points) != 1:
        raise NoPack(f'{root / "pyproject.toml"} has to name one connector module under entry-points."{GROUP}"')
    ((name, value),) = points.items()
    module = value.partition(":")[0]
    package = root / module.partition(".")[0]
    try:
        manifest = read_manifest(package / "manifest.toml")
    except (OSError, ValueError) as error:
        raise NoPack(f"{package / 'manifest.toml'} cannot be read: {error}") from None
    if any(each.name == name and each.folder == package for each in find_plugins([])):
        return installed_pack(name)
    _lay_out(project, package, stage, name, value)
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    requires = tuple(_name(each) for each in project.get("dependencies", ()))
    distribution, version = str(project["name"]), str(project["version"])
    return Pack(name, version, distribution, module, package, manifest, readme, text, requires, (str(root), str(stage)))


def _project(root: Path) -> dict[str, Any]:
    try:
        project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        _ = project["name"], project["version"]
    except (ValueError, KeyError) as error:
        raise NoPack(f"{root / 'pyproject.toml'} has no [project] with name and version: {error}") from None
    return project


def _lay_out(project: dict[str, Any], package: Path, stage: Path, name: str, value: str) -> None:
    """Write what an installer would say of the pack, beside nothing of it: its code stays where it is."""
    try:
        content_hash(package)
    except PluginError as error:
        raise NoPack(f"{package} cannot be a pack: {error}") from None
    folder = stage / f"{str(project['name']).replace('-', '_')}-{project['version']}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (folder / "METADATA").write_text(head, encoding="utf-8")
    (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {value}\n", encoding="utf-8")


def _name(requirement: str) -> str:
    found = _REQUIRED.match(requirement)
    return found[0].lower().replace("_", "-") if found else requirement
