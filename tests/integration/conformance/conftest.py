"""A pack made from the template, outside every environment, and ways to break it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.conformance.scaffold import make_pack


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack's folder, as the template makes it."""
    return make_pack("river-trust", "rest", tmp_path)


@pytest.fixture
def change(pack: Path) -> Callable[[str, str, str], None]:
    """Change one place of one of the pack's files."""

    def put(name: str, old: str, new: str) -> None:
        file = pack / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    return put
