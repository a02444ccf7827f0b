"""The tree as these tests read it: tracked files, and every Python module parsed once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the top of the tree, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def is_test(self) -> bool:
        """Tell whether it stands in a folder of tests."""
        return "tests" in self.path.parts

    @property
    def package(self) -> str:
        """Return the import path of its package at the second level, such as `hub.store` or `hub_housing.reading`."""
        parts = self.path.with_suffix("").parts
        parts = parts[2:] if parts[0] == "plugins" else parts
        return ".".join(parts[:2])

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Yield each function with the name it is known by inside the module, such as `Writer.run`."""
        yield from _functions(self.tree, ())


def _functions(node: ast.AST, outer: tuple[str, ...]) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            name = (*outer, child.name)
            if not isinstance(child, ast.ClassDef):
                yield ".".join(name), child
            yield from _functions(child, name)
        else:
            yield from _functions(child, outer)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the tree."""
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> tuple[Path, ...]:
    """Return every tracked file that is there, by its path from the top."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return tuple(Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


@pytest.fixture(scope="session")
def python(tracked: tuple[Path, ...]) -> tuple[Module, ...]:
    """Return every tracked Python file, tests included."""
    files = [path for path in tracked if path.suffix == ".py"]
    texts = [(ROOT / path).read_text(encoding="utf-8") for path in files]
    return tuple(Module(path, text, ast.parse(text)) for path, text in zip(files, texts, strict=True))


@pytest.fixture(scope="session")
def shipped(python: tuple[Module, ...]) -> tuple[Module, ...]:
    """Return every Python module of the hub and its plugins that is installed: no tests."""
    return tuple(module for module in python if module.path.parts[0] in {"hub", "plugins"} and not module.is_test)
