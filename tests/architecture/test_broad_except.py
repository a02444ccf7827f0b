"""Everything may be caught at a few named boundaries only, each with its reason beside it."""

from __future__ import annotations

import ast
import re

#: Where all that goes wrong ends: loops that must go on, plugins' own code, and the edges towards people.
BOUNDARIES = {
    # loops: what they work on stays due in the store, and the next round sees it
    "hub/courier/courier.py: Courier._poll",
    "hub/courier/courier.py: Courier.run",
    "hub/courier/courier.py: Courier._read_inbox",
    "hub/courier/relay.py: Relay.run",
    "hub/courier/sealer.py: Sealer.run",
    "hub/courier/sealer.py: Sealer.round",
    "hub/notify/notifier.py: Notifier._serve",
    # the writer: one poisoned item fails alone, and the thread lives on
    "hub/store/writer.py: Writer._commit",
    "hub/store/writer.py: Writer._tell",
    # a plugin's own code: it may raise anything, and its text may hold anything
    "hub/host/loader.py: load",
    "hub/host/loader.py: _import",
    "hub/host/loader.py: _register",
    "hub/host/serving.py: Serving._parse",
    "hub/host/serving.py: Serving._exchange",
    "hub/host/serving.py: outcome_of",
    # edges towards people and machines that watch: no trace leaves
    "hub/api/health.py: readyz",
    "hub/cli/boundary.py: Boundary.invoke",
}

BROAD = {"Exception", "BaseException"}


def broad(node: ast.AST) -> list[ast.ExceptHandler]:
    """Return the handlers directly in a function that catch everything and do not raise it again."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(child, ast.ExceptHandler) and _catches_all(child) and not _raises_again(child):
            found.append(child)
        found += broad(child)
    return found


def _catches_all(handler: ast.ExceptHandler) -> bool:
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in types)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_everything_is_caught_at_the_named_boundaries_only(shipped) -> None:
    # given every function that catches all
    found = {f"{module.path}: {name}" for module in shipped for name, node in module.functions() if broad(node)}

    # then it is one of the boundaries, and no boundary is named that is gone
    assert found == BOUNDARIES


def test_every_broad_catch_says_why(shipped) -> None:
    silent = [
        f"{module.path}:{handler.lineno}"
        for module in shipped
        for handler in broad(module.tree) + [h for _, node in module.functions() for h in broad(node)]
        if not re.search(r"# (?:noqa: BLE001 - )?\w[\w' ]{8,}", module.text.splitlines()[handler.lineno - 1])
    ]
    assert silent == []
