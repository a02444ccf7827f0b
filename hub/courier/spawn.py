"""Starts a host by exec with the sockets it inherits, and counts what it prints without keeping any of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass, field

from hub.courier.lending import Lender
from hub.host import wire

#: A host prints into a pipe that is drained and counted: what a connector prints may hold a story.
_CHUNK = 65_536


@dataclass(slots=True)
class Child:
    """A host process and the stream of frames with it; `printed` is bytes of standard output and error.

    `lender` opens its connections, where it has no network of its own.
    """

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    lender: Lender | None = None
    printed: int = 0
    counted: bool = False  #: what it printed stands among what its connection's hosts printed
    _draining: asyncio.Task[None] | None = field(default=None, repr=False)

    def kill(self) -> None:
        """End the host and all it started, now."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    async def gone(self) -> int:
        """Close our end and wait until the process is gone, killing it after two seconds; returns its status."""
        self.writer.close()
        if self.lender is not None:
            self.lender.close()
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

    Settings and secrets travel on the socket only: the environment holds a locale, the command line numbers.
    """
    with contextlib.ExitStack() as theirs, contextlib.ExitStack() as kept:
        ours, channel = socket.socketpair()
        kept.enter_context(ours)
        inherited = [theirs.enter_context(channel)]
        asked = None
        if configure.strict:
            asked, asking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # one packet, one question
            kept.enter_context(asked)
            inherited.append(theirs.enter_context(asking))
        process = await _execute([each.fileno() for each in inherited], run_as)
        kept.pop_all()
    reader, writer = await asyncio.open_connection(sock=ours)
    child = Child(process, reader, writer, Lender(configure, asked) if asked is not None else None)
    child._draining = asyncio.create_task(_count_output(child))
    writer.write(wire.encode(configure))
    return child


async def _execute(inherited: list[int], run_as: int | None) -> asyncio.subprocess.Process:
    identity = {} if run_as is None else {"user": run_as, "group": run_as, "extra_groups": []}
    return await asyncio.create_subprocess_exec(
        # Unbuffered: what a connector prints is counted, however its process ends.
        *(sys.executable, "-I", "-B", "-u", "-m", "hub.host", *map(str, inherited)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"LANG": "C.UTF-8"},
        cwd="/",
        pass_fds=inherited,
        start_new_session=True,
        **identity,  # type: ignore[arg-type]
    )


async def _count_output(child: Child) -> None:
    assert child.process.stdout is not None
    while chunk := await child.process.stdout.read(_CHUNK):
        child.printed += len(chunk)
