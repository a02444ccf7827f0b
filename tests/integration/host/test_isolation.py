"""What `apply` takes from a process, looked at from inside one that has nothing else to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hub.host import isolation, seccomp

PROBE = """
import json, os, resource, socket, sys
from hub.host import isolation
extra = os.open("/dev/null", os.O_RDONLY)
held = isolation.apply(json.loads(sys.argv[1]), [], {1}, keep=[])
def refused(act):
    try:
        act()
    except OSError:
        return True
    return False
print(json.dumps({
    "level": held.level,
    "measures": held.measures,
    "descriptor": refused(lambda: os.fstat(extra)),
    "proc": refused(lambda: open("/proc/self/environ").read()),
    "home": refused(lambda: os.listdir(os.path.expanduser("~"))),
    "write": refused(lambda: open("/tmp/isolation-probe", "w")),
    "listen": refused(lambda: socket.create_server(("127.0.0.1", 0))),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "imports": __import__("colorsys").__name__,
}))
"""


def run(parent: dict[str, str]) -> dict[str, object]:
    words = [sys.executable, "-I", "-c", PROBE, json.dumps(parent)]
    return dict(json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout))


def test_a_process_gives_up_files_descriptors_and_listening() -> None:
    # given a process, when it applies the measures
    seen = run(isolation.facts())
    if isolation.landlock_version() < 4:
        # then, on a kernel without Landlock or its network rules, it claims no more than it has
        assert seen["level"] == ("landlock" if isolation.landlock_version() else "none")
        return
    # then the kernel refuses what it has no use for, and it can still import
    assert seen["level"] == "landlock"
    assert {"no-new-privileges", "not-dumpable"} <= set(seen["measures"])
    assert [seen[name] for name in ("descriptor", "proc", "home", "write", "listen")] == [True] * 5
    assert (seen["core"], seen["imports"]) == ([0, 0], "colorsys")


CALLS = """
import ctypes, errno, json, os, socket, sys, threading
from hub.host import isolation
libc = ctypes.CDLL(None, use_errno=True)
there = socket.socket(socket.AF_UNIX); there.bind(sys.argv[2] + "/stream"); there.listen()
there_too = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); there_too.bind(sys.argv[2] + "/datagrams")
udp = sys.argv[3] == "udp"
measures = isolation.apply(isolation.facts(), [], None, [there.fileno(), there_too.fileno()], udp=udp).measures \
    if sys.argv[1] == "held" else ()
def call(*words):
    if libc.syscall(*words) < 0 and ctypes.get_errno() == errno.EPERM:
        raise PermissionError(errno.EPERM, "refused")
tries = {
    "unix": lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[2] + "/stream"),
    "unix datagram": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    "unix by a pair": lambda: socket.socketpair(type=socket.SOCK_DGRAM)[0].connect(sys.argv[2] + "/datagrams"),
    "fast open": lambda: socket.socket().sendto(b"", socket.MSG_FASTOPEN, ("127.0.0.1", 9)),
    "mptcp": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262),
    "listen": lambda: socket.socket().listen(),
    "packets": lambda: socket.socket(17, socket.SOCK_RAW),
    "io_uring": lambda: call(425, 1, None),
    "read memory": lambda: call({"x86_64": 310, "aarch64": 270}[os.uname().machine], os.getpid(), None, 0, None, 0, 0),
    "trace": lambda: call({"x86_64": 101, "aarch64": 117}[os.uname().machine], 99, 0, 0, 0),
    "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
    "udp 6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "tcp": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "streams": socket.socketpair,
    "look up": lambda: socket.getaddrinfo("localhost", 80),
    "threads": lambda: threading.Thread(target=int).start(),
}
refused = []
for name, act in tries.items():
    try:
        act()
    except PermissionError:
        refused.append(name)
    except OSError:
        pass
try:
    os.execv(sys.executable, [sys.executable, "-c", "print('[[], []]')"]) if sys.argv[1] == "held" else None
except PermissionError:
    refused.append("a program")
print(json.dumps([refused, measures]))
"""


def calls(held: str, folder: Path, udp: str) -> tuple[list[str], list[str]]:
    words = [sys.executable, "-I", "-c", CALLS, held, str(folder), udp]
    refused, measures = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return refused, measures


@pytest.mark.parametrize("udp", ["udp", "no-udp"])
def test_calls_that_reach_round_landlock_are_refused(tmp_path: Path, udp: str) -> None:
    """TH07: sockets of this machine's own services, datagrams to anywhere, other processes' memory, new programs."""
    # given the same calls made by a process that nothing holds
    (tmp_path / "free").mkdir()
    (tmp_path / "held").mkdir()
    assert set(calls("free", tmp_path / "free", udp)[0]) <= {"io_uring", "packets"}
    # when a process that gave up what it has no use for makes them
    refused, measures = calls("held", tmp_path / "held", udp)
    if not seccomp.available():
        # then, where the kernel has no such filter, that is said
        assert "without-seccomp" in measures
        return
    # then it gets to nothing but TCP, its own threads and pairs, and what looking up a name takes
    assert {"seccomp", "udp-open" if udp == "udp" else "no-udp"} <= set(measures)
    round_it = {"unix", "unix datagram", "unix by a pair", "fast open", "mptcp", "packets", "listen"}
    inside = {"io_uring", "read memory", "trace", "a program"}
    assert set(refused) == round_it | inside | (set() if udp == "udp" else {"udp", "udp 6"})


def test_another_user_or_other_namespaces_than_the_hub_s_rank_above_landlock() -> None:
    facts = isolation.facts()
    assert run({**facts, "uid": "4294967294"})["level"] == "own-uid"
    apart = {"user_namespace": "user:[1]", "net_namespace": "net:[1]"}
    assert run({**facts, **apart})["level"] == "namespaces"
    assert run({**facts, "user_namespace": "user:[1]"})["level"] == run(facts)["level"]


def test_the_hub_can_say_beforehand_what_a_host_would_reach() -> None:
    assert isolation.expected().level == run(isolation.facts())["level"]
    assert isolation.expected(run_as=4_294_967_294).level == "own-uid"


ALONE = """
import errno, json, socket, sys
from hub.host import isolation
print(isolation._leave_network(), file=sys.stderr)
reached = {}
def reach(name, act):
    try:
        act()
        reached[name] = "done"
    except OSError as error:
        reached[name] = errno.errorcode[error.errno]
reach("connect", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2))
reach("ask a name server", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 53)))
reach("elsewhere", lambda: socket.create_connection(("192.0.2.1", 443), 2))
reach("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0" + sys.argv[2]))
there = socket.socket()
there.listen()
print(json.dumps([reached, there.getsockname()[1], [name for _, name in socket.if_nameindex()]]), flush=True)
sys.stdin.read()
"""


def test_th07_without_a_network_nothing_is_reached_even_where_no_filter_holds() -> None:
    """TH07: what `no-network` stops by itself, before Landlock and seccomp are asked."""
    with socket.create_server(("127.0.0.1", 0)) as there, socket.socket(socket.AF_UNIX) as abstract:
        name = f"hub-{os.getpid()}"
        abstract.bind("\0" + name)
        abstract.listen()
        words = [sys.executable, "-I", "-c", ALONE, str(there.getsockname()[1]), name]
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            said = process.stdout.readline()
            if not said and "no-namespaces" in process.stderr.read():
                pytest.skip("this kernel gives a process no user and network namespaces")
            reached, port, interfaces = json.loads(said)
            # then it reaches nothing of this machine's, and what listens there cannot be reached from here
            assert reached["abstract"] == "ECONNREFUSED"
            assert {reached[each] for each in ("connect", "ask a name server", "elsewhere")} == {"ENETUNREACH"}
            assert interfaces == ["lo"]
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), 2)
            process.communicate("")


WRITES = """
import json, os, sys
from pathlib import Path
from hub.host import isolation
own, other = Path(sys.argv[1]) / "own", Path(sys.argv[1]) / "other"
held = isolation.apply(isolation.facts(), [], {1}, keep=[], room=isolation.Room((own,), 1000))
def refused(act):
    try:
        act()
    except OSError:
        return True
    return False
print(json.dumps({
    "own": refused(lambda: (own / "new").write_bytes(b"x" * 1000)),
    "link": refused(lambda: os.link(own / "new", own / "named")),
    "remove": refused(lambda: (own / "new").unlink()),
    "read": refused(lambda: (own / "named").read_bytes()),
    "too large": refused(lambda: (own / "large").write_bytes(b"x" * 1001)),
    "other": refused(lambda: (other / "new").write_bytes(b"x")),
    "read other": refused(lambda: (other / "kept").read_bytes()),
    "through a link": refused(lambda: (own / "leads-out" / "kept").read_bytes()),
    "out of it": refused(lambda: os.rename(own / "named", other / "named")),
    "folder": refused(lambda: (own / "deeper").mkdir()),
    "pipe": refused(lambda: os.mkfifo(own / "pipe")),
    "a link": refused(lambda: os.symlink("/etc", own / "etc")),
}))
"""


def test_a_connection_s_own_folder_is_all_that_it_may_write_to(tmp_path: Path) -> None:
    """TH07: files, and nothing that is no file, beneath the folders its settings name; no larger than a parcel."""
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "kept").write_text("x")
    (tmp_path / "own" / "leads-out").symlink_to(tmp_path / "other")
    words = [sys.executable, "-I", "-c", WRITES, str(tmp_path)]
    seen = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    allowed = {name for name, refused in seen.items() if not refused}
    if isolation.landlock_version() < 1:
        assert "too large" not in allowed
        return
    assert allowed == {"own", "link", "remove", "read"}
    assert [each.name for each in (tmp_path / "other").iterdir()] == ["kept"]
