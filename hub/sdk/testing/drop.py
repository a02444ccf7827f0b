"""An SFTP server to drop files on, in the test's own loop: real SSH, one user, one folder it cannot leave."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.connection import SSHConnection

USER = "hub"

#: Told of each step before it is taken (`write`, `rename`) and after (`renamed`); what it raises reaches the client.
Treat = Callable[[str, SSHConnection], Awaitable[None]]


async def pass_on(_step: str, _connection: SSHConnection) -> None:
    """Let everything happen."""


class _Server(asyncssh.SSHServer):
    """Lets one key of one user in, and nothing but its file service."""

    def __init__(self, allowed: asyncssh.SSHKey) -> None:
        self._allowed = allowed

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - the library's own shape
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._allowed


class DropServer(AbstractAsyncContextManager["DropServer"]):
    """A server over a folder of this machine; `treat` may be set to have it misbehave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.treat: Treat = pass_on
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self._user_key = asyncssh.generate_private_key("ssh-ed25519")
        self._listening: asyncssh.SSHAcceptor | None = None
        self._opened: list[Any] = []

    @property
    def url(self) -> str:
        """Its address."""
        assert self._listening is not None
        return f"sftp://127.0.0.1:{self._listening.get_port()}"

    @property
    def host_key(self) -> str:
        """The public key that it proves itself with, as one line."""
        return self._host_key.export_public_key().decode().strip()

    @property
    def user_key(self) -> str:
        """The private key that it lets in, as PEM text."""
        return self._user_key.export_private_key().decode()

    async def __aenter__(self) -> DropServer:
        def make(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
            return _files(self, channel)

        self._listening = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._host_key],
            server_factory=lambda: _Server(self._user_key.convert_to_public()),
            sftp_factory=make,
            allow_scp=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listening is not None:
            self._listening.close()
            await self._listening.wait_closed()
            self._listening = None
        for opened in self._opened:  # what a client left open when it broke off
            opened.close()


def _files(server: DropServer, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
    connection = channel.get_connection()

    class Files(asyncssh.SFTPServer):
        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            opened = super().open(path, pflags, attrs)
            server._opened.append(opened)
            return opened

        async def write(self, file_obj: object, offset: int, data: bytes) -> int:
            await server.treat("write", connection)
            written: Any = super().write(file_obj, offset, data)
            return int(written)

        async def rename(self, oldpath: bytes, newpath: bytes) -> None:
            await server.treat("rename", connection)
            super().rename(oldpath, newpath)
            await server.treat("renamed", connection)

    return Files(channel, chroot=os.fsencode(server.folder))
