"""Virtual environments for partners' own software that cannot live beside ours: made once, kept in a cache folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path


class NotMadeError(Exception):
    """An environment could not be made here: no registry, no room, or no right to write."""


def environment(name: str, *requirements: str) -> Path:
    """Return the Python of an environment that holds these pinned requirements, making it where it is missing.

    Raises `NotMadeError`.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trusted-person-hub" / "peers"
    folder = cache / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # several processes may want it at once
            made, wanted = folder / "made", "\n".join(requirements)
            if not made.is_file() or made.read_text(encoding="utf-8") != wanted:
                _make(folder, requirements)
                made.write_text(wanted, encoding="utf-8")
    except (OSError, subprocess.SubprocessError) as error:
        raise NotMadeError(f"the environment of {name} cannot be made here: {type(error).__name__}") from error
    return folder / "bin" / "python"


class Making:
    """An environment that is made meanwhile, by a process of its own: whoever waits no longer can end it."""

    def __init__(self, name: str, *requirements: str) -> None:
        """Begin at once."""
        command = [sys.executable, "-m", __name__, name, *requirements]
        self._process = subprocess.Popen(  # noqa: S603 - this module
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )

    def result(self, seconds: float) -> Path:
        """Return its Python, waiting at most `seconds`; raises `NotMadeError`."""
        try:
            said, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise NotMadeError(f"it was not made within {seconds:.0f} seconds") from None
        if self._process.returncode != 0:
            raise NotMadeError("it cannot be made here")
        return Path(said.strip())

    def end(self) -> None:
        """Stop making it, with all that was started for it; what is half made is made anew the next time."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _make(folder: Path, requirements: tuple[str, ...]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603 - our own pins


if __name__ == "__main__":
    try:
        print(environment(sys.argv[1], *sys.argv[2:]))
    except NotMadeError:
        sys.exit(1)
