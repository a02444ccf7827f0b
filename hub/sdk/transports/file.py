"""File drop: a parcel becomes one file under our key, and answers are fetched from files that the partner leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, ClassVar, TypeVar

from pydantic import Field, StringConstraints

from hub.domain.answer import Answer, Level
from hub.domain.outcome import Delivered, Halt, InDoubt, Outcome, Rejected, RetryLater
from hub.sdk.connector import Connector, Context, Inbound, NoReply, NotSent, Parcel
from hub.sdk.settings import Settings
from hub.sdk.transports.answers import Row, answer_of, read_rows
from hub.sdk.transports.drop import PARTIAL, Drop, DropRefused, Entry, OpenDrop, is_partial_of
from hub.sdk.transports.folder import open_folder
from hub.sdk.transports.sftp import open_sftp
from hub.sdk.vocabulary import Vocabulary

#: A whole path, so that no process's own folder counts.
Path = Annotated[str, StringConstraints(pattern=r"^(/[^/\x00]+)+$")]
Optional = Annotated[str, StringConstraints(pattern=r"^((/[^/\x00]+)+)?$")]
HostKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?$")]

#: How the file of a content type ends.
_ENDINGS = {"text/csv": "csv", "application/xml": "xml", "text/html": "html"}
#: What partners' own programs write to while a file is not whole yet.
_UNFINISHED = (PARTIAL, ".tmp", ".filepart", ".writing", ".crdownload")
#: Files of one look at the inbox, and those that are remembered as not for us.
_MOST_FILES, _MOST_PASSED_OVER = 200, 5_000
#: What a file names that we cannot read: the hub keeps it, and tells the operator.
_UNREADABLE = "unreadable-file"


class FolderSettings(Settings):
    """What partner IT fills in: where parcels go; where answers lie, and where these go once they are safe.

    Without an `inbox` nothing is fetched; without an `archive` an answer's file is removed. `partner_removes` says that
    the partner takes a parcel's file away once it has it: then a file that is not there proves nothing.
    """

    outbox: Path
    inbox: Optional = ""
    archive: Optional = ""
    partner_removes: bool = True


class SftpSettings(FolderSettings):
    """The same folders on a server: its address, our name there, and the only keys it may prove itself with."""

    server: Annotated[str, StringConstraints(pattern=r"^sftp://[^\s/?#@]+$")]
    user: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    host_keys: Annotated[tuple[HostKey, ...], Field(min_length=1)]


S = TypeVar("S", bound=FolderSettings)


class FileConnector(Connector[S]):
    """Base of both kinds of file drop; a pack names its `vocabulary`, or overrides `read` for rows of its own."""

    vocabulary: ClassVar[Vocabulary | None] = None

    def __init__(self, settings: S) -> None:
        super().__init__(settings)
        self._passed_over: set[Entry] = set()
        self._waiting: dict[str, tuple[Entry, set[str], bool]] = {}

    def open(self, context: Context) -> OpenDrop:
        """Return the drop, to be opened for one call."""
        raise NotImplementedError

    def read(self, row: Row) -> tuple[str, Answer]:
        """Return which delivery a row of an answer file is about, and what it says; raises `ValueError`."""
        if self.vocabulary is None:
            raise ValueError("nothing is fetched from this partner")
        return answer_of(row, self.vocabulary)

    async def check(self, context: Context) -> Outcome:
        """Open the drop and look at each folder; nothing is written."""
        of = self.settings
        try:
            async with self.open(context) as drop:
                for folder in filter(None, (of.outbox, of.inbox, of.archive)):
                    await drop.list(folder)
        except DropRefused as refused:
            return Halt(refused.reason)
        except NotSent as failure:
            return RetryLater(failure.reason)
        return Delivered(level=Level.L0)

    async def deliver(self, parcel: Parcel, context: Context) -> Outcome:
        """Write the parcel under a name of its own, then give it its final one; a file is never written over."""
        if not parcel.body:
            return Rejected("parcel-empty")
        try:
            async with self.open(context) as drop:
                if found := await self._find(drop, parcel):
                    return found
                if parcel.attempt > 1:
                    await self._clear(drop, parcel)
                await context.start(len(parcel.body))
                await drop.put(self.settings.outbox, file_name(parcel), parcel.body)
        except DropRefused as refused:
            return Halt(refused.reason)
        except NotSent as failure:
            return RetryLater(failure.reason)
        except NoReply as failure:
            return InDoubt(failure.reason)
        return Delivered(file_name(parcel))

    async def reconcile(self, parcel: Parcel, context: Context) -> Outcome:
        """Look for the final name; what a broken try left, smaller than it should be, proves that it never got it."""
        try:
            async with self.open(context) as drop:
                if found := await self._find(drop, parcel):
                    return found
                left = await self._left(drop, parcel)
                if self.settings.partner_removes and not any(each.size < len(parcel.body) for each in left):
                    return InDoubt("taken-or-never-there")
                await self._clear(drop, parcel)
        except (DropRefused, NotSent) as failure:
            return InDoubt(failure.reason)
        return RetryLater("not-arrived")

    async def collect(self, context: Context) -> AsyncIterator[Inbound]:
        """Read the answers that lie in the inbox, oldest file first; a file stays until all of it is safe."""
        if not self.settings.inbox:
            return
        try:
            async with self.open(context) as drop:
                for entry in await self._answers(drop):
                    for inbound in self._remember(entry, await self._content(drop, entry, context.reply_bytes)):
                        yield inbound
        except DropRefused as refused:
            raise NotSent(refused.reason) from None

    async def acknowledge(self, reference: str, context: Context) -> None:
        """Once all that a file says is safe, archive or remove it; one that changed since is read again instead."""
        entry, left, whole = self._waiting.pop(reference, (None, set(), False))
        left.discard(reference)
        if entry is None or left:
            return
        if not whole:
            self._pass_over(entry)
            return
        of = self.settings
        try:
            async with self.open(context) as drop:
                if await drop.find(of.inbox, entry.name) != entry:
                    return
                if of.archive:
                    await drop.move(of.inbox, entry.name, of.archive)
                else:
                    await drop.remove(of.inbox, entry.name)
        except DropRefused as refused:
            raise NotSent(refused.reason) from None

    async def _find(self, drop: Drop, parcel: Parcel) -> Outcome | None:
        """Say what stands under the final name: it is there, or something else is; None for nothing."""
        found = await drop.find(self.settings.outbox, file_name(parcel))
        if found is None:
            return None
        whole = found.size == len(parcel.body)
        return Delivered(file_name(parcel)) if whole else Rejected("another-file-of-that-name")

    async def _left(self, drop: Drop, parcel: Parcel) -> list[Entry]:
        entries = await drop.list(self.settings.outbox)
        return [each for each in entries if is_partial_of(each.name, file_name(parcel))]

    async def _clear(self, drop: Drop, parcel: Parcel) -> None:
        """Remove what broken tries left behind: nobody would, and it tells of a person."""
        for each in await self._left(drop, parcel):
            await drop.remove(self.settings.outbox, each.name)

    async def _answers(self, drop: Drop) -> list[Entry]:
        found = await drop.list(self.settings.inbox)
        whole = [each for each in found if not each.name.startswith(".") and not each.name.endswith(_UNFINISHED)]
        return sorted((each for each in whole if each not in self._passed_over), key=_age)[:_MOST_FILES]

    async def _content(self, drop: Drop, entry: Entry, most: int) -> bytes:
        """Return what a file holds; nothing for one that is too large, or that we are not let read."""
        try:
            content = await drop.read(self.settings.inbox, entry.name, most)
        except DropRefused:
            return b""
        return content if len(content) <= most else b""

    def _remember(self, entry: Entry, content: bytes) -> list[Inbound]:
        """Return what a file says, each part under an id that is the same whenever it is read."""
        said, whole = [], True
        try:
            rows = read_rows(content)
        except ValueError:
            rows = []
        for row in rows:
            try:
                key, answer = self.read(row)
            except ValueError:
                whole = False
                continue
            said.append(Inbound(_id(entry.name, json.dumps(row, sort_keys=True)), key, answers=(answer,)))
        if not rows or not whole:
            whole = False
            said.append(Inbound(_id(entry.name, hashlib.sha256(content).hexdigest()), _UNREADABLE))
        left = {each.message_id for each in said}
        self._waiting |= {each.message_id: (entry, left, whole) for each in said}
        return said

    def _pass_over(self, entry: Entry) -> None:
        if len(self._passed_over) >= _MOST_PASSED_OVER:
            self._passed_over.clear()
        self._passed_over.add(entry)


class FolderConnector(FileConnector[FolderSettings]):
    """Drops files into folders of this machine; the manifest names the settings that hold them as `folders`."""

    settings_type: ClassVar[type[Settings]] = FolderSettings

    def open(self, context: Context) -> OpenDrop:  # noqa: ARG002 - folders of this machine need no way out
        """Return the folders of this machine."""
        return open_folder()


class SftpConnector(FileConnector[SftpSettings]):
    """Drops files on an SFTP server; the manifest names `server` under `hosts`, and the secret `ssh_key`."""

    settings_type: ClassVar[type[Settings]] = SftpSettings

    def open(self, context: Context) -> OpenDrop:
        """Return the server's folders."""
        of = self.settings
        return open_sftp(context, of.server, of.user, context.secrets["ssh_key"], of.host_keys)


def file_name(parcel: Parcel) -> str:
    """Return the parcel's file name: our key, which says nothing of anybody, and how its content type ends."""
    kind = parcel.content_type.partition(";")[0].strip()
    return f"{parcel.idempotency_key}.{_ENDINGS.get(kind, 'json' if kind.endswith('json') else 'dat')}"


def _age(entry: Entry) -> tuple[float, str]:
    return entry.modified, entry.name


def _id(name: str, said: str) -> str:
    return hashlib.sha256(f"{name}\0{said}".encode("utf-8", "surrogatepass")).hexdigest()
