"""What would run in the hub's own interpreter, or a host's, unlisted: found without running it (TH08)."""

from __future__ import annotations

import hashlib
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib.metadata import distributions
from pathlib import Path

#: Groups of entry points that a library of the hub's imports by itself, from whatever distribution offers one.
_SELF_LOADING = ("pydantic", "kombu.", "alembic.", "sqlalchemy.", "opentelemetry_")

#: Distributions of the hub's own lock that offer such entry points.
KNOWN_DISTRIBUTIONS = frozenset({"opentelemetry-api"})

#: setuptools' own, the same bytes in every release since 2021.
KNOWN_PTH = frozenset(
    {("distutils-precedence.pth", "2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224")}
)

_CUSTOMISING = frozenset({"sitecustomize", "usercustomize"})


def foreign_code(folders: Iterable[Path], path: Sequence[str] | None = None) -> list[str]:
    """Name everything that would run unasked in the hub's process; it refuses to start with any.

    `folders` are the site folders, `path` the module search path (default: this interpreter's).
    """
    search = sys.path if path is None else path
    return [*(str(file) for file in start_up_code(folders, search)), *_self_loading(search)]


def start_up_code(folders: Iterable[Path], path: Sequence[str] | None = None) -> list[Path]:
    """Return the files that run unlisted at the start of every Python process here, a host's too."""
    standing = list(folders)
    search = [Path(entry) for entry in (sys.path if path is None else path)]
    return [*unknown_pth_files(standing), *_customising({*standing, *search})]


def unknown_pth_files(folders: Iterable[Path], known: Iterable[tuple[str, str]] = ()) -> list[Path]:
    """Return the `.pth` files that run code in every interpreter and are not known by name and SHA-256.

    Files that only add folders to the search path pass.
    """
    trusted = {*known, *KNOWN_PTH}
    files = sorted(file for folder in folders if folder.is_dir() for file in folder.glob("*.pth"))
    return [
        file
        for file in files
        if _runs_code(content := file.read_bytes()) and (file.name, hashlib.sha256(content).hexdigest()) not in trusted
    ]


def site_folders() -> list[Path]:
    """Return the folders whose start-up files this interpreter reads."""
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [Path(folder) for folder in (*site.getsitepackages(), *user)]


def _customising(folders: Iterable[Path]) -> list[Path]:
    # A system's packager may ship one among the interpreter's own modules: whoever writes there owns the interpreter.
    own = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    searched = {folder.resolve() for folder in folders if folder.is_dir()} - own
    entries = (entry for folder in searched for entry in folder.iterdir())
    return sorted(entry for entry in entries if entry.name.partition(".")[0] in _CUSTOMISING)


def _self_loading(path: Sequence[str]) -> list[str]:
    found = {
        f"{distribution.name} (entry point in {entry.group})"
        for distribution in distributions(path=list(path))
        if distribution.name not in KNOWN_DISTRIBUTIONS
        for entry in distribution.entry_points
        if entry.group.startswith(_SELF_LOADING)
    }
    return sorted(found)


def _runs_code(content: bytes) -> bool:
    lines = content.lstrip(b"\xef\xbb\xbf").replace(b"\r", b"\n").split(b"\n")
    return any(line.startswith((b"import ", b"import\t")) for line in lines) or os.fsencode("\0") in content
