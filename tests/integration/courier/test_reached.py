"""A user id of its own for each connection, tried before it is relied upon; where it cannot be, that is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.courier.reached import Asked, as_the_hub, reached_by
from hub.host import isolation
from hub.host.rehearsal import Rehearsal, main

UID = 61_007


def test_th07_each_connection_s_host_is_another_user_s(install: Callable[..., Path], tmp_path: Path) -> None:
    """TH07: no right of root's, and none of another connection's."""
    if os.getuid() != 0:
        pytest.skip("only root can start another user's process")
    # given a hub that runs as root from an interpreter that everybody may read, in a mount namespace of its own
    tmp_path.chmod(0o755)
    site = install(tmp_path / "site")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "key").write_text("root's")
    # when a host is started with a user id of its own
    words = [sys.executable, str(Path(__file__).with_name("own_uid.py")), str(site), str(UID), str(private / "key")]
    ran = subprocess.run(["unshare", "--mount", *words], capture_output=True, text=True, check=False)
    if ran.returncode and "unshare" in ran.stderr.splitlines()[0]:
        pytest.skip("this kernel gives a process no mount namespace")
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout.splitlines()[-1])
    # then it is that user, in no group, and the strongest level is reached, in strict mode too
    assert seen["ids"] == [[str(UID)] * 4, [str(UID)] * 4, []]
    assert seen["level"] == "own-uid"
    assert seen["tried"]["probe-1"] == [UID, "own-uid", ""]
    if not as_the_hub(strict=True).why:
        assert seen["tried"]["strict"] == [UID, "own-uid", ""]
    assert not [trick for trick, came in seen["tricks"].items() if came == "done"]
    # and what that user cannot read, or write where it must, leaves the weaker level, with the reason
    weaker = as_the_hub().level
    assert seen["tried"]["unreadable"] == [None, weaker, "code-unreadable"]
    assert seen["tried"]["no-folder"] == [None, weaker, "folder-not-writable"]


def test_who_cannot_have_a_user_id_of_its_own_is_told_why(monkeypatch: Any, tmp_path: Path) -> None:
    # given an interpreter in a home that only root may read, or a hub that is not root
    if os.getuid() == 0:
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        (home / "python").symlink_to(sys.executable)
        monkeypatch.setattr(sys, "executable", str(home / "python"))
    found = reached_by([Asked("housing", uid=UID), Asked("usual")])
    # then the weaker level is what it gets
    why = "interpreter-unreadable" if os.getuid() == 0 else "hub-is-not-root"
    assert (found["housing"].run_as, found["housing"].level, found["housing"].why) == (None, as_the_hub().level, why)
    assert found["usual"] == as_the_hub()


def test_what_is_tried_says_what_it_reaches() -> None:
    strict = as_the_hub(strict=True)
    if strict.why:
        assert (strict.level, strict.measures) == ("none", ())
        return
    assert strict.level == "namespaces"
    assert {"no-network", "no-sockets"} <= set(strict.measures)
    assert as_the_hub().level == isolation.expected().level


def test_a_rehearsal_says_by_code_what_it_lacks(tmp_path: Path, capfdbinary: Any) -> None:
    rehearsal = Rehearsal(isolation.facts(), readable=(str(tmp_path / "gone"),))
    argument = {"parent": dict(rehearsal.parent), "readable": list(rehearsal.readable)}
    assert main([json.dumps(argument)]) == 0
    assert json.loads(capfdbinary.readouterr().out) == {"why": "code-unreadable"}
