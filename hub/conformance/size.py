"""How many lines of code a module has: neither blank ones, nor comments, nor docstrings."""

from __future__ import annotations

import ast
from pathlib import Path


def code_lines(file: Path) -> int:
    """Return the lines of code of a Python file; 0 for one that is not there."""
    if not file.is_file():
        return 0
    source = file.read_text(encoding="utf-8")
    prose: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            prose |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), 1)
    return sum(
        bool(line.strip()) and number not in prose and not line.strip().startswith("#") for number, line in lines
    )
