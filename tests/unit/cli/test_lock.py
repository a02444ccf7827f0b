"""One process serves one database file, and the lock ends with its process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub.cli.lock import AlreadyServed, is_served, only_one

HOLD = """
import sys
from pathlib import Path
from hub.cli.lock import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_refused_until_the_first_lets_go(tmp_path) -> None:
    file = tmp_path / "hub.db"
    with only_one(file):
        assert is_served(file)
        with pytest.raises(AlreadyServed), only_one(file):
            pass

    assert not is_served(file)
    with only_one(file):
        assert is_served(file)


def test_a_killed_process_leaves_no_lock_behind(tmp_path) -> None:
    # given another process that holds it
    file = tmp_path / "hub.db"
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_served(file)

        # when it is killed
        holder.kill()
        holder.wait()

    # then the file is free
    assert not is_served(file)


def test_a_file_that_was_never_served_is_not_served_and_nothing_is_made(tmp_path) -> None:
    assert not is_served(tmp_path / "hub.db")
    assert list(tmp_path.iterdir()) == []
