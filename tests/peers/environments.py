"""Partners' own software in the tests: where its environment cannot be made, a test is skipped, or fails in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.sandbox import environment as environments


def environment(name: str, *requirements: str) -> Path:
    """Return the Python of an environment that holds these pinned requirements, making it where it is missing."""
    try:
        return environments.environment(name, *requirements)
    except environments.NotMadeError as error:
        missing(str(error))
        raise


def missing(why: str) -> None:
    """Skip at a desk, fail where `CI` is set: a partner that is not here proves nothing."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)
