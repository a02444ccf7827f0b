"""The list of what was forgotten: whole lines alone, nobody else's to read, and only ever longer."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest

from hub.security.keys import KeyRing, generate
from hub.security.shredded import ShreddedLog

DAY = date(2026, 12, 20)


def test_what_was_written_down_is_read_back_once_in_its_order(tmp_path: Path) -> None:
    first, second = uuid4().hex, uuid4().hex
    log = ShreddedLog(tmp_path)
    assert log.ids() == []
    log.add([first], DAY)
    log.add([second, first], DAY)
    assert ShreddedLog(tmp_path).ids() == [first, second]
    assert (tmp_path / "shredded.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", range(1, 43))
def test_a_line_that_a_crash_cut_short_takes_no_other_with_it(tmp_path: Path, cut: int) -> None:
    # given a last line of which only some was written
    whole, torn, later = uuid4().hex, uuid4().hex, uuid4().hex
    log = ShreddedLog(tmp_path)
    log.add([whole, torn], DAY)
    path = tmp_path / "shredded.log"
    path.write_bytes(path.read_bytes()[:-cut])
    # when another is written down
    log.add([later], DAY)
    # then both whole ones are there, and the torn one only where nothing but its line break was missing
    assert log.ids() == ([whole, torn, later] if cut == 1 else [whole, later])


def test_it_stands_beside_the_keys_and_bothers_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    ring = generate(folder)
    ShreddedLog(folder).add([uuid4().hex], DAY)
    assert KeyRing.load(folder).active_kid == ring.active_kid
