"""R44: in three months with holidays, outages and leavers each alert that was due came once, and none was nobody's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_r44_r50_in_a_quarter_nothing_is_missed_doubled_or_orphaned() -> None:
    # given a quarter of fewer shares than `make quarter` plays, when it is played
    played = subprocess.run(
        [sys.executable, "-m", "tests.quarter", "--shares", "150", "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # then what was due, by a reckoning of its own, was raised and came to the mail server
    last = played.stdout.splitlines()[-1] if played.stdout else played.stderr
    assert played.returncode == 0, last
    assert last.startswith("quarter: due=")
    assert "missed=0 doubled=0 orphaned=0" in last
    # and of what anybody read, nearly all was still to be acted on (TH15)
    assert float(last.rpartition("actionable=")[2].rstrip("%")) >= 90
