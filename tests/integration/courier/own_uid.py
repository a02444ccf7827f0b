"""Run as root by `unshare --mount`: makes the interpreter readable by everybody, and starts a host as another user.

Arguments: the probe's distribution, its user id, and a file of root's alone, all in one folder of the test's. What came
of it is printed.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

#: Anything may be mounted here: this mount namespace is nobody else's.
ASIDE = Path("/mnt")


def open_to_all(paths: list[Path]) -> None:
    """Show these folders, which may lie in root's home, at their own places and to everybody; in this mount alone."""
    closed = {parent for path in paths for parent in path.parents if parent.stat().st_mode & 0o5 != 0o5}
    tops = [each for each in closed if not any(each != other and each.is_relative_to(other) for other in closed)]
    kept = [path for path in paths if any(path.is_relative_to(top) for top in tops)]
    subprocess.run(["mount", "-t", "tmpfs", "none", ASIDE], check=True)
    for number, path in enumerate(kept):
        (ASIDE / str(number)).mkdir()
        subprocess.run(["mount", "--bind", path, ASIDE / str(number)], check=True)
    for top in tops:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", top], check=True)
    for number, path in enumerate(kept):
        path.mkdir(parents=True)
        subprocess.run(["mount", "--bind", ASIDE / str(number), path], check=True)


async def held(site: str, uid: int, private: str) -> dict[str, object]:
    """Start a host of the probe as that user, strictly and not; say what it reached, and what it could not read."""
    from hub.courier.host_process import HostProcess
    from hub.courier.reached import Asked, reached_by
    from hub.host.wire import Configure
    from hub.sdk import DeliveryKind, Parcel

    settings = {"base_url": "http://127.0.0.1:9", "secret_file": private}
    configure = Configure("probe-1", "probe", "probe", "hub-probe", settings, {"api_key": "k"}, paths=(site,))
    tried = reached_by(
        [
            Asked("probe-1", uid=uid, readable=(site,)),
            Asked("strict", strict=True, uid=uid, readable=(site,)),
            Asked("unreadable", uid=uid, readable=(str(Path(private).parent),)),
            Asked("no-folder", uid=uid, readable=(site,), writable=(str(Path(private).parent),)),
        ]
    )
    host = HostProcess(configure, run_as=tried["probe-1"].run_as)
    token = str(uuid.uuid4())
    kind, until = DeliveryKind.SHARE, time.time() + 20
    try:
        result = await host.deliver(Parcel(token, kind, 1, token, token, b"1", "text/plain", "escape", until))
        assert host._current is not None, (result, tried)
        status = Path(f"/proc/{host.pid}/status").read_text()
        return {
            "tried": {name: [each.run_as, each.level, each.why] for name, each in tried.items()},
            "level": host._current.ready.isolation,
            "ids": [line.split()[1:] for line in status.splitlines() if line.startswith(("Uid:", "Gid:", "Groups:"))],
            "tricks": json.loads(result.outcome.receipt),
        }
    finally:
        await host.close()


if __name__ == "__main__":
    folder, number, secret = sys.argv[1:]
    hub = Path(__file__).parents[3]
    python = list(dict.fromkeys(Path(each).resolve() for each in (sys.prefix, sys.base_prefix, hub)))
    apart = [each for each in python if not any(each != other and each.is_relative_to(other) for other in python)]
    open_to_all([*apart, Path(folder).parent])
    os.chdir("/")
    print(json.dumps(asyncio.run(held(folder, int(number), secret))))
