"""MESH, the NHS's store-and-forward post: one mailbox's calls, each answered by an outcome or by what it found.

The rules are those of NHS England's MESH API: an authorisation header used once, 202 for what was taken, chunks of at
most 20 MB beyond a firewall's limit, and no recognising of a message that comes twice: so nothing is sent again before
the mailbox was asked for it by our own id.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import platform
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from hub.domain.answer import Answer, AnswerState, Level
from hub.domain.outcome import Delivered, Halt, InDoubt, Outcome, Rejected, RetryLater
from hub.sdk.connector import Context, NoReply, NotSent, Response
from hub.sdk.transports.waiting import retry_after

#: What one chunk may weigh outside the NHS's own network, in bytes before it is packed.
CHUNK_BYTES = 20_000_000
#: Pages of a listing that are followed in one look; the next look goes on.
_PAGES = 20
_ACCEPT = "application/vnd.mesh.v2+json"
#: Error codes of MESH that say something about this parcel, and those that say it about our mailbox.
_REFUSED = {"12": "mesh-mailbox-unknown", "06": "mesh-headers-refused", "02": "mesh-no-data"}
_BROKEN = {"07": "mesh-sender-unknown", "17": "mesh-workflow-not-registered", "100": "mesh-mailbox-not-enabled"}

#: What is said of a message that MESH took and the other side never fetched: it proves nothing beyond L1.
NOT_COLLECTED = Answer(AnswerState.AWAITED, reason="not-collected", text="Their mailbox did not collect it. Ring them.")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to send: `local_id` is our idempotency key; the file's name tells nothing of what is in it."""

    to: str
    workflow: str
    local_id: str
    body: bytes = field(repr=False)
    content_type: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Received:
    """One message out of our mailbox, with its headers in lower case; a report has no body."""

    id: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_report(self) -> bool:
        """Whether MESH itself wrote it, of a message of ours."""
        return self.headers.get("mex-messagetype", "").upper() == "REPORT"


@dataclass(frozen=True, slots=True)
class Sent:
    """What the mailbox knows of one message that we sent; `status` as MESH says it, in lower case."""

    id: str
    local_id: str
    to: str
    workflow: str
    status: str
    chunks: int = 1

    def outcome(self) -> Outcome:
        """Say what the status proves: collected is L2, uploading has not arrived."""
        match self.status:
            case "acknowledged":
                return Delivered(self.id, Level.L2)
            case "accepted":
                return Delivered(self.id, Level.L1)
            case "undeliverable" | "error":
                return Delivered(self.id, Level.L1, (NOT_COLLECTED,))
            case "uploading":
                return RetryLater("upload-incomplete")
            case _:
                return InDoubt("mesh-status-unknown")


class Mailbox:
    """One MESH mailbox of ours, over the guarded client; mutual TLS is the host's, by the usual secrets' names.

    `url` ends in `/messageexchange`; `key` is the environment's shared key.
    """

    def __init__(  # noqa: PLR0913 - what MESH knows of a mailbox, and how large a piece is
        self, url: str, mailbox: str, password: str, key: str, *, chunk_bytes: int = CHUNK_BYTES, packed: bool = True
    ) -> None:
        self._url = f"{url.rstrip('/')}/{quote(mailbox, safe='')}"
        self._id = mailbox
        self._password = password
        self._key = key.encode()
        self._chunk_bytes = chunk_bytes
        self._packed = packed

    async def shake_hands(self, context: Context) -> Outcome:
        """Prove that the mailbox, its password and our clock are accepted; no parcel is involved."""
        about = {"mex-clientversion": "trusted-person-hub", "mex-osname": platform.system() or "unknown"}
        about |= {"mex-osversion": platform.release()[:40] or "unknown"}
        try:
            reply = await self._ask(context, "POST", "", about)
        except NotSent as failure:
            return RetryLater(failure.reason)
        return Delivered(level=Level.L0) if reply.status == 200 else _failed(reply, context.now)

    async def post(self, letter: Letter, context: Context, *, again: bool) -> Outcome:
        """Send a letter, in pieces where it is large; `again` asks first whether an earlier try arrived."""
        try:
            found = await self._find(letter.local_id, context) if again else None
            if isinstance(found, Sent) and found.status == "uploading":
                return await self._upload(letter, context, found)
            if found is not None:
                return found.outcome() if isinstance(found, Sent) else found
            return await self._upload(letter, context)
        except NotSent as failure:
            return RetryLater(failure.reason)
        except NoReply as failure:
            return InDoubt(failure.reason)

    async def find(self, local_id: str, context: Context) -> Outcome:
        """Say whether a letter with our id arrived: Delivered, RetryLater (it did not), or InDoubt still."""
        try:
            found = await self._find(local_id, context)
        except NotSent as failure:
            return InDoubt(failure.reason)
        if found is None:
            return RetryLater("not-arrived")
        outcome = found.outcome() if isinstance(found, Sent) else found
        return outcome if isinstance(found, Sent) else InDoubt(getattr(outcome, "reason", "unknown"))

    async def track(self, local_id: str, context: Context) -> Sent | None:
        """Return what the mailbox knows of one letter of ours; raises `NotSent` where it cannot be asked."""
        found = await self._find(local_id, context)
        return found if isinstance(found, Sent) else None

    async def waiting(self, workflow: str, context: Context) -> list[str]:
        """Return the ids of what waits in our mailbox under a workflow id; raises `NotSent` where it cannot be read."""
        pages = self._pages(context, "/inbox", {"workflow_filter": workflow})
        return [one for page in await pages for one in page.get("messages", ()) if isinstance(one, str)]

    async def fetch(self, message_id: str, most: int, context: Context) -> Received:
        """Read one message whole, all its chunks, in at most `most` bytes; raises `NotSent` where it cannot be."""
        path, body = f"/inbox/{quote(message_id, safe='')}", bytearray()
        headers: dict[str, str] = {}
        for number in range(1, 1000):
            reply = await self._ask(context, "GET", path if number == 1 else f"{path}/{number}")
            if reply.status not in {200, 206}:
                raise NotSent(f"http-{reply.status}")
            headers = headers or dict(reply.headers)
            body += reply.body
            if len(body) > most:
                raise NotSent("reply-too-large")
            if reply.status == 200:
                break
        return Received(message_id, headers, bytes(body))

    async def acknowledge(self, message_id: str, context: Context) -> None:
        """Tell MESH that we have a message safely: it is then gone from the inbox."""
        reply = await self._ask(context, "PUT", f"/inbox/{quote(message_id, safe='')}/status/acknowledged")
        if reply.status not in {200, 404, 410}:  # gone already is what was wanted
            raise NotSent(f"http-{reply.status}")

    async def sent(self, since: datetime, context: Context) -> list[Sent]:
        """Return what was sent since then, with its status; empty where this MESH does not offer the listing."""
        query = {"start_time": since.strftime("%Y-%m-%dT%H:%M:%S"), "max_results": "100"}
        try:
            pages = await self._pages(context, "/outbox/rich", query)
        except NotSent as failure:
            if failure.reason in {"http-400", "http-404", "http-405"}:
                return []
            raise
        found = (each for page in pages for each in page.get("messages", ()) if isinstance(each, dict))
        return [_sent(each) for each in found]

    async def _upload(self, letter: Letter, context: Context, begun: Sent | None = None) -> Outcome:
        size = self._chunk_bytes
        pieces = [letter.body[at : at + size] for at in range(0, len(letter.body), size)] or [b""]
        if begun is not None and begun.chunks != len(pieces):
            return Rejected("chunk-size-changed")
        message_id = begun.id if begun is not None else ""
        for number, piece in enumerate(pieces, 1):
            if number == 1 and message_id:
                continue  # the rest of an upload that broke off
            try:
                reply = await self._post_piece(letter, piece, (number, len(pieces)), message_id, context)
            except (NotSent, NoReply) as failure:
                if number == 1 or (isinstance(failure, NoReply) and number == len(pieces)):
                    raise
                return RetryLater("upload-broke-off")  # the other side sees nothing before the last piece
            if reply.status == 404 and message_id:
                return InDoubt("upload-not-known")
            if reply.status != 202:
                return _failed(reply, context.now)
            message_id = message_id or _named(reply)
            if not message_id:
                return InDoubt("reply-holds-no-receipt")
        return Delivered(message_id, Level.L1)

    async def _post_piece(
        self, letter: Letter, piece: bytes, of: tuple[int, int], message_id: str, context: Context
    ) -> Response:
        headers = {"mex-chunk-range": f"{of[0]}:{of[1]}", "content-type": letter.content_type}
        headers |= {"content-encoding": "gzip"} if self._packed else {}
        if of[0] == 1:
            headers |= {"mex-from": self._id, "mex-to": letter.to, "mex-workflowid": letter.workflow}
            headers |= {"mex-localid": letter.local_id, "mex-filename": letter.file_name}
        path = "/outbox" if of[0] == 1 else f"/outbox/{quote(message_id, safe='')}/{of[0]}"
        content = gzip.compress(piece, mtime=0) if self._packed else piece
        return await self._send(context, "POST", path, headers, content, starts=True)

    async def _find(self, local_id: str, context: Context) -> Sent | Outcome | None:
        reply = await self._ask(context, "GET", f"/outbox/tracking/{quote(local_id, safe='')}")
        if reply.status == 404:
            return None
        if reply.status == 300:
            return InDoubt("several-with-our-id")
        if reply.status != 200:
            return _failed(reply, context.now)
        return _sent(_object(reply))

    async def _pages(self, context: Context, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        pages: list[dict[str, Any]] = []
        while len(pages) < _PAGES:
            reply = await self._ask(context, "GET", f"{path}?{urlencode(query)}")
            if reply.status != 200:
                raise NotSent(f"http-{reply.status}")
            page = _object(reply)
            pages.append(page)
            links = page.get("links")
            following = links.get("next") if isinstance(links, dict) else None
            on = parse_qs(urlsplit(following).query).get("continue_from") if isinstance(following, str) else None
            if not on:
                break
            query = query | {"continue_from": on[0]}  # only this is taken from the link: never where it points
        return pages

    async def _ask(self, context: Context, method: str, path: str, headers: dict[str, str] | None = None) -> Response:
        """A call that carries no parcel: that no reply came says that it is to be asked again."""
        try:
            return await self._send(context, method, path, headers or {}, None, starts=False)
        except NoReply as failure:
            raise NotSent(failure.reason) from None

    async def _send(  # noqa: PLR0913 - it is one HTTP request
        self, context: Context, method: str, path: str, headers: dict[str, str], content: bytes | None, *, starts: bool
    ) -> Response:
        proved = {"accept": _ACCEPT, "authorization": self.authorization(context.now)} | headers
        return await context.send(method, self._url + path, headers=proved, content=content, starts=starts)

    def authorization(self, now: datetime) -> str:
        """Return a header value that is good for one request: its nonce is never used again."""
        nonce, at = str(uuid.uuid4()), now.strftime("%Y%m%d%H%M")
        proof = f"{self._id}:{nonce}:1:{self._password}:{at}".encode()
        return f"NHSMESH {self._id}:{nonce}:1:{at}:{hmac.new(self._key, proof, hashlib.sha256).hexdigest()}"


def _failed(reply: Response, now: datetime) -> Outcome:
    """Say what a refusal means: of us is Halt, of this parcel Rejected, of the moment RetryLater, else in doubt."""
    code = f"http-{reply.status}"
    said = _error_code(reply)
    if said in _BROKEN or reply.status in {401, 403}:
        return Halt(_BROKEN.get(said, code))
    if said in _REFUSED:
        return Rejected(_REFUSED[said])
    if reply.status in {408, 429, 503}:
        return RetryLater(code, retry_after(reply, now))
    if reply.status in {400, 406, 413, 417, 422}:
        return Rejected(code)
    # Whoever else answers with a success stands between us and MESH; an address that is not there is ours to mend.
    return InDoubt(code) if reply.status >= 500 or reply.status < 300 or reply.status == 423 else Halt(code)


def _error_code(reply: Response) -> str:
    said = _object(reply)
    detail = said.get("detail")
    first = detail[0] if isinstance(detail, list) and detail else said
    for name in ("code", "errorCode"):
        if isinstance(first, dict) and isinstance(first.get(name), str):
            return str(first[name])
    return ""


def _sent(said: dict[str, Any]) -> Sent:
    """Read a tracking record in both versions of the interface."""

    def text(*names: str) -> str:
        return next((said[name] for name in names if isinstance(said.get(name), str)), "")

    chunks = said.get("chunkCount", said.get("total_chunks"))
    return Sent(
        text("message_id", "messageId", "dtsId"),
        text("local_id", "localId"),
        text("recipient"),
        text("workflow_id", "workflowId"),
        text("status").lower(),
        chunks if isinstance(chunks, int) and chunks > 0 else 1,
    )


def _named(reply: Response) -> str:
    said = _object(reply)
    name = said.get("message_id", said.get("messageID"))
    return name if isinstance(name, str) else ""


def _object(reply: Response) -> dict[str, Any]:
    try:
        value = reply.json()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
