"""What holds a host in: the kernel's measures, applied before any plugin code is imported, and how strong they are."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import site
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hub.host import seccomp

IsolationLevel = Literal["own-uid", "namespaces", "landlock", "none"]

#: Strongest first (architecture section 7): a service profile refuses the last.
LEVELS: tuple[IsolationLevel, ...] = ("own-uid", "namespaces", "landlock", "none")

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_RULE_PATH, _RULE_PORT = 1, 2
_READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
#: Beneath a connection's own folder: read, write, list, make, remove and move plain files, and nothing that is no file.
_WHOLE_FOLDER = _READ_FILE | _READ_DIR | _WRITE_FILE | 1 << 5 | 1 << 8 | 1 << 13
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_SCOPES = 0b11  # abstract sockets and signals stay inside
#: File system rights that each version of Landlock knows.
_FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}

_MEMORY = 4 * 1024**3
#: What an interpreter and its resolver read; no home, no data folder, no /proc.
_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/dev/urandom"),
    *("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/localtime"),
    *("/etc/ld.so.cache", "/etc/services", "/etc/protocols", "/etc/ssl/certs", "/etc/ssl/openssl.cnf"),
    *("/etc/pki/tls/certs", "/etc/ca-certificates", "/etc/mime.types"),
)


@dataclass(frozen=True, slots=True)
class Isolation:
    """The strongest level reached, every measure in force, and by name those that are not to be had here."""

    level: IsolationLevel
    measures: tuple[str, ...]


class CannotHold(Exception):
    """A host that was to be held strictly cannot be; the message is a code."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where a connector may write files, and how large one may be, in bytes."""

    folders: tuple[Path, ...] = ()
    largest: int = 0


def landlock_version() -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    version: int = _libc().syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(version, 0)


def expected(run_as: int | None = None) -> Isolation:
    """Say, in the hub itself, what a host started with this user id would reach."""
    own = run_as is not None and run_as != os.getuid()
    names = (["own-uid"] if own else []) + (["landlock"] if landlock_version() else [])
    names += ["seccomp" if seccomp.available() else "without-seccomp"]
    return _rank(names)


def facts() -> dict[str, str]:
    """Return what a host compares itself with to know how far it stands from this process."""
    return {"uid": str(os.getuid()), "user_namespace": _namespace("user"), "net_namespace": _namespace("net")}


def apply(  # noqa: PLR0913 - each is a thing that a host may keep
    parent: dict[str, str],
    readable: Iterable[Path] = (),
    ports: Iterable[int] | None = None,
    keep: Iterable[int] = (),
    *,
    udp: bool = True,
    room: Room | None = None,
    strict: bool = False,
) -> Isolation:
    """Give up, for good, what a connector has no use for; returns what was reached.

    `parent` is the hub's `facts()`, `readable` the plugin's folders, `ports` the only TCP ports to connect to (None is
    any), `keep` the file descriptors that stay open, `udp` whether the resolver must be asked, `room` where it may
    write (default: nowhere), `strict` takes the network away whole, and raises `CannotHold` where that cannot be. Call
    it while there is one thread and no event loop.
    """
    measures = ["own-uid"] if parent.get("uid", str(os.getuid())) != str(os.getuid()) else []
    measures += _leave_network() if strict else []
    apart = [n for n in ("user", "net") if parent.get(f"{n}_namespace", "") not in {"", _namespace(n)}]
    measures += ["namespaces"] if len(apart) == 2 else []
    _close_all_but({0, 1, 2, *keep})
    room = room or Room()
    _limit(room.largest if room.folders else 0)
    if sys.platform.startswith("linux"):
        measures += [*_harden(), *_drop_capabilities()]
        version = landlock_version()
        if version and _landlock(version, _paths(readable), () if strict else ports, room.folders):
            measures += ["landlock", f"landlock-abi-{version}"]
    measures += seccomp.forbid(udp=udp, sockets=not strict)  # last: it refuses nothing that those before it need
    if strict and "no-sockets" not in measures:
        raise CannotHold("no-seccomp")  # a connection that was lent could be turned to another address
    return _rank(measures)


def _rank(measures: list[str]) -> Isolation:
    level: IsolationLevel = next((level for level in LEVELS if level in measures), "none")
    return Isolation(level, tuple(measures))


def _namespace(kind: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{kind}")
    except OSError:
        return ""


def _leave_network() -> list[str]:
    """Go into namespaces where there is no network at all, not even the machine's own; needs nobody's right."""
    if not sys.platform.startswith("linux") or _libc().unshare(_NEW_USER | _NEW_NET) != 0:
        raise CannotHold("no-namespaces")
    return ["no-network"]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _close_all_but(keep: set[int]) -> None:
    try:
        numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        numbers = list(range(1024))
    for number in set(numbers) - keep:
        try:
            os.close(number)
        except OSError as error:
            if error.errno != errno.EBADF:  # the listing's own descriptor is closed by now
                raise


def _limit(largest: int) -> None:
    wanted_of = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": largest, "RLIMIT_NOFILE": 4096, "RLIMIT_AS": _MEMORY}
    for name, wanted in wanted_of.items():
        limit = getattr(resource, name)
        hard = resource.getrlimit(limit)[1]
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(limit, (most, most))


def _harden() -> list[str]:
    libc = _libc()
    wanted = {"no-new-privileges": (_PR_SET_NO_NEW_PRIVS, 1), "not-dumpable": (_PR_SET_DUMPABLE, 0)}
    return [name for name, (option, value) in wanted.items() if libc.prctl(option, value, 0, 0, 0) == 0]


def _drop_capabilities() -> list[str]:
    """Give up what root may do beyond its own files; whoever is not root has none to give up."""
    header = struct.pack("=Ii", 0x20080522, 0)  # the third version of this call, about this process
    return ["no-capabilities"] if _libc().capset(header, bytes(24)) == 0 else []


def _paths(readable: Iterable[Path]) -> list[Path]:
    """Return the interpreter's folders, the hub's SDK and the plugin's; never a whole checkout or data folder."""
    package = Path(__file__).parents[1]
    hub = [package / "__init__.py", package / "host", package / "sdk", package / "domain"]
    python = [Path(sys.prefix), Path(sys.base_prefix), *map(Path, site.getsitepackages())]
    return [path for path in (*map(Path, _SYSTEM), *python, *hub, *readable) if path.exists()]


def _landlock(version: int, paths: list[Path], ports: Iterable[int] | None, folders: Iterable[Path] = ()) -> bool:
    libc = _libc()
    rights = _FS_RIGHTS[min(version, max(_FS_RIGHTS))]
    network = (_BIND_TCP | (_CONNECT_TCP if ports is not None else 0)) if version >= 4 else 0
    fields = [rights, network, _SCOPES if version >= 6 else 0]
    attributes = struct.pack("=3Q", *fields)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        _add_paths(libc, ruleset, paths, folders, rights)
        for port in set(ports or ()) if network & _CONNECT_TCP else ():
            rule = struct.pack("=2Q", _CONNECT_TCP, port)
            _check(libc.syscall(_ADD_RULE, ruleset, _RULE_PORT, rule, ctypes.c_uint32(0)))
        return bool(libc.syscall(_RESTRICT, ruleset, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(ruleset)


def _add_paths(libc: ctypes.CDLL, ruleset: int, paths: list[Path], folders: Iterable[Path], handled: int) -> None:
    rules = [(Path("/dev/null"), _READ_FILE | _WRITE_FILE), *((path, _READ_FILE) for path in paths)]
    rules += [(folder, _WHOLE_FOLDER & handled) for folder in folders]
    for path, allowed in rules:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = struct.pack("=Qi", allowed | (_READ_DIR if path.is_dir() else 0), descriptor)
            _check(libc.syscall(_ADD_RULE, ruleset, _RULE_PATH, rule, ctypes.c_uint32(0)))
        finally:
            os.close(descriptor)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "landlock rule refused")
