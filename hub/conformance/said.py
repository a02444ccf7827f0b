"""What a pack says of its own quality: `quality.toml` in its package, one line a rule."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = "quality.toml"


@dataclass(frozen=True, slots=True)
class Said:
    """What a pack says of one rule; `reason` is given for an exemption."""

    state: Literal["done", "exempt", "to do", "unsaid"]
    reason: str = ""


def read_said(package: Path) -> dict[str, Said]:
    """Return what a pack says, by rule; nothing where it has no such file. Raises `ValueError` on bad TOML."""
    file = package / FILE
    table = tomllib.loads(file.read_text(encoding="utf-8")).get("rules", {}) if file.is_file() else {}
    return {str(rule): _said(str(text)) for rule, text in table.items()}


def read_to_do(package: Path) -> frozenset[str]:
    """Return the rules that a pack says it has yet to keep: their failures are known, and hold its tier down."""
    try:
        return frozenset(rule for rule, said in read_said(package).items() if said.state == "to do")
    except (OSError, ValueError):
        return frozenset()


def _said(text: str) -> Said:
    word, _, reason = text.partition(":")
    match word.strip():
        case "done":
            return Said("done")
        case "exempt":
            return Said("exempt", reason.strip())
        case "to do":
            return Said("to do")
        case _:
            return Said("unsaid")
