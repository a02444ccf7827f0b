"""A log that cannot be written loses its lines, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from hub import logs

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_costs_log_lines_and_stops_nothing() -> None:
    # given a log on a device where every write fails for want of space
    with FULL.open("wb", buffering=0) as full:
        logs.configure_events(full)
        try:
            # when something is told, then whoever tells it goes on
            for _ in range(3):
                structlog.get_logger().error("writer.store_unavailable", count=1)
        finally:
            structlog.reset_defaults()
    with pytest.raises(OSError, match="No space left"), FULL.open("wb", buffering=0) as full:
        full.write(b"so it is indeed full")
