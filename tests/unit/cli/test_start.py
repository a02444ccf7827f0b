"""The command line starts fast, because what is slow to import waits for the command that needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"sqlalchemy", "alembic", "pydantic", "structlog", "fastapi", "uvicorn", "kombu", "httpx", "cryptography"}
IMPORT = "import sys; import hub.cli.main; print(*sys.modules)"


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """What a fresh interpreter has imported once it knows every command."""
    run = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_knowing_every_command_imports_nothing_heavy(imported) -> None:
    assert "typer" in imported
    assert HEAVY & imported == set()


def test_no_command_module_imports_a_layer_below_before_it_runs(imported) -> None:
    below = {"hub.bootstrap", "hub.config", "hub.store", "hub.courier", "hub.api", "hub.host", "hub.sdk"}

    assert below & imported == set()
