"""A notice as a file: whole or not there, the same file when it is tried again, and no link is followed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from hub.domain.outcome import RetryLater
from hub.notify.drop import Drop
from hub.notify.outcome import Sent
from hub.notify.webhook import ThinNotice

NOTICE = ThinNotice("n-1", b'{"type": "delivery.answered"}')


def test_r36_a_second_try_is_the_same_file_and_no_reader_sees_half_of_one(tmp_path: Path) -> None:
    # given a try that stopped half way
    (tmp_path / "n-1.part").write_bytes(b'{"ty')
    # when the notice is left, twice
    outcomes = [asyncio.run(Drop(tmp_path).leave(NOTICE)) for _ in range(2)]
    # then there is one whole file, which the folder's owner and group alone may read
    assert outcomes == [Sent(), Sent()]
    assert [each.name for each in tmp_path.iterdir()] == ["n-1.json"]
    assert (tmp_path / "n-1.json").read_bytes() == NOTICE.body
    assert (tmp_path / "n-1.json").stat().st_mode & 0o137 == 0


def test_a_folder_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    assert asyncio.run(Drop(tmp_path / "gone").leave(NOTICE)) == RetryLater("folder:FileNotFoundError")


def test_a_link_in_the_folder_leads_nowhere(tmp_path: Path) -> None:
    # given a link in the place of the file that is written first
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"ours")
    (folder := tmp_path / "folder").mkdir()
    os.symlink(elsewhere, folder / "n-1.part")
    # when the notice is left, then what the link leads to is as it was
    assert isinstance(asyncio.run(Drop(folder).leave(NOTICE)), RetryLater)
    assert elsewhere.read_bytes() == b"ours"
