"""Every string that people read, found in the code and the templates, with where it stands (R61)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from tests.architecture.conftest import ROOT, Module

#: Modules that hold nothing but what people read.
_WORDY = re.compile(r"hub/(?:notify|console|domain|answer)/(?:\w*words|choices|alert_choices)\.py")
#: What is left of an expression that holds a mapping of its own: no words.
_CODE = re.compile(r"[{}~]")
#: What stands under these keys or names of arguments is read by people, wherever it is.
_NAMED = frozenset({"words", "title", "next_step", "note"})
#: A sentence, or the beginning of one: a capital letter, and two words at least.
_SENTENCE = re.compile(r"[A-Z\"“][^\n]*\s\S")
_TAG, _BLOCK = re.compile(r"<[^>]*>"), re.compile(r"</?(?:p|h\d|li|dt|dd|td|th|label|legend|button|title|a|div|span)\b")


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One string that people read; what varies in it stands as `…`."""

    where: str
    words: str


def lines(modules: list[Module]) -> list[Line]:
    """Return every string that people read: refusals, words, keyed words, and the text of templates."""
    found = {Line(str(module.path), text) for module in modules if _is_hubs(module) for text in _of(module)}
    for path in sorted((ROOT / "hub").rglob("*.html")):
        where = str(path.relative_to(ROOT))
        found |= {Line(where, text) for text in _of_template(path)}
    return sorted(found)


def _is_hubs(module: Module) -> bool:
    return module.path.parts[0] == "hub" and "sandbox" not in module.path.parts


def _of(module: Module) -> Iterator[str]:
    if _WORDY.fullmatch(module.path.as_posix()):
        docs = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(module.tree):
            if id(node) not in docs and (text := said(node)) and _SENTENCE.match(text):
                yield text
        return
    for node in ast.walk(module.tree):
        for each in _read(node):
            if (text := said(each)) and _SENTENCE.match(text):
                yield text


def _read(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a call or a mapping that people read."""
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "Refusal":
            yield from node.args[1:3]
        if name in {"Fault"}:
            yield from node.args[1:2]
        yield from (each.value for each in node.keywords if each.arg in _NAMED)
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in _NAMED:
                yield value
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.endswith("WORDS"):
        yield node.value


def said(node: ast.AST) -> str:
    """Return the text of a literal, `…` in place of what varies; nothing for any other node."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{\w*\}", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(said(each) or "…" for each in node.values)
    return ""


def _of_template(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?s)\{#.*?#\}|<(?:style|script|svg)\b.*?</(?:style|script|svg)>", " ", text)
    yield from (each for each in re.findall(r"\"([A-Z][^\"<>{}]*\s[^\"<>{}]+)\"", text) if _SENTENCE.match(each))
    text = re.sub(r"\{%.*?%\}", "\n", re.sub(r"\{\{.*?\}\}", "…", text, flags=re.DOTALL), flags=re.DOTALL)
    for line in _BLOCK.sub("\n<", text).split("\n<"):
        shown = " ".join(unescape(_TAG.sub(" ", f"<{line}" if ">" in line else line)).split())
        if _SENTENCE.match(shown) and not _CODE.search(shown):
            yield shown
