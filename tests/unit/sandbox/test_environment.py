"""An environment of a partner's own software: where it cannot be made, that is said and nothing else breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.sandbox.environment import NotMadeError, environment


def test_an_environment_that_is_there_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given one that was made of the same pins
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("hub.sandbox.environment._make", lambda folder, _: folder.mkdir(parents=True))
    python = environment("peer", "one==1")
    # when it is asked for again, then nothing is made
    monkeypatch.setattr("hub.sandbox.environment._make", lambda *_: pytest.fail("it was made again"))
    assert environment("peer", "one==1") == python
    # and other pins make it anew
    with pytest.raises(pytest.fail.Exception):
        environment("peer", "one==2")


def test_where_it_cannot_be_made_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a cache that is no folder
    (tmp_path / "cache").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # when, then
    with pytest.raises(NotMadeError, match="cannot be made here"):
        environment("peer", "one==1")
