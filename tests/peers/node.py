"""Folders of partners' own software that runs on Node: installed once from a lock file, kept in a cache folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.peers.environments import missing


def packages(source: Path) -> Path:
    """Return a folder that holds a program with the packages its lock file names, making it where it is missing.

    Where it cannot be made, or Node is not here, the test is skipped at a desk and fails where `CI` is set.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            missing(f"{program} is not on this machine: install Node, and this is tried")
    names = ("package.json", "package-lock.json", "server.mjs")
    wanted = hashlib.sha256(b"".join((source / name).read_bytes() for name in names)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trusted-person-hub" / "peers"
    folder = cache / f"{source.name}-node"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{source.name}-node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want it at once
        made = folder / "made"
        if not made.is_file() or made.read_text(encoding="utf-8") != wanted:
            try:
                _make(folder, source, names)
            except (OSError, subprocess.SubprocessError) as error:
                missing(f"the packages of {source.name} cannot be installed here: {type(error).__name__}")
            made.write_text(wanted, encoding="utf-8")
    return folder


def _make(folder: Path, source: Path, names: tuple[str, ...]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in names:
        shutil.copy(source / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
