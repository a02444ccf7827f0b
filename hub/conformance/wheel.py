"""Installing a pack without running any of it: its wheel is read first, and a folder's is made from its files alone."""

from __future__ import annotations

import base64
import configparser
import hashlib
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from hub.conformance.pack import Pack
from hub.host.discovery import GROUP


class NotInstallable(Exception):
    """The pack was not installed; the message says what is wrong with it."""


def make_wheel(pack: Pack, folder: Path) -> Path:
    """Write a pack's wheel from its files as they lie there; no build hook and no code of the pack's runs."""
    name = pack.distribution.replace("-", "_")
    info = f"{name}-{pack.version}.dist-info"
    parts = {
        file.relative_to(pack.package.parent).as_posix(): file.read_bytes()
        for file in sorted(pack.package.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }
    needs = "".join(f"Requires-Dist: {each}\n" for each in pack.requires)
    head = f"Metadata-Version: 2.1\nName: {pack.distribution}\nVersion: {pack.version}\n{needs}"
    head += "Description-Content-Type: text/markdown\n\n" + pack.readme_text
    parts[f"{info}/METADATA"] = head.encode()
    parts[f"{info}/entry_points.txt"] = f"[{GROUP}]\n{pack.name} = {pack.module}\n".encode()
    parts[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: hub\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in parts.items())
    parts[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    target = folder / f"{name}-{pack.version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, content in parts.items():
            wheel.writestr(path, content)
    return target


def look_into(wheel: Path) -> str:
    """Return the name of the pack in a wheel; raises `NotInstallable` for anything beyond one package of one pack.

    A `.pth` file, a script, a second package or another entry point would run outside the host (TH08).
    """
    try:
        with zipfile.ZipFile(wheel) as content:
            names = [PurePosixPath(name) for name in content.namelist() if not name.endswith("/")]
            points = next((name for name in names if name.match("*.dist-info/entry_points.txt")), None)
            text = content.read(str(points)).decode() if points else ""
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError):
        raise NotInstallable(f"{wheel} is not a wheel") from None
    groups = configparser.ConfigParser(delimiters=("=",))
    groups.read_string(text)
    if groups.sections() != [GROUP] or len(groups[GROUP]) != 1:
        raise NotInstallable(f"a pack's wheel offers one entry point, in {GROUP}, and nothing else")
    ((name, module),) = groups[GROUP].items()
    top = module.partition(".")[0]
    for path in names:
        if path.suffix == ".pth" or (path.parts[0] != top and not path.parts[0].endswith(".dist-info")):
            raise NotInstallable(f"the wheel would put {path.name} outside its package {top}")
    return name


def missing(pack_requires: tuple[str, ...]) -> list[str]:
    """Return which of a pack's requirements are not installed here."""
    found = []
    for name in pack_requires:
        try:
            distribution(name)
        except PackageNotFoundError:
            found.append(name)
    return found


def install(wheel: Path) -> None:
    """Put a wheel that was looked into beside the hub, and nothing that it requires; raises `NotInstallable`."""
    done = subprocess.run(  # noqa: S603 - this interpreter's own installer, and a file that was looked into
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
         "--no-compile", "--force-reinstall", str(wheel)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotInstallable((done.stderr.strip().splitlines() or ["the installer gave no reason"])[-1])


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
