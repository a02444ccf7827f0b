"""`make audit`: looks up known faults of every locked library, and says plainly when it could not look.

pip-audit passes over what its database does not answer for, and ends well: here that is a failure, for nothing was
found out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def verdict(said: str, asked: int) -> tuple[int, list[str]]:
    """Return the exit status, and what to tell: 0 only where all `asked` libraries were looked up, none faulty."""
    try:
        found: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 2, ["The database of known faults cannot be reached from here: nothing was looked up."]
    faults = [
        f"{each['name']} {each['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'none yet'}"
        for each in found
        for fault in each.get("vulns", ())
    ]
    looked_up = sum("vulns" in each and "skip_reason" not in each for each in found)
    if faults:
        return 1, [*faults, f"{len(faults)} known faults. Renew the lock files with: make lock"]
    if looked_up < asked:
        missing = asked - looked_up
        return 2, [
            f"{missing} of {asked} libraries could not be looked up: the database of known faults cannot be reached."
        ]
    return 0, [f"No fault is known of any of the {asked} libraries."]


def main() -> int:
    """Run pip-audit on a lock file, and print the verdict."""
    tool, lock = sys.argv[1:]
    with open(lock, encoding="utf-8") as file:
        asked = sum("==" in line and not line.startswith((" ", "#")) for line in file)
    command = [tool, "--format", "json", "--progress-spinner", "off", "--require-hashes", "--disable-pip", "-r", lock]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    status, lines = verdict(done.stdout, asked)
    print("\n".join(lines), file=sys.stderr if status else sys.stdout)
    return status


if __name__ == "__main__":
    sys.exit(main())
