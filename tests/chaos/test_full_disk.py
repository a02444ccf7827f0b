"""A disk that is full: a share is refused plainly and nothing of it is kept; with space again, everything goes on."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from hub.sandbox.case_system import RefusedError
from tests.chaos import books
from tests.chaos.load import share_for
from tests.chaos.town import open_town, until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits another process's files"),
]

#: Less than one page of the database: every write of the process fails from here, as on a full disk.
_FULL = 4096


def limit_files(pid: int, most: int) -> None:
    """Let a running process write no file beyond so many bytes."""
    _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)  # type: ignore[attr-defined,unused-ignore]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))  # type: ignore[attr-defined,unused-ignore]


def test_a_full_disk_refuses_plainly_keeps_nothing_and_passes(tmp_path: Path) -> None:
    with open_town(tmp_path) as town:
        # given a hub that works
        cases = town.case_system()
        first = cases.send(share_for("before"), "before")
        until("the first share to be delivered", lambda: books.drained(town), 30)
        hard = resource.prlimit(town.hub.pid, resource.RLIMIT_FSIZE)[0]

        # when its disk is full
        limit_files(town.hub.pid, _FULL)
        refusals = []
        for _ in range(3):
            with pytest.raises(RefusedError) as refused:
                cases.send(share_for("during"), "during")
            refusals.append(refused.value)

        # then a share is refused as the hub's own trouble, with what to do next, and nothing of it is there
        assert {(each.status, each.problem["type"]) for each in refusals} == {(503, "/problems/store-unavailable")}
        assert refusals[0].problem["origin"] == "hub"
        assert "same Idempotency-Key" in refusals[0].problem["next_step"]
        assert town.rows("SELECT reference FROM shares") == [{"reference": first["reference"]}]
        # and nothing can be read either, for what cannot be recorded is not shown (R60)
        with pytest.raises(RefusedError) as unread:
            cases.read(first["id"])
        assert unread.value.status == 503

        # and when there is space again, the same request under the same key is taken and delivered, once
        limit_files(town.hub.pid, hard)
        assert cases.read(first["id"])["reference"] == first["reference"]
        receipt = cases.send(share_for("during"), "during")
        assert cases.send(share_for("during"), "during") == receipt
        until("the second share to be delivered", lambda: books.drained(town), 30)
        assert books.lost_or_doubled_shares(town, {"before": first, "during": receipt}) == {}
        assert books.lost_or_doubled_effects(town) == {}
        assert {row["state"] for row in town.rows("SELECT state FROM deliveries")} == {"delivered"}
        cases.close()
