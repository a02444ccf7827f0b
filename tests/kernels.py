"""What a kernel may or may not give to a process: the reason to skip, and a way to take it away."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hub.courier.reached import as_the_hub

#: For a test that claims something: it is skipped as it runs, and then proves nothing (`namespaces` in conftest.py).
needs_namespaces = pytest.mark.usefixtures("namespaces")


def without_namespaces(folder: Path) -> str:
    """Return an interpreter that starts where no more user namespaces may be made, as some systems have it set."""
    if as_the_hub(strict=True).why:
        return sys.executable
    limit = "echo 0 > /proc/sys/user/max_user_namespaces"
    wrapped = folder / "python"
    wrapped.write_text(f"""#!/bin/sh\nexec unshare -Ur sh -c '{limit}; exec {sys.executable} "$@"' python "$@"\n""")
    wrapped.chmod(0o755)
    return str(wrapped)
