"""The connector that every MESH pack starts from: send, find out, collect and acknowledge; a pack adds its document."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints

from hub.domain.answer import Level
from hub.domain.outcome import Outcome, Rejected
from hub.sdk.connector import Connector, Context, Inbound, NotSent, Parcel
from hub.sdk.settings import Settings
from hub.sdk.transports.mesh import CHUNK_BYTES, NOT_COLLECTED, Letter, Mailbox, Received, Sent

MailboxId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{5,20}$")]

#: How far back a look at what was sent goes: past the five days after which MESH gives up.
_LOOK_BACK = timedelta(days=6)
_ENDS = frozenset({"acknowledged", "undeliverable", "error"})
#: What is wrong with one message, and no better at the next look.
_NEVER_READ = frozenset({"reply-too-large", "encoding-refused", "encoding-broken", "http-404", "http-410"})
#: Messages of others in a shared mailbox that are remembered, so that each is fetched once by one host.
_MOST_PASSED_OVER = 5_000


class MeshSettings(Settings):
    """What partner IT fills in; secrets are `mailbox_password`, `shared_key` and, for mutual TLS, the client's own."""

    base_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]
    mailbox: MailboxId
    to_mailbox: MailboxId
    workflow: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{3,60}$")]
    ack_workflow: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{3,64}$")] | None = None
    chunk_bytes: int = Field(default=CHUNK_BYTES, ge=1_000, le=100_000_000)
    packed: bool = True


S = TypeVar("S", bound=MeshSettings)


class MeshConnector(Connector[S]):
    """Sends to one mailbox under one workflow id, and reads what comes back under its `_ACK` pair.

    A pack overrides `letter` (the parcel as the file to send) and `read` (a reply as what it proves).
    """

    #: What one reply may weigh, in bytes.
    most_reply = 5_000_000
    _mailbox: Mailbox | None = None

    def __init__(self, settings: S) -> None:
        super().__init__(settings)
        self._passed_over: set[str] = set()
        self._told: set[str] = set()

    def letter(self, parcel: Parcel) -> Letter:
        """Return the parcel as the file to send; raises `ValueError` for one that is no document of this pack's."""
        raise NotImplementedError

    def read(self, message: Received) -> Inbound:
        """Say what a reply proves; raises `ValueError` when it is not one of theirs."""
        raise NotImplementedError

    async def check(self, context: Context) -> Outcome:
        """Shake hands with MESH."""
        return await self._box(context).shake_hands(context)

    async def deliver(self, parcel: Parcel, context: Context) -> Outcome:
        """Send the letter; from the second try on, ask first whether an earlier one arrived."""
        try:
            letter = self.letter(parcel)
        except ValueError:
            return Rejected("document-not-readable")
        if not letter.body:
            return Rejected("mesh-no-data")
        return await self._box(context).post(letter, context, again=parcel.attempt > 1)

    async def reconcile(self, parcel: Parcel, context: Context) -> Outcome:
        """Ask MESH for our own id; only its own word ends the doubt."""
        return await self._box(context).find(parcel.idempotency_key, context)

    async def collect(self, context: Context) -> AsyncIterator[Inbound]:
        """Fetch replies, reports of non-delivery, and what MESH says of how far our messages came."""
        box = self._box(context)
        for workflow in (self._ack_workflow, self.settings.workflow):
            for message_id in await box.waiting(workflow, context):
                if message_id not in self._passed_over and (inbound := await self._one(box, message_id, context)):
                    yield inbound
        for sent in await box.sent(context.now - _LOOK_BACK, context):
            if (known := self._progress(sent)) is not None:
                yield known

    async def acknowledge(self, reference: str, context: Context) -> None:
        """Tell MESH that a message is safe; what was only read in the list of the sent is not said again."""
        if _is_message(reference):
            await self._box(context).acknowledge(reference, context)
        else:
            self._told.add(reference)

    @property
    def _ack_workflow(self) -> str:
        return self.settings.ack_workflow or f"{self.settings.workflow}_ACK"

    async def _one(self, box: Mailbox, message_id: str, context: Context) -> Inbound | None:
        """Read one message; None for what belongs to another connection of the same mailbox, or cannot be read."""
        try:
            message = await box.fetch(message_id, self.most_reply, context)
        except NotSent as failure:
            if failure.reason not in _NEVER_READ:
                raise
            self._pass_over(message_id)  # anybody may write to a mailbox: what is behind it must be read all the same
            return None
        try:
            if message.is_report:
                return await self._report(box, message, context)
            sender, workflow = message.headers.get("mex-from"), message.headers.get("mex-workflowid")
            if sender == self.settings.to_mailbox and workflow == self._ack_workflow:
                return self.read(message)
        except (ValueError, RecursionError):
            pass  # it stays in the mailbox, unacknowledged, where an operator sees it
        self._pass_over(message_id)
        return None

    async def _report(self, box: Mailbox, message: Received, context: Context) -> Inbound | None:
        """Non-delivery of a message of ours; a report names no recipient, so the mailbox is asked whose it is."""
        ours = message.headers.get("mex-localid", "")
        sent = await box.track(ours, context) if ours else None
        if sent is None or not self._is_ours(sent):
            self._pass_over(message.id)
            return None
        return Inbound(message.id, ours, answers=(NOT_COLLECTED,))

    def _progress(self, sent: Sent) -> Inbound | None:
        """What the list of the sent proves and was not said before by this host."""
        name = f"{sent.id}:{sent.status}"
        if sent.status not in _ENDS or name in self._told or not self._is_ours(sent):
            return None
        if sent.status == "acknowledged":
            return Inbound(name, sent.local_id, level=Level.L2)
        return Inbound(name, sent.local_id, answers=(NOT_COLLECTED,))

    def _is_ours(self, sent: Sent) -> bool:
        of = self.settings
        return bool(sent.local_id) and (sent.to, sent.workflow) == (of.to_mailbox, of.workflow)

    def _pass_over(self, message_id: str) -> None:
        if len(self._passed_over) >= _MOST_PASSED_OVER:
            self._passed_over.clear()
        self._passed_over.add(message_id)

    def _box(self, context: Context) -> Mailbox:
        of = self.settings
        if self._mailbox is None:
            password, key = context.secrets["mailbox_password"], context.secrets["shared_key"]
            self._mailbox = Mailbox(
                of.base_url, of.mailbox, password, key, chunk_bytes=of.chunk_bytes, packed=of.packed
            )
        return self._mailbox


def _is_message(reference: str) -> bool:
    return re.search(r":[a-z]+\Z", reference) is None
