"""Folders on an SFTP server as a drop: its key is pinned, ours proves us, and nothing of this machine's SSH is read."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes.util
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hub.sdk.connector import Context, NoReply, NotSent
from hub.sdk.transports.drop import Drop, DropRefused, Entry, another_name, partial_name

if TYPE_CHECKING:
    from asyncssh import SFTPAttrs, SFTPClient, SSHClientConnection

#: Seconds for a server to say who it is and to let us in; the deadline of the call covers the rest.
_LOGIN_SECONDS = 20
_GOODBYE_SECONDS = 2


@asynccontextmanager
async def open_sftp(
    context: Context, server: str, user: str, key: str, host_keys: tuple[str, ...]
) -> AsyncIterator[Drop]:
    """Log in to an `sftp://` server as a user, with a private key as PEM text, and open its file service.

    `host_keys` are the only keys that the server may prove itself with, in OpenSSH's one-line form. Raises `NotSent`
    where it cannot be reached, and `DropRefused` where it is another server, or does not let us in.
    """
    _load()
    import asyncssh  # noqa: PLC0415 - see there

    opened = await context.connect(server)
    try:
        connection = await _log_in(opened, urlsplit(server).hostname or "", user, key, host_keys)
    except BaseException:
        opened.close()
        raise
    try:
        try:
            client = await connection.start_sftp_client()
        except (asyncssh.Error, OSError):
            raise DropRefused("no-file-service") from None
        yield Sftp(client)
        connection.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await connection.wait_closed()
    finally:
        connection.abort()  # whoever says nothing more is not waited for


def _load() -> None:
    """Import the library, which takes long, and so only where SFTP is spoken; a host may not do all that it tries."""
    search = ctypes.util.find_library
    # To look for libraries it could also use, it starts a compiler and writes a file: it is told that there are none.
    ctypes.util.find_library = _none
    try:
        import asyncssh  # noqa: PLC0415 - see above
    finally:
        ctypes.util.find_library = search
    asyncssh.set_log_level(logging.CRITICAL + 1)  # what it says of files and servers goes nowhere
    os.environ.setdefault("LOGNAME", "hub")  # it asks who runs it, and a host may not look that up


def _none(name: str) -> str | None:  # noqa: ARG001 - in the shape of what it stands for
    return None


async def _log_in(
    opened: socket.socket, host: str, user: str, key: str, host_keys: tuple[str, ...]
) -> SSHClientConnection:
    import asyncssh  # noqa: PLC0415 - see above

    try:
        ours, theirs = asyncssh.import_private_key(key), [asyncssh.import_public_key(each) for each in host_keys]
    except (asyncssh.KeyImportError, ValueError):
        raise DropRefused("key-unreadable") from None
    try:
        return await asyncssh.connect(
            host,
            sock=opened,
            username=user,
            client_keys=[ours],
            known_hosts=(theirs, [], []),
            preferred_auth="publickey",
            config=None,
            agent_path=None,
            gss_host=None,
            x509_trusted_certs=None,
            disable_trivial_auth=True,
            login_timeout=_LOGIN_SECONDS,
        )
    except asyncssh.HostKeyNotVerifiable:
        raise DropRefused("server-key-unknown") from None
    except asyncssh.PermissionDenied:
        raise DropRefused("login-refused") from None
    except (asyncssh.Error, OSError):
        raise NotSent("connection") from None


class Sftp:
    """A session with the server's file service."""

    def __init__(self, client: SFTPClient) -> None:
        self._client = client

    async def put(self, folder: str, name: str, content: bytes) -> None:
        """Write it whole under a name of its own, then rename it; the protocol's rename never replaces a file."""
        unfinished = f"{folder}/{partial_name(name)}"
        try:
            await self._write(unfinished, content)
        except (DropRefused, NotSent):
            await self._forget(unfinished)
            raise
        await self._rename(unfinished, f"{folder}/{name}")

    async def find(self, folder: str, name: str) -> Entry | None:
        """Return a file by name."""
        import asyncssh  # noqa: PLC0415 - see above

        try:
            about = await self._client.lstat(f"{folder}/{name}")
        except asyncssh.SFTPNoSuchFile:
            await _asked(self._client.stat(folder))  # a folder that is gone says nothing of its files
            return None
        except (asyncssh.Error, OSError) as error:
            raise _meant(error) from None
        return _entry(name, about)

    async def list(self, folder: str) -> list[Entry]:
        """Return every plain file."""
        from asyncssh.constants import FILEXFER_TYPE_REGULAR  # noqa: PLC0415 - see above

        found = await _asked(self._client.readdir(folder))
        named = ((str(each.filename), each.attrs) for each in found)
        return [_entry(name, about) for name, about in named if about.type == FILEXFER_TYPE_REGULAR]

    async def read(self, folder: str, name: str, most: int) -> bytes:
        """Return a file's first bytes."""
        stream = await _asked(self._client.open(f"{folder}/{name}", "rb"))
        content = await _asked(stream.read(most + 1))
        await _asked(stream.close())
        return content if isinstance(content, bytes) else content.encode()

    async def remove(self, folder: str, name: str) -> None:
        """Remove a file."""
        import asyncssh  # noqa: PLC0415 - see above

        try:
            await self._client.remove(f"{folder}/{name}")
        except asyncssh.SFTPNoSuchFile:
            return
        except (asyncssh.Error, OSError) as error:
            raise _meant(error) from None

    async def move(self, folder: str, name: str, to: str) -> None:
        """Move a file."""
        taken = await self.find(to, name) is not None
        await _asked(self._client.rename(f"{folder}/{name}", f"{to}/{another_name(name) if taken else name}"))

    async def _write(self, file: str, content: bytes) -> None:
        from asyncssh import SFTPOpUnsupported  # noqa: PLC0415 - see above
        from asyncssh.constants import FXF_CREAT, FXF_EXCL, FXF_WRITE  # noqa: PLC0415

        stream = await _asked(self._client.open(file, FXF_WRITE | FXF_CREAT | FXF_EXCL, encoding=None))
        await _asked(stream.write(content))  # closed when it is whole, else with the connection: nobody is waited for
        with contextlib.suppress(SFTPOpUnsupported):  # then its size alone says that it is whole
            await stream.fsync()
        await _asked(stream.close())
        about = await _asked(self._client.lstat(file))
        if about.size != len(content):
            raise NotSent("cut-short")

    async def _rename(self, unfinished: str, file: str) -> None:
        """Give a whole file its name; what the server says of it, or does not, decides what is known."""
        import asyncssh  # noqa: PLC0415 - see above

        try:
            await self._client.rename(unfinished, file)
        except asyncssh.SFTPError as error:
            if isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
                raise NoReply("connection") from None
            await self._forget(unfinished)
            raise NotSent("rename-refused") from None
        except (asyncssh.Error, OSError):
            raise NoReply("connection") from None

    async def _forget(self, unfinished: str) -> None:
        import asyncssh  # noqa: PLC0415 - see above

        try:
            await self._client.remove(unfinished)
        except (asyncssh.Error, OSError):
            return  # it is not whole and has no name that anybody takes; the next try removes it


async def _asked(reply: Any) -> Any:
    """Await what the server is asked, and say what its refusal means."""
    import asyncssh  # noqa: PLC0415 - see above

    try:
        return await reply
    except (asyncssh.Error, OSError) as error:
        raise _meant(error) from None


def _meant(error: Exception) -> Exception:
    import asyncssh  # noqa: PLC0415 - see above

    if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
        return DropRefused("folder-missing")
    if isinstance(error, asyncssh.SFTPPermissionDenied | asyncssh.SFTPWriteProtect):
        return DropRefused("folder-refused")
    return NotSent("connection" if not isinstance(error, asyncssh.SFTPError) else "server-failed")


def _entry(name: str, about: SFTPAttrs) -> Entry:
    return Entry(name, about.size or 0, float(about.mtime or 0))
