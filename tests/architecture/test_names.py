"""Names say what a thing is, in the project's own words; every module says what lives in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

#: Words that say nothing, or that the project uses another word for.
EMPTY = {"util", "utils", "common", "helper", "helpers", "misc", "manager", "base"}
BANNED = {"job", "jobs", "adapter", "adapters", "task", "tasks", "nfa"}

#: FHIR has a resource by this name.
FHIR_TASK = re.compile(r"task_status|TASK_STATUS|TaskStatus|(?i:fhir)_?(?i:task)|(?i:task)_?(?i:bundle|resource)")


def words(name: str) -> set[str]:
    """Return the words of an identifier, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def defined(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every name that a module makes up itself: classes, functions, arguments and variables."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def test_words_are_cut_from_every_kind_of_name() -> None:
    assert words("HTTPBase_manager2") == {"http", "base", "manager2"}
    assert words("taskStatus") == {"task", "status"}


def test_no_file_folder_or_class_has_an_empty_name(python) -> None:
    files = {str(module.path) for module in python for part in module.path.with_suffix("").parts if words(part) & EMPTY}
    classes = {
        f"{module.path}: {node.name}"
        for module in python
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and words(node.name) & EMPTY
    }
    assert (files, classes) == (set(), set())


def test_no_banned_word_is_used_as_a_name(python) -> None:
    # given every name that the tree makes up, FHIR's own word apart
    found = {
        f"{module.path}:{line}: {name}"
        for module in python
        for line, name in defined(module.tree)
        if words(name) & BANNED and not FHIR_TASK.search(name)
    }

    # then each thing goes by one word
    assert found == set()


def test_every_module_says_in_one_sentence_what_lives_in_it(python) -> None:
    silent = set()
    for module in python:
        if not module.text.strip():
            continue
        first, *rest = (ast.get_docstring(module.tree) or "").splitlines() or [""]
        if not first.endswith(".") or re.search(r"[.!?] [A-Z]", first) or (rest and rest[0]):
            silent.add(str(module.path))
    assert silent == set()


def test_every_package_says_what_it_is_for(shipped) -> None:
    silent = {
        str(module.path)
        for module in shipped
        if module.path.name == "__init__.py" and not ast.get_docstring(module.tree)
    }
    assert {path for path in silent if "migrations" not in path} == set()


def test_every_public_function_and_class_says_what_it_does(shipped) -> None:
    silent = {
        f"{module.path}: {node.name}"
        for module in shipped
        if "versions" not in module.path.parts
        for node in module.tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    }
    assert silent == set()
