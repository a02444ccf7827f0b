"""A provider's duty desk on a MESH that runs elsewhere: it empties its mailbox and answers each referral."""

from __future__ import annotations

import argparse
import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from hub.sdk import Delivered
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.ledger import Entry, Ledger
from hub.sdk.transports.mesh import Letter, Mailbox
from hub_treatment.sandbox import keys_on, write_line

_MOST = 5_000_000


class Desk:
    """The people who open the provider's mailbox: they read a page as it stands and send one line back."""

    def __init__(self, box: Mailbox, workflow: str, hub: str, ledger: Ledger | None = None) -> None:
        self._box = box
        self._workflow = workflow
        self._hub = hub
        self._ledger = ledger if ledger is not None else Ledger()

    async def empty(self, context: PlainContext) -> list[str]:
        """Fetch and acknowledge all that waits; returns the keys that the pages ask to be answered under."""
        keys = []
        for message_id in await self._box.waiting(self._workflow, context):
            page = (await self._box.fetch(message_id, _MOST, context)).body
            self._note(message_id, page)
            await self._box.acknowledge(message_id, context)
            keys += keys_on(page.decode())
        return keys

    def _note(self, message_id: str, page: bytes) -> None:
        """Keep a page before MESH is told that it is safe; one that comes again after a crash is no second one."""
        new = not self._ledger.has(message_id)
        at = datetime.now(UTC).timestamp()
        self._ledger.append(Entry(at, message_id, "", self._workflow, page, {}, 200, effect=new))

    async def answer(self, key: str, context: PlainContext, **said: str) -> str:
        """Send a file of one line under the paired workflow id; returns the message's id."""
        line = write_line({"hub_key": key} | said)
        workflow, name = f"{self._workflow}_ACK", f"{uuid.uuid4()}"
        letter = Letter(self._hub, workflow, name, line, "text/csv; charset=utf-8", f"{name}.csv")
        match await self._box.post(letter, context, again=False):
            case Delivered(receipt=receipt):
                return receipt
            case failed:
                raise RuntimeError(f"the answer was not taken: {failed}")


async def _serve(options: argparse.Namespace, secrets: Mapping[str, str]) -> None:
    box = Mailbox(options.mesh, options.mailbox, secrets["mailbox_password"], secrets["shared_key"])
    desk = Desk(box, options.workflow, options.hub, Ledger(options.ledger))
    async with PlainContext(secrets=secrets) as context:
        print(f"ready {options.mesh}", flush=True)
        while True:
            for key in await desk.empty(context):
                await desk.answer(key, context, status=options.status, owner="Duty desk")
                print(f"answered {key}", flush=True)
            await asyncio.sleep(options.every)


def main(argv: Sequence[str] | None = None) -> None:
    """Open the mailbox again and again, and answer whatever is in it."""
    parser = argparse.ArgumentParser(description="A provider's duty desk on a MESH sandbox.")
    parser.add_argument("--mesh", required=True, help="the sandbox's address, ending in /messageexchange")
    parser.add_argument("--mailbox", default="X26ABC2", help="the provider's mailbox")
    parser.add_argument("--hub", default="X26ABC1", help="the hub's mailbox")
    parser.add_argument("--workflow", default="TEST_WORKFLOW", help="the workflow id of a referral")
    parser.add_argument("--status", default="ACCEPTED", help="what is said of every referral")
    parser.add_argument("--ledger", type=Path, help="a file that keeps what was fetched")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks")
    # What the sandbox itself ships; a real mailbox is never opened with this.
    asyncio.run(_serve(parser.parse_args(argv), {"mailbox_password": "password", "shared_key": "TestKey"}))


if __name__ == "__main__":
    main()
