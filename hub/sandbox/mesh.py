"""NHS England's own mesh-sandbox as a partner: a real MESH on a real port, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Final

import httpx

from hub.sdk.testing.process import free_port

#: The sandbox pins a FastAPI of its own, and so cannot live beside ours.
REQUIREMENTS: Final = ("mesh-sandbox==1.0.137", "mesh-client==5.0.2")
#: Mailboxes that the sandbox brings, each with this password; nothing real is opened with it.
OURS: Final = "X26ABC1"
THEIRS: Final = "X26ABC2"
PASSWORD: Final = "password"  # noqa: S105 - what the sandbox itself ships
KEY: Final = "TestKey"
WORKFLOW: Final = "TEST_WORKFLOW"
#: How long it may take to start on a busy machine.
_START_SECONDS = 30.0


class Mesh:
    """The sandbox as a process, with its authentication on; it forgets everything when it ends."""

    def __init__(self) -> None:
        """Choose its port, so that whoever sends there can be told before it runs."""
        self._port = free_port()
        self.root = f"http://127.0.0.1:{self._port}"
        self.url = f"{self.root}/messageexchange"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, python: Path) -> None:
        """Start it with the Python of its environment and wait until it answers; raises `RuntimeError`."""
        command = [str(python), "-m", "uvicorn", "mesh_sandbox.api:app", "--port", str(self._port)]
        about = {"AUTH_MODE": "full", "SHARED_KEY": KEY, "STORE_MODE": "memory", "PATH": os.environ["PATH"]}
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, env=about, stdout=quiet, stderr=quiet)  # noqa: S603 - our own pins
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                httpx.get(f"{self.root}/health", trust_env=False).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.05)  # it says nowhere that it listens
            else:
                return
        raise RuntimeError("mesh-sandbox did not start")

    def stop(self) -> None:
        """End it, where it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
