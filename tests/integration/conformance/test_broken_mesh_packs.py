"""Ways to write a MESH connector wrongly, each found by the check that is meant to find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.conformance.check import CHECKS, every_check
from hub.conformance.run import trying
from hub.conformance.scaffold import make_pack

CONNECTOR, READING = "hub_river_trust/connector.py", "hub_river_trust/reading.py"

SENDS_BLINDLY = '''    async def deliver(self, parcel: sdk.Parcel, context: sdk.Context) -> sdk.Outcome:
        """Send, and never ask."""
        return await self._box(context).post(self.letter(parcel), context, again=False)

    def letter('''
HAS_IT_TOLD_AGAIN = '''    async def acknowledge(self, reference: str, context: sdk.Context) -> None:
        """Forget to."""

    def letter('''
NAMES_A_NUMBER = """f"{'07700 900123' if b'07700 900123' in parcel.body else key}.json\""""

BROKEN = [
    ("asks-mesh-before-it-sends-again", CONNECTOR, "    def letter(", SENDS_BLINDLY),
    ("says-what-was-never-collected", CONNECTOR, "    def letter(", HAS_IT_TOLD_AGAIN),
    ("sends-what-is-large-in-chunks", CONNECTOR, "parcel.body, parcel", "parcel.body[:900], parcel"),
    ("leaves-what-is-not-for-it", READING, '_text(said, "key")', 'said["key"]'),
    ("collects-without-losing", READING, 'str(UUID(_text(said, "key")))', "str(UUID(int=7))"),
    ("tells-nobody-in-addresses-or-headers", CONNECTOR, 'f"{key}.json"', NAMES_A_NUMBER),
]


@pytest.mark.parametrize(("name", "file", "old", "new"), BROKEN, ids=lambda value: str(value)[:30])
def test_what_is_wrong_is_found(tmp_path: Path, name: str, file: str, old: str, new: str) -> None:
    # given a pack for MESH with one thing wrong
    folder = make_pack("river-trust", "mesh", tmp_path)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    # when the check that is meant for it is run
    every_check()
    with trying(str(folder)) as tried:
        result = tried.run("river-trust", CHECKS[name])
    # then it fails, with a place and something to do; a new pack says that most rules are still to do
    assert result.state in {"failed", "to do"}, result
    assert result.where
    assert result.fix
