"""A filter on system calls for what Landlock does not hold: UNIX sockets, UDP, other processes, and new ones.

TCP goes through Landlock's list of ports, so whatever would go round that is refused here too: MPTCP, SCTP, raw
sockets, a connection opened by its first data (TCP fast open), and io_uring, which no filter sees into. Nobody listens
either, also not where the kernel would choose the port. Where connections are lent there is no other socket to be had,
and one that was lent cannot be turned elsewhere.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
from dataclasses import dataclass
from struct import pack

_PR_SET_SECCOMP, _MODE_FILTER, _GET_ACTION_AVAIL = 22, 2, 2
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_STREAM, _DATAGRAM, _TYPE_MASK, _FAST_OPEN = 1, 2, 0xF, 0x20000000
_CLONE3, _THREAD = 435, 0x10000
_X32 = 0x40000000  # the numbers of a second, smaller set of calls that some x86-64 kernels serve

#: The same numbers on every architecture: io_uring, and taking a descriptor out of another process.
_REFUSED_EVERYWHERE = (425, 426, 427, 438)


@dataclass(frozen=True, slots=True)
class _Architecture:
    """One architecture's audit number and the numbers of the calls that are judged by their arguments or refused."""

    audit: int
    seccomp: int
    socket: int
    socketpair: int
    sendto: int
    sendmsg: int
    sendmmsg: int
    clone: int
    connect: int
    bind: int
    refused: tuple[int, ...]


#: refused: fork and vfork where there are such, execve, execveat, ptrace, process_vm_readv and _writev, keyctl,
#: add_key, request_key, unshare, setns, mount, bpf, perf_event_open, userfaultfd, open_by_handle_at, listen.
_ARCHITECTURES = {
    "x86_64": _Architecture(
        0xC000003E,
        *(317, 41, 53, 44, 46, 307, 56, 42, 49),
        refused=(57, 58, 59, 322, 101, 310, 311, 250, 248, 249, 272, 308, 165, 321, 298, 323, 304, 50),
    ),
    "aarch64": _Architecture(
        0xC00000B7,
        *(277, 198, 199, 206, 211, 269, 220, 203, 200),
        refused=(221, 281, 117, 270, 271, 219, 217, 218, 97, 268, 40, 280, 241, 282, 265, 201),
    ),
}

_Code = list[bytes]


def available() -> bool:
    """Tell whether this kernel takes such a filter, on an architecture whose numbers stand here."""
    numbers = _numbers()
    if numbers is None:
        return False
    action = ctypes.c_uint32(_ERRNO)
    return bool(_libc().syscall(numbers.seccomp, _GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0)


def forbid(*, udp: bool, sockets: bool = True) -> list[str]:
    """Apply the filter to this thread and all it starts, for good; returns the measures that are now in force.

    It needs no-new-privileges. `udp` leaves UDP open, and so open to any address: the system's resolver asks by UDP,
    and a filter cannot read an address. Without `sockets` none is made, bound or connected.
    """
    numbers = _numbers()
    if numbers is None or not available():
        return ["without-seccomp"]
    code = _program(numbers, udp=udp, sockets=sockets)
    kept = ctypes.create_string_buffer(b"".join(code), 8 * len(code))
    program = ctypes.create_string_buffer(pack("@HP", len(code), ctypes.addressof(kept)))
    if _libc().prctl(_PR_SET_SECCOMP, _MODE_FILTER, program, 0, 0) != 0:
        return ["without-seccomp"]
    names = ["udp-open" if udp and sockets else "no-udp", *([] if sockets else ["no-sockets"])]
    return ["seccomp", "no-processes", *names]


def _numbers() -> _Architecture | None:
    # A 32-bit interpreter on a 64-bit kernel makes other calls than these.
    on = os.uname().machine if sys.platform.startswith("linux") and sys.maxsize > 2**32 else ""
    return _ARCHITECTURES.get(on)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _program(numbers: _Architecture, *, udp: bool, sockets: bool) -> _Code:
    allow, refuse = _statement(0x06, _ALLOW), _statement(0x06, _ERRNO | errno.EPERM)
    lent_only = () if sockets else (numbers.socket, numbers.connect, numbers.bind)
    after_flags = [_statement(0x54, _FAST_OPEN), *_when(0, [allow]), refuse]
    return [
        _statement(0x20, 4),  # the architecture
        _jump(0x15, numbers.audit, 1, 0),
        refuse,
        _statement(0x20, 0),  # the call's number
        *_when(_X32, [refuse], at_least=True),
        *(part for number in (*numbers.refused, *lent_only, *_REFUSED_EVERYWHERE) for part in _when(number, [refuse])),
        # A thread shares what holds this process; a child would outlive it. A filter cannot read what clone3 is asked
        # for: once told that there is none, the C library comes back with clone.
        *_when(_CLONE3, [_statement(0x06, _ERRNO | errno.ENOSYS)]),
        *_when(numbers.clone, [_argument(0), _statement(0x54, _THREAD), *_when(0, [refuse]), allow]),
        *_when(numbers.socket, _sockets(allow, refuse, udp=udp)),
        # A connected pair of streams reaches only itself; a datagram socket of a pair could be turned elsewhere.
        *_when(numbers.socketpair, [_argument(1), _statement(0x54, _TYPE_MASK), *_when(_STREAM, [allow]), refuse]),
        *_when(numbers.sendto, [_argument(3), *after_flags]),
        *_when(numbers.sendmsg, [_argument(2), *after_flags]),
        *_when(numbers.sendmmsg, [_argument(3), *after_flags]),
        allow,
    ]


def _sockets(allow: bytes, refuse: bytes, *, udp: bool) -> _Code:
    """Allow TCP, UDP where it is left open, and the resolver's question which addresses this machine has."""

    def of_protocol(*protocols: int) -> _Code:
        return [_argument(2), *(part for each in protocols for part in _when(each, [allow])), refuse]

    datagrams = _when(_DATAGRAM, of_protocol(0, socket.IPPROTO_UDP)) if udp else []
    internet = [
        _argument(1),
        _statement(0x54, _TYPE_MASK),
        *_when(_STREAM, of_protocol(0, socket.IPPROTO_TCP)),
        *datagrams,
        refuse,
    ]
    return [
        _argument(0),
        *_when(socket.AF_INET, internet),
        *_when(socket.AF_INET6, internet),
        *_when(16, of_protocol(0)),  # AF_NETLINK, its routing protocol
        refuse,
    ]


def _argument(index: int) -> bytes:
    return _statement(0x20, 16 + 8 * index)  # its lower half, which is all that the kernel reads of these


def _when(value: int, body: _Code, *, at_least: bool = False) -> _Code:
    """Run `body`, which ends by deciding, when what was loaded is this value; else go on behind it."""
    return [_jump(0x35 if at_least else 0x15, value, 0, len(body)), *body]


def _statement(operation: int, value: int) -> bytes:
    return _jump(operation, value, 0, 0)


def _jump(operation: int, value: int, if_true: int, if_false: int) -> bytes:
    return pack("=HBBI", operation, if_true, if_false, value)
