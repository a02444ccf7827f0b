"""Write one plugin into `connectors.toml`, leaving every other line and comment of it as it was."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

_ENTRY = re.compile(r"(?m)^(?=\[\[\s*allow\s*\]\])")


class NotOurs(Exception):
    """The file lists plugins in a form that cannot be changed line by line."""


def put(file: Path, name: str, version: str, sha256: str) -> None:
    """Allow exactly this plugin, replacing what was said of it; the file changes in one step. Raises `NotOurs`."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    after = replaced(before, name, version, sha256)
    fresh = file.with_name(f".{file.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(after)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)


def replaced(text: str, name: str, version: str, sha256: str) -> str:
    """Return the file's new text; raises `NotOurs` where that text would not say what was meant."""
    from hub.config import AllowTable  # noqa: PLC0415 - only when something is written

    entry = f'[[allow]]\nname = "{name}"\nversion = "{version}"\nsha256 = "{sha256}"\n'
    head, *blocks = _ENTRY.split(text)
    others = [block for block in blocks if tomllib.loads(block)["allow"][0].get("name") != name]
    kept = "".join([head, *others])
    new = f"{kept.rstrip()}\n\n{entry}" if kept.strip() else entry
    try:
        said = AllowTable.model_validate(tomllib.loads(new)).allow
    except ValueError:
        raise NotOurs from None
    if [each.sha256 for each in said if each.name == name] != [sha256]:
        raise NotOurs
    return new
