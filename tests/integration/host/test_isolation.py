"""What `apply` takes from a process, looked at from inside one that has nothing else to it."""

from __future__ import annotations

import json
import subprocess
import sys

from hub.host import isolation

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


def test_another_user_or_other_namespaces_than_the_hub_s_rank_above_landlock() -> None:
    facts = isolation.facts()
    assert run({**facts, "uid": "4294967294"})["level"] == "own-uid"
    apart = {"user_namespace": "user:[1]", "net_namespace": "net:[1]"}
    assert run({**facts, **apart})["level"] == "namespaces"
    assert run({**facts, "user_namespace": "user:[1]"})["level"] == run(facts)["level"]


def test_the_hub_can_say_beforehand_what_a_host_would_reach() -> None:
    assert isolation.expected().level == run(isolation.facts())["level"]
    assert isolation.expected(run_as=4_294_967_294).level == "own-uid"
