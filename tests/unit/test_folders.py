"""Which folders a connection may have: its own, there, and none of the hub's or the system's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hub.folders import CannotUse, folders_of


def test_settings_that_are_empty_hold_none_and_each_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    held = {"outbox": str(tmp_path / "drop"), "inbox": str(tmp_path / "drop"), "archive": ""}
    names = ("outbox", "inbox", "archive", "other")
    assert folders_of(names, held, tmp_path / "instance") == (str(tmp_path / "drop"),)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("drop", "whole path"),
        ("{folder}/drop/../drop", "whole path"),
        ("{folder}/linked", "symbolic link"),
        ("{folder}/gone", "not there"),
        ("{folder}/file", "not there"),
        ("{folder}/instance", "own files"),
        ("{folder}/instance/data", "own files"),
        ("{folder}", "own files"),
        (os.path.realpath(sys.prefix), "own files"),
        ("/", "own files"),
        ("/etc", "system"),
    ],
)
def test_th07_no_folder_of_the_hub_or_the_system_is_opened(tmp_path: Path, given: str, why: str) -> None:
    for name in ("drop", "instance", "instance/data"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "linked").symlink_to(tmp_path / "drop")
    settings = {"outbox": given.format(folder=tmp_path)}
    with pytest.raises(CannotUse, match=why) as fault:
        folders_of(["outbox"], settings, tmp_path / "instance")
    assert "outbox" in str(fault.value)
    assert str(tmp_path) not in str(fault.value)
