"""Ways to drop files wrongly, each found by the check that is meant to find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.conformance.check import CHECKS, every_check
from hub.conformance.run import trying
from hub.conformance.scaffold import make_pack

CLASS = "ByFolder(FolderConnector):\n"
REPLACES = """
    async def deliver(self, parcel, context):
        import os
        await context.start(len(parcel.body))
        name = {name}
        unfinished = f"{{self.settings.outbox}}/.{{parcel.token}}"
        with open(unfinished, "xb") as file:
            file.write(parcel.body)
        os.replace(unfinished, f"{{self.settings.outbox}}/{{name}}")
        return sdk.Delivered(name)
"""
FORGETS = """
    async def collect(self, context):
        async with self.open(context) as drop:
            for entry in await drop.list(self.settings.inbox):
                content = await drop.read(self.settings.inbox, entry.name, 1000)
                await drop.remove(self.settings.inbox, entry.name)
                for inbound in self._remember(entry, content):
                    yield inbound
"""

BROKEN = [
    ("writes-over-nothing", REPLACES.format(name='parcel.idempotency_key + ".csv"')),
    ("drops-one-file-that-is-the-parcel", REPLACES.format(name='"x.csv"')),
    ("collects-without-losing", FORGETS),
    ("leaves-what-it-cannot-read", FORGETS),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code"), BROKEN, ids=[name for name, _ in BROKEN])
def test_what_is_wrong_is_found(tmp_path: Path, name: str, code: str) -> None:
    # given a pack for files with one thing wrong
    folder = make_pack("river-trust", "file", tmp_path)
    file = folder / "hub_river_trust/connector.py"
    text = file.read_text(encoding="utf-8")
    assert CLASS in text
    file.write_text(text.replace(CLASS, CLASS + code, 1), encoding="utf-8")
    # when the check that is meant for it is run
    every_check()
    with trying(str(folder)) as tried:
        result = tried.run("river-trust-folder", CHECKS[name])
    # then it fails, with a place and something to do; a new pack says that most rules are still to do
    assert result.state in {"failed", "to do"}, result
    assert result.where
    assert result.fix
