"""A mail server for the demo and the tests: takes mail over SMTP and keeps each as a line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class Keeper:
    """Keeps what arrives: to whom, which Message-ID, which subject, what it says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Take one mail (aiosmtpd calls this by its name)."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        body = mail.get_body(("plain",))
        line = {
            "to": envelope.rcpt_tos,
            "message_id": mail["message-id"],
            "subject": mail["subject"],
            "text": body.get_content() if body is not None else "",
            "raw": content.decode("utf-8", "replace"),
        }
        with self._file.open("a", encoding="utf-8") as kept:
            kept.write(json.dumps(line) + "\n")
        return "250 kept"


def read_mails(file: Path) -> list[dict[str, Any]]:
    """Return the mails that arrived, oldest first."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def _serve(port: int, file: Path) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    keeper = Keeper(file)
    server = await loop.create_server(lambda: SMTP(keeper, hostname="localhost"), "127.0.0.1", port)
    address = server.sockets[0].getsockname()
    print(f"ready smtp://127.0.0.1:{address[1]}", flush=True)
    async with server:
        await stopped.wait()


def main() -> None:
    """Serve until SIGTERM; prints where it listens."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(_serve(options.port, options.ledger))


if __name__ == "__main__":
    main()
