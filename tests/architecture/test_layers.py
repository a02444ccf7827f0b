"""Imports point down only; the domain is pure; the SDK is light; the contracts leave nobody out."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

#: Which contract of pyproject.toml speaks of all but these.
OWNERS = {
    "SQLAlchemy stays in the store": {"hub.store"},
    "kombu stays in the broker": {"hub.broker"},
    "FastAPI stays in the API and the pages": {"hub.answer", "hub.api", "hub.console", "hub.web"},
    "Starlette stays in the API, the pages and sandboxes": {
        *("hub.answer", "hub.api", "hub.console", "hub.sandbox", "hub.web"),
    },
    "Jinja stays in the pages and the mails": {"hub.answer", "hub.console", "hub.notify", "hub.web"},
    "HTTP clients are made in the SDK": {"hub.sandbox"},
}


@pytest.fixture(scope="module")
def linter(root: Path) -> dict[str, Any]:
    """Return the import linter's configuration."""
    with (root / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["tool"]["importlinter"]


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield every module that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_every_contract_is_kept(root: Path) -> None:
    # when the contracts are checked as `make check` does
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    # then all are kept
    assert checked.returncode == 0, checked.stdout


def test_every_plugin_is_under_contract(root: Path, linter: dict[str, Any]) -> None:
    # given the plugins that ship
    plugins = {file.parent.name for file in root.glob("plugins/*/hub_*/manifest.toml")}

    # then the linter reads each, and every contract on plugins names each
    assert set(linter["root_packages"]) == {"hub", *plugins}
    by_name = {contract["name"]: contract for contract in linter["contracts"]}
    for name in (
        "A plugin imports the SDK and its own libraries only",
        "A plugin takes the domain's words from the SDK",
    ):
        assert set(by_name[name]["source_modules"]) == plugins
    assert set(by_name["The hub knows no plugin"]["forbidden_modules"]) == plugins
    assert set(by_name["Plugins do not know each other"]["modules"]) == plugins


def test_a_plugin_may_import_no_part_of_the_hub_but_the_sdk(root: Path, linter: dict[str, Any]) -> None:
    parts = {f"hub.{path.stem}" for path in (root / "hub").iterdir() if path.suffix == ".py" or _is_package(path)}
    contract = next(item for item in linter["contracts"] if item["name"].startswith("A plugin imports the SDK"))
    assert set(contract["forbidden_modules"]) == parts - {"hub.sdk", "hub.domain", "hub.__init__"}


@pytest.mark.parametrize("name", OWNERS)
def test_a_library_is_kept_from_every_part_but_its_own(root: Path, linter: dict[str, Any], name: str) -> None:
    # given every part of the hub
    parts = {f"hub.{path.stem}" for path in (root / "hub").iterdir() if path.suffix == ".py" or _is_package(path)}

    # when the contract on a library is read, the SDK by its modules where it is not whole
    contract = next(item for item in linter["contracts"] if item["name"] == name)
    covered = {".".join(module.split(".")[:2]) for module in contract["source_modules"]}

    # then it speaks of every part but the library's own home
    assert parts - {"hub.__init__"} - covered == OWNERS[name]


def test_the_domain_is_the_standard_library_and_itself_only(shipped) -> None:
    foreign = {
        f"{module.path}: {name}"
        for module in shipped
        if module.path.parts[:2] == ("hub", "domain")
        for name in imports(module.tree)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("hub.domain")
    }
    assert foreign == set()


def test_the_domain_is_told_what_time_it_is(shipped) -> None:
    # given every call in the domain
    asked = {
        f"{module.path}:{node.lineno}: {node.func.attr}"
        for module in shipped
        if module.path.parts[:2] == ("hub", "domain")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr in {"now", "utcnow", "today"} or getattr(node.func.value, "id", "") == "time")
    }

    # then none asks a clock
    assert asked == set()


def test_importing_the_sdk_imports_no_http_library() -> None:
    # when the SDK's surface is imported in a fresh interpreter
    program = "import hub.sdk, hub.sdk.connector, hub.sdk.manifest, hub.sdk.settings, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    # then no HTTP library came with it
    assert {"httpx", "aiohttp", "starlette", "fastapi", "sqlalchemy", "kombu"}.isdisjoint(loaded)


def _is_package(path: Path) -> bool:
    return (path / "__init__.py").is_file()
