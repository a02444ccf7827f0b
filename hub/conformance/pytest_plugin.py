"""The kit as a pytest plugin: a test that takes `conformance` runs once for every check of the pack it lies in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hub.conformance.check import Check
    from hub.conformance.run import Trying


#: Stands for all of a pack's connectors where what it says of itself is held against its checks.
_QUALITY = "quality-is-as-it-says"


@dataclass(frozen=True, slots=True)
class Conformance:
    """One check of one connector, ready to run; without a check, what the pack says of its own quality."""

    tried: Trying
    connector: str
    entry: Check | None

    def check(self) -> None:
        """Run it: a fault fails the test, with file, line and fix; what cannot apply is skipped, with the reason."""
        if self.entry is None:
            self._check_quality()
            return
        result = self.tried.run(self.connector, self.entry)
        if result.state == "exempt":
            pytest.skip(f"exempt: {result.why}")
        if result.state == "to do":
            pytest.skip(f"to do: {result.why}")
        if result.state == "failed":
            pytest.fail(f"{result.where}: {result.why}\n    mend it: {result.fix}", pytrace=False)

    def _check_quality(self) -> None:
        from hub.conformance.quality import faults  # noqa: PLC0415 - loaded only where it is used

        found = faults(self.tried.pack.package, self.tried.run_all())
        if found:
            pytest.fail("\n".join(f"{each.where}: {each.rule}: {each.what}" for each in found), pytrace=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `conformance` every check of every connector of its pack."""
    if "conformance" not in metafunc.fixturenames:
        return
    from hub.conformance.check import every_check  # noqa: PLC0415 - loaded only where it is used
    from hub.sdk.manifest import read_manifest  # noqa: PLC0415

    root = pack_root(metafunc.definition.path)
    (manifest,) = root.glob("*/manifest.toml")
    entries = [
        (str(root), connector, each.name) for connector in read_manifest(manifest).connectors for each in every_check()
    ]
    # It runs whatever no other test of this process has run: where tests have a time limit, this one has more.
    more = [pytest.mark.timeout(600)] if metafunc.config.pluginmanager.hasplugin("timeout") else []
    entries.append((str(root), "pack", _QUALITY))
    names = [f"{connector}-{check}" for _, connector, check in entries]
    marked = [pytest.param(each, marks=more if each[2] == _QUALITY else []) for each in entries]
    metafunc.parametrize("conformance", marked, indirect=True, ids=names)


@pytest.fixture(scope="session")
def _packs_tried() -> Iterator[dict[str, Trying]]:
    tried: dict[str, Trying] = {}
    yield tried
    for each in tried.values():
        each.close()


@pytest.fixture
def conformance(request: pytest.FixtureRequest, _packs_tried: dict[str, Trying]) -> Conformance:
    """One check of the pack that the test lies in."""
    from hub.conformance.check import CHECKS  # noqa: PLC0415
    from hub.conformance.run import Trying  # noqa: PLC0415

    root, connector, name = request.param
    if root not in _packs_tried:
        _packs_tried[root] = Trying(root)
    return Conformance(_packs_tried[root], connector, CHECKS.get(name))


def pack_root(file: Path) -> Path:
    """Return the folder of the pack that a test file lies in; raises `ValueError` outside every pack."""
    for folder in file.parents:
        if (folder / "pyproject.toml").is_file() and list(folder.glob("*/manifest.toml")):
            return folder
    raise ValueError(f"{file} lies in no pack: there is no pyproject.toml beside a package with a manifest.toml")
