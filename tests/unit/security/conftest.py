"""One instance's keys for the security tests: made once, because only a few tests change them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from hub.security.keys import KeyRing, generate


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """A complete ring, as `hub init` makes it."""
    folder: Path = tmp_path_factory.mktemp("instance") / "keys"
    return generate(folder)


class SeenInMemory:
    """A record of what was used that forgets nothing: one process's view of the store's."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, str], datetime] = {}

    def first_time(self, kind: str, token: str, until: datetime) -> bool:
        """True once for each pair."""
        if (kind, token) in self.used:
            return False
        self.used[kind, token] = until
        return True


@pytest.fixture
def seen() -> SeenInMemory:
    """An empty record."""
    return SeenInMemory()
