"""The processes of a run: started, waited for, measured and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import httpx

_TICKS = os.sysconf("SC_CLK_TCK")
_HERE = Path(__file__).parent
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Used:
    """What a process and its children have used: processor seconds, and their peaks of resident memory in MiB."""

    cpu: float
    peaks: tuple[float, ...]

    @property
    def peak(self) -> float:
        """MiB of all of them together."""
        return sum(self.peaks)


class Process:
    """One program of the run; its output goes to a file, and its end is ours."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    @classmethod
    def script(cls, name: str, arguments: list[str], log: Path) -> Process:
        """Start a script of this folder."""
        return cls([sys.executable, str(_HERE / f"{name}.py"), *arguments], log)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(30)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ready_line(self) -> str:
        """Return the URL of the line `ready URL`, waiting for it."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            word, _, url = self._log.read_text(encoding="utf-8").partition("\n")[0].partition(" ")
            if word == "ready":
                return url
            self._require_alive()
            time.sleep(0.02)
        raise TimeoutError("it did not say that it is ready")

    def wait_until_ready(self, url: str) -> None:
        """Wait until `url`/readyz answers 200."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            self._require_alive()
            try:
                if httpx.get(f"{url}/readyz", timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise TimeoutError(f"{url} is not ready: {self._tail()}")

    def wait(self) -> None:
        """Wait for its end; raises `RuntimeError` when it failed."""
        if self._process.wait(600):
            raise RuntimeError(f"it failed: {self._tail()}")

    def used(self) -> Used:
        """Return what it has used so far; nothing where there is no /proc."""
        found = [_used(pid) for pid in (self.pid, *_children(self.pid))]
        return Used(sum(cpu for cpu, _ in found), tuple(peak for _, peak in found))

    def _require_alive(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"it ended at its start: {self._tail()}")

    def _tail(self) -> str:
        return " | ".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, listed.read_text().split()):
            found += [child, *_children(child)]
    return found


def _used(pid: int) -> tuple[float, float]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        )
    except OSError:
        return 0.0, 0.0
    return (int(stat[11]) + int(stat[12])) / _TICKS, int(status.get("VmHWM", "0 kB").split()[0]) / 1024


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
