"""Whether a test asserts anything: read from its syntax, through every function of the tests that it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef

_TESTS = ("tests", "plugins")
_OF_PYTEST = {"raises", "fail", "warns"}


@dataclass(eq=False)
class Source:
    """One file of tests: the functions that it defines by name, methods as `Class.method`, and what it imports."""

    tree: ast.Module

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Return every function at the top, and every method of a class at the top."""
        found: dict[str, Function] = {}
        for node in self.tree.body:
            if isinstance(node, Function):
                found[node.name] = node
            elif isinstance(node, ast.ClassDef):
                found |= {f"{node.name}.{each.name}": each for each in node.body if isinstance(each, Function)}
        return found

    @cached_property
    def imported(self) -> dict[str, tuple[str, str]]:
        """Return what each name stands for: a module, and a name in it or nothing for the module itself."""
        found: dict[str, tuple[str, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {each.asname or each.name: (node.module, each.name) for each in node.names}
            elif isinstance(node, ast.Import):
                found |= {each.asname or each.name: (each.name, "") for each in node.names}
        return found


@dataclass(eq=False)
class Suite:
    """The files of tests below a root, each read once."""

    root: Path
    _sources: dict[Path, Source | None] = field(default_factory=dict)

    def exists(self, test: str) -> bool:
        """Tell whether `file::function` is defined."""
        file, name = _split(test)
        source = self._source(file)
        return source is not None and name in source.functions

    def asserts(self, test: str) -> bool:
        """Tell whether `file::function`, or what it calls within the tests, asserts what could be otherwise."""
        file, name = _split(test)
        return self._asserts(file, name, set())

    def _asserts(self, file: Path, name: str, seen: set[tuple[Path, str]]) -> bool:
        source = self._source(file)
        if source is None or name not in source.functions or (file, name) in seen:
            return False
        seen.add((file, name))
        function = source.functions[name]
        nodes = list(_reached(function))
        if any(_asserting(node, source) for node in nodes):
            return True
        called = [node.func for node in nodes if isinstance(node, ast.Call)]
        return any(self._asserts(*where, seen) for each in called for where in self._stands(each, file, name, function))

    def _stands(self, called: ast.expr, file: Path, name: str, function: Function) -> Iterator[tuple[Path, str]]:
        """Yield where what is called may be defined, within the tests."""
        match called:
            case ast.Name(id=called_name):
                yield from self._named(file, called_name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr) if "." in name:
                yield file, f"{name.partition('.')[0]}.{attr}"
            case ast.Attribute(value=ast.Name(id=owner), attr=attr):
                for where, kind in self._named(file, _kinds(function).get(owner, owner)):
                    yield where, f"{kind}.{attr}" if kind else attr

    def _named(self, file: Path, name: str) -> Iterator[tuple[Path, str]]:
        source = self._source(file)
        assert source is not None
        if name not in source.imported:
            yield file, name
            return
        module, there = source.imported[name]
        if module.partition(".")[0] in _TESTS:
            yield Path(*module.split(".")).with_suffix(".py"), there
            yield Path(*module.split("."), f"{there}.py"), ""

    def _source(self, file: Path) -> Source | None:
        if file not in self._sources:
            path = self.root / file
            self._sources[file] = Source(ast.parse(path.read_text(encoding="utf-8"))) if path.is_file() else None
        return self._sources[file]


def _split(test: str) -> tuple[Path, str]:
    file, _, name = test.partition("::")
    return Path(file), name.replace("::", ".")


def _kinds(function: Function) -> dict[str, str]:
    """Return the class that each argument is said to be of."""
    every = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return {each.arg: each.annotation.id for each in every if isinstance(each.annotation, ast.Name)}


def _reached(function: Function) -> Iterator[ast.AST]:
    """Yield what stands in a function's body, but for inner functions and branches that nothing reaches."""
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function) and node.name not in names and not node.decorator_list:
            continue
        yield node
        if isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant):
            waiting += [*node.body] if node.test.value else [*node.orelse]
            continue
        waiting += ast.iter_child_nodes(node)


def _asserting(node: ast.AST, source: Source) -> bool:
    if isinstance(node, ast.Assert):
        return not _always_true(node.test)
    if not isinstance(node, ast.Call):
        return False
    match node.func:
        case ast.Attribute(value=ast.Name(id="pytest"), attr=attr):
            return attr in _OF_PYTEST
        case ast.Name(id=name):
            module, there = source.imported.get(name, ("", ""))
            return module == "pytest" and there in _OF_PYTEST
    return False


def _always_true(test: ast.expr) -> bool:
    match test:
        case ast.Tuple(elts=[_, *_]) | ast.List(elts=[_, *_]) | ast.Lambda() | ast.JoinedStr():
            return True
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_always_true(each) for each in values)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_always_true(each) for each in values)
        case ast.Compare(left=left, comparators=[right]) if ast.dump(left) == ast.dump(right):
            return True
    return not any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(test))
