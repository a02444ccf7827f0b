"""Starting, steering and ending a sandbox process from a test: the partner as a real process on a real port."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from hub.sdk.testing.ledger import Entry
from hub.sdk.testing.sandbox import Behaviour

#: Seconds that a sandbox may take to listen on a busy machine.
START_SECONDS = 30.0


def free_port() -> int:
    """Return a port of this machine that nobody listens on, and that stays free while what had it starts again.

    The ports above 32,768 do not: the system lends them to outgoing connections.
    """
    for _ in range(1000):
        port = secrets.randbelow(12_000) + 20_000
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no port is free between 20,000 and 32,000")


class SandboxProcess:
    """A pack's sandbox module in a process of its own; it keeps its port and ledger over a restart.

    Every control is a blocking call: from asynchronous code use it between awaits, never while this process must serve
    the partner's callback on the same loop.
    """

    def __init__(  # noqa: PLR0913 - where it is, and what it is told
        self,
        module: str,
        folder: Path,
        *,
        client_jwks: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        known_as: str = "",
        paths: Sequence[str] = (),
    ) -> None:
        """Prepare the process; `known_as` is the URL of what stands before it, `paths` folders its module is in."""
        self._module = module
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self._arguments = ["--ledger", str(folder / "ledger.jsonl")]
        if known_as:
            self._arguments += ["--known-as", known_as]
        self._environment = os.environ | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})
        for option, value in (("--client-jwks", client_jwks), ("--settings", settings)):
            if value is not None:
                file = folder / f"{option.strip('-')}.json"
                file.write_text(json.dumps(value), encoding="utf-8")
                self._arguments += [option, str(file)]

    def start(self) -> SandboxProcess:
        """Start the process and wait for its ready line; raises `RuntimeError` when it does not come up."""
        command = [sys.executable, "-m", self._module, "--port", str(self._port), *self._arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdout=subprocess.PIPE, text=True, env=self._environment
        )
        assert self._process.stdout is not None
        word, _, url = self._process.stdout.readline().strip().partition(" ")
        if word != "ready":
            raise RuntimeError(f"{self._module} did not start: exit {self._process.wait(START_SECONDS)}")
        self.url, self._port = url, int(url.rpartition(":")[2])
        return self

    def stop(self) -> int:
        """End the process with SIGTERM and return its exit status (negative for a signal)."""
        assert self._process is not None
        self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait until the process has ended by itself, and return its exit status."""
        assert self._process is not None
        status = self._process.wait(START_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> SandboxProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.stop()

    def behave(self, behaviour: Behaviour, times: int | None = None) -> None:
        """Tell the partner how to treat what arrives next."""
        order = {"behaviour": behaviour} | ({"times": times} if times else {})
        httpx.put(f"{self.url}/sandbox/behaviour", json=order).raise_for_status()

    def expire_tokens(self) -> None:
        """Make every token that the partner issued invalid."""
        httpx.put(f"{self.url}/sandbox/tokens", json={"expired": True}).raise_for_status()

    def entries(self) -> list[Entry]:
        """Return everything that arrived, oldest first."""
        reply = httpx.get(f"{self.url}/sandbox/ledger").raise_for_status()
        return [Entry.from_json(entry) for entry in reply.json()["entries"]]

    def effects(self, key: str) -> int:
        """Return how often the partner acted on this key: more than one is a duplicate effect."""
        return sum(entry.effect for entry in self.entries() if entry.key == key)

    def wait_for(self, key: str, seconds: float = 10.0) -> Entry:
        """Return the first arrival of this key, waiting for it; raises `TimeoutError`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for entry in self.entries():
                if entry.key == key:
                    return entry
            time.sleep(0.02)
        raise TimeoutError("nothing with this key arrived")

    def say(self, **words: Any) -> dict[str, Any]:
        """Make the partner answer now, in the pack's own terms; returns what it says the hub replied."""
        return self.order("say", **words)

    def order(self, what: str, **words: Any) -> dict[str, Any]:
        """Give a control of the sandbox's own its order; returns what it says."""
        reply = httpx.post(f"{self.url}/sandbox/{what}", json=words, timeout=20).raise_for_status()
        said: dict[str, Any] = reply.json()
        return said
