"""The demo, as a newcomer runs it: its last line, its exit status, and what it does when a step breaks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

HUB = str(Path(sys.executable).with_name("hub"))
LAST_LINE = re.compile(
    r"demo: shares=6 deliveries=7 delivered=6 answered=6 refused=1 withdrawn=1 alerts=1 lost=0",
)


def test_the_demo_ends_with_one_line_of_figures_and_nothing_lost(tmp_path: Path) -> None:
    # Given a machine with nothing of the hub's on it / when a newcomer runs the demo
    done = subprocess.run(
        [HUB, "demo"],
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    # Then it says so last, in one line, and leaves nothing behind
    assert done.returncode == 0, done.stderr
    assert LAST_LINE.fullmatch(done.stdout.splitlines()[-1])
    assert list(tmp_path.iterdir()) == []
    # And a champion can read what it says on the way
    assert "It is Friday, 15:00. Nobody answers." in done.stdout
    assert "_" not in done.stdout.partition("\ndemo:")[0]


def test_a_broken_step_is_named_and_the_demo_fails(tmp_path: Path) -> None:
    # Given a place where the demo cannot write its instance
    locked = tmp_path / "gone"
    # When it runs there
    done = subprocess.run(
        [sys.executable, "-c", _BROKEN],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    # Then it ends with a failure that says which scene and what did not happen
    assert done.returncode == 1
    assert "scene 1" in done.stderr
    assert "housing to say yes" in done.stderr
    assert not locked.exists()


#: The same command, with a housing team that never answers, and little patience.
_BROKEN = """
import sys
from hub.sandbox import stage, story
from hub.sdk.testing.sandbox import Behaviour
patient = story.wait_for
story.wait_for = lambda what, look, seconds=20.0: patient(what, look, 3.0)
told_once = story.told_once
def silent(play):
    play.stage.housing.behave(Behaviour.SILENT)
    told_once(play)
silent.__doc__ = told_once.__doc__
story.SCENES = (silent, *story.SCENES[1:])
from hub.cli.main import main
sys.argv = ["hub", "demo"]
main()
"""


def test_stay_leaves_everything_up_and_says_where(tmp_path: Path) -> None:
    # Given the demo, asked to stay
    with subprocess.Popen(
        [HUB, "demo", "--stay"], stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as demo:
        assert demo.stdout is not None
        # When it has said where everything is
        url = ""
        for line in demo.stdout:
            if line.strip().startswith("the hub"):
                url = line.split()[-1]
            if line.startswith("Try:"):
                break
        # Then the hub answers there, until it is told to stop
        assert httpx.get(f"{url}/healthz", timeout=5).json() == {"status": "ok"}
        demo.send_signal(signal.SIGTERM)
        rest = demo.stdout.read()
        assert demo.wait(30) == 0
    assert LAST_LINE.fullmatch(rest.splitlines()[-1])
