"""Where a file pack drops its files: folders of the kit's own, behind an SFTP server where it speaks SFTP."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.conformance.check import Place, wrong

if TYPE_CHECKING:
    from hub.sdk.testing.drop import DropServer


class DropPlace:
    """The folders `out`, `in` and `kept` of one connector; made by `start`, ended by `stop`."""

    def __init__(self, folder: Path, *, remote: bool) -> None:
        self.folder = folder
        self.server: DropServer | None = None
        self._remote = remote

    @property
    def outbox(self) -> Path:
        """Where parcels arrive."""
        return self.folder / "out"

    @property
    def inbox(self) -> Path:
        """Where the partner leaves its answers."""
        return self.folder / "in"

    def words(self) -> dict[str, str]:
        """Return what the words of a trial stand for; a server shows the folders as if nothing were above them."""
        if self.server is None:
            return {"drop": str(self.folder)}
        shown = {"drop_url": self.server.url, "drop_key": self.server.host_key, "ssh_key": self.server.user_key}
        return {"drop": ""} | shown

    def files(self) -> list[Path]:
        """Return the parcels' files that are whole and ready to be taken."""
        return sorted(each for each in self.outbox.iterdir() if not each.name.startswith("."))

    def of(self, key: str) -> list[Path]:
        """Return the files of one parcel."""
        return [each for each in self.files() if key in each.name]

    def answer(self, said: dict[str, Any]) -> None:
        """Leave an answer, whole at once, as a careful partner does."""
        unfinished = self.inbox / f".{uuid.uuid4().hex}"
        unfinished.write_text(json.dumps(said), encoding="utf-8")
        unfinished.rename(self.inbox / f"{uuid.uuid4().hex}.json")

    async def start(self, place: Place) -> None:
        """Make the folders, and the server before them."""
        for name in ("out", "in", "kept"):
            (self.folder / name).mkdir(parents=True)
        if not self._remote:
            return
        try:
            from hub.sdk.testing.drop import DropServer  # noqa: PLC0415 - only where SFTP is tried
        except ImportError:
            wrong("asyncssh is not installed", place, 'install it: pip install "trusted-person-hub[sftp]"')
        self.server = DropServer(self.folder)
        await self.server.__aenter__()

    async def stop(self) -> None:
        """End the server."""
        if self.server is not None:
            await self.server.__aexit__()
