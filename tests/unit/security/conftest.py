"""One instance's keys for the security tests: made once, because only a few tests change them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.security.keys import KeyRing, generate


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """A complete ring, as `hub init` makes it."""
    folder: Path = tmp_path_factory.mktemp("instance") / "keys"
    return generate(folder)
