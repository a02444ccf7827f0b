"""Starts a host by exec with one inherited socket, and counts what it prints without keeping any of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass, field

from hub.host import wire

#: A host prints into a pipe that is drained and counted: what a connector prints may hold a story.
_CHUNK = 65_536


@dataclass(slots=True)
class Child:
    """A host process and the stream of frames with it; `printed` is bytes of standard output and error."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    printed: int = 0
    _draining: asyncio.Task[None] | None = field(default=None, repr=False)

    def kill(self) -> None:
        """End the host and all it started, now."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    async def gone(self) -> int:
        """Close our end and wait until the process is gone, killing it after two seconds; returns its status."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()
        try:
            async with asyncio.timeout(2):
                status = await self.process.wait()
        except TimeoutError:
            self.kill()
            status = await self.process.wait()
        if self._draining is not None:
            # A process that a connector left behind could hold the pipe open for ever.
            await asyncio.wait({self._draining}, timeout=1)
            self._draining.cancel()
        return status


async def spawn(configure: wire.Configure, run_as: int | None = None) -> Child:
    """Start a host (as user `run_as` where given) and send it its first frame; raises `OSError` when it cannot start.

    Settings and secrets travel on the socket only: the environment holds a locale, the command line a number.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = await _execute(theirs.fileno(), run_as)
        except BaseException:
            ours.close()
            raise
    reader, writer = await asyncio.open_connection(sock=ours)
    child = Child(process, reader, writer)
    child._draining = asyncio.create_task(_count_output(child))
    writer.write(wire.encode(configure))
    return child


async def _execute(channel: int, run_as: int | None) -> asyncio.subprocess.Process:
    identity = {} if run_as is None else {"user": run_as, "group": run_as, "extra_groups": []}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-B", "-m", "hub.host", str(channel)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"LANG": "C.UTF-8"},
        cwd="/",
        pass_fds=(channel,),
        start_new_session=True,
        **identity,  # type: ignore[arg-type]
    )


async def _count_output(child: Child) -> None:
    assert child.process.stdout is not None
    while chunk := await child.process.stdout.read(_CHUNK):
        child.printed += len(chunk)
