"""What every test folder shares: one asynchronous backend, and services that must be there in CI."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the hub does."""
    return "asyncio"
