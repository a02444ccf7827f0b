"""A MESH of the hub's own to try a connector on: a post office with our mailbox and a partner's, on a real port.

It keeps to what NHS England's MESH API says of sending, chunks, tracking, the inbox, reports and refusals, judges every
request's authorisation, and does not recognise a message that comes twice: that is for the sender to find out.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.ledger import Entry
from hub.sdk.testing.mesh_proof import MailboxProof
from hub.sdk.testing.sandbox import Behaviour, Sandbox, Verdict
from hub.sdk.testing.serve import Surroundings

#: A mailbox that is neither ours nor the partner's: what it writes is for nobody's connection.
STRANGER = "X26STRANGER"
#: What MESH says of a refusal, by its code.
_SAID = {
    "02": "Data file is missing or inaccessible",
    "06": "Malformed control file",
    "12": "Unregistered to address",
    "14": "Message not collected by recipient after 5 days",
    "17": "Workflow ID not registered for mailbox",
    "20": "Message does not exist",
}


@dataclass(slots=True)
class Post:
    """One message in the post; `status` as MESH says it, `error` the code of a report."""

    id: str
    local_id: str
    sender: str
    to: str
    workflow: str
    total: int = 1
    content_type: str = "application/octet-stream"
    file_name: str = ""
    pieces: dict[int, bytes] = field(default_factory=dict)
    status: str = "accepted"
    error: str = ""
    about: str = ""  #: the id of the message that a report is about

    @property
    def body(self) -> bytes:
        """Every piece, in order."""
        return b"".join(self.pieces[number] for number in sorted(self.pieces))

    def tracking(self) -> dict[str, Any]:
        """Return what MESH says of a message that was sent."""
        known = {"message_id": self.id, "local_id": self.local_id, "workflow_id": self.workflow}
        return known | {"recipient": self.to, "status": self.status, "total_chunks": self.total}


@dataclass(frozen=True, slots=True)
class Written:
    """What a partner writes back: a file under the paired workflow id, in as many pieces as are asked for."""

    body: bytes
    content_type: str
    file_name: str = "answer"


Handler = Callable[[Request], Awaitable[Response]]
#: Makes a partner's answer to one message, from what it is told to say.
Reply = Callable[[Post, dict[str, Any]], Written]


class PostOffice:
    """MESH and, behind the partner's mailbox, the partner, who answers when it is told to.

    Its settings are `mailbox` (ours), `to_mailbox` (theirs), `workflow`, `password` (of both) and `shared_key`.
    """

    def __init__(self, around: Surroundings, reply: Reply) -> None:
        of = around.settings
        if missing := {"mailbox", "to_mailbox", "workflow", "password", "shared_key"} - set(of):
            raise ValueError(f"the sandbox's settings have to name {', '.join(sorted(missing))}")
        self._ours, self._theirs, self._workflow = str(of["mailbox"]), str(of["to_mailbox"]), str(of["workflow"])
        self._proof = MailboxProof((self._ours, self._theirs), str(of["password"]), str(of["shared_key"]))
        self._reply = reply
        self._post: dict[str, Post] = {}
        box = "/messageexchange/{mailbox}"
        routes = [
            Route(box, self._let_in(self._shake_hands), methods=["POST"]),
            Route(f"{box}/outbox", self._let_in(self._take), methods=["POST"]),
            Route(f"{box}/outbox/rich", self._let_in(self._list_sent)),
            Route(f"{box}/outbox/tracking/{{local_id}}", self._let_in(self._track)),
            Route(f"{box}/outbox/{{message_id}}/{{number:int}}", self._let_in(self._take), methods=["POST"]),
            Route(f"{box}/inbox", self._let_in(self._list_waiting)),
            Route(f"{box}/inbox/{{message_id}}", self._let_in(self._fetch)),
            Route(f"{box}/inbox/{{message_id}}/{{number:int}}", self._let_in(self._fetch)),
            Route(f"{box}/inbox/{{message_id}}/status/acknowledged", self._let_in(self._acknowledge), methods=["PUT"]),
            Route("/sandbox/say", self._say, methods=["POST"]),
            Route("/sandbox/post", self._order, methods=["POST"]),
        ]
        self.sandbox = Sandbox("mesh", routes, ledger=around.ledger)
        for entry in around.ledger.entries():  # what was in the post before it ended
            self._replay(entry)

    def write(self, sender: str, workflow: str, said: Written, pieces: int = 1) -> Post:
        """Put a message into our mailbox."""
        size = max(1, -(-len(said.body) // pieces))
        cut = {1 + at // size: said.body[at : at + size] for at in range(0, len(said.body), size)} or {1: b""}
        post = Post(uuid4().hex.upper(), "", sender, self._ours, workflow, len(cut), said.content_type)
        post.file_name, post.pieces = said.file_name, cut
        self._post[post.id] = post
        return post

    def _let_in(self, handler: Handler) -> Handler:
        """Let only those in who prove their mailbox, with every request anew."""

        async def judged(request: Request) -> Response:
            refused = self._proof.refusal(request)
            return await handler(request) if refused is None else refused

        return judged

    async def _shake_hands(self, request: Request) -> Response:
        needed = ("mex-clientversion", "mex-osname", "mex-osversion")
        return JSONResponse({"mailboxId": self._ours}) if all(map(request.headers.get, needed)) else _fault("06", 400)

    async def _take(self, request: Request) -> Response:
        """Take one piece of a message; the message has arrived with its last."""
        begun = self._post.get(request.path_params.get("message_id", ""))
        key = begun.local_id if begun is not None else request.headers.get("mex-localid", "")
        headers, path = {name.lower(): value for name, value in request.headers.items()}, request.url.path

        def accept(body: bytes, _: Behaviour) -> Verdict:
            return self._judge(headers, path, body)

        return await self.sandbox.take(
            request,
            key=key,
            accept=accept,
            refuse=lambda _: _fault("12"),
            lie=lambda _: JSONResponse({"message_id": uuid4().hex.upper()}, 202),
        )

    def _judge(self, headers: dict[str, str], path: str, body: bytes) -> Verdict:
        number, total = _range(headers.get("mex-chunk-range", "1:1"))
        _, mailbox, _, *rest = path.removeprefix("/messageexchange").split("/")
        piece = _unpacked(headers, body)
        if not number or piece is None or (number > 1 and not rest):
            return Verdict(_fault("06"), effect=False)
        if not piece:
            return Verdict(_fault("02"), effect=False)
        if rest:
            return self._go_on(rest[0], mailbox, (number, int(rest[1])), piece)
        return self._begin(headers, mailbox, total, piece)

    def _begin(self, headers: dict[str, str], mailbox: str, total: int, piece: bytes) -> Verdict:
        if headers.get("mex-to") not in {self._ours, self._theirs}:
            return Verdict(_fault("12"), effect=False)
        if headers.get("mex-workflowid") not in {self._workflow, f"{self._workflow}_ACK"}:
            return Verdict(_fault("17"), effect=False)
        local_id = headers.get("mex-localid", "")
        post = Post(self._new_id(local_id), local_id, mailbox, headers["mex-to"], headers["mex-workflowid"], total)
        post.content_type, post.file_name = headers.get("content-type", ""), headers.get("mex-filename", "")
        post.pieces, post.status = {1: piece}, "accepted" if total == 1 else "uploading"
        self._post[post.id] = post
        return Verdict(JSONResponse({"message_id": post.id}, 202), effect=total == 1)

    def _go_on(self, message_id: str, mailbox: str, numbers: tuple[int, int], piece: bytes) -> Verdict:
        post = self._post.get(message_id)
        if post is None or post.sender != mailbox:
            return Verdict(_fault("20", 404), effect=False)
        if post.status != "uploading":
            return Verdict(Response(status_code=423), effect=False)
        if numbers[0] != numbers[1] or not 1 < numbers[0] <= post.total:
            return Verdict(_fault("06"), effect=False)
        post.pieces[numbers[0]] = piece
        whole = len(post.pieces) == post.total
        post.status = "accepted" if whole else post.status
        return Verdict(JSONResponse({"message_id": post.id}, 202), effect=whole)

    async def _track(self, request: Request) -> Response:
        ours = [post for post in self._sent_by(request) if post.local_id == request.path_params["local_id"]]
        if len(ours) > 1:
            return Response(status_code=300)
        return JSONResponse(ours[0].tracking()) if ours else _fault("20", 404)

    async def _list_sent(self, request: Request) -> Response:
        return JSONResponse({"messages": [post.tracking() for post in self._sent_by(request)]})

    async def _list_waiting(self, request: Request) -> Response:
        wanted = request.query_params.get("workflow_filter", "")
        waiting = [post for post in self._waiting_for(request) if wanted in {"", post.workflow}]
        return JSONResponse({"messages": [post.id for post in waiting]})

    async def _fetch(self, request: Request) -> Response:
        post, number = self._named(request), int(request.path_params.get("number", 1))
        if post is None or number not in post.pieces:
            return _fault("20", 404)
        if post.status == "acknowledged":
            return Response(status_code=410)
        about = {"mex-from": post.sender, "mex-to": post.to, "mex-workflowid": post.workflow}
        about |= {"mex-messageid": post.id, "mex-chunk-range": f"{number}:{post.total}", "mex-localid": post.local_id}
        about |= {"mex-messagetype": "DATA", "mex-filename": post.file_name, "content-type": post.content_type}
        if post.error:
            about |= {"mex-messagetype": "REPORT", "mex-statuscode": post.error, "mex-linkedmsgid": post.about}
            about |= {"mex-statussuccess": "ERROR", "mex-statusdescription": _SAID[post.error]}
        return Response(post.pieces[number], 200 if number == post.total else 206, about)

    async def _acknowledge(self, request: Request) -> Response:
        post = self._named(request)
        if post is None:
            return _fault("20", 404)
        post.status = "acknowledged"
        return Response(status_code=200)

    async def _say(self, request: Request) -> Response:
        """Have the partner collect a message of ours, named by `key`, and answer it, in so many `pieces`."""
        said = await request.json()
        post = self._by_key(str(said.get("key")))
        if post is None:
            return JSONResponse({"error": "no message with this key"}, 404)
        post.status = "acknowledged"
        written = self._reply(post, said)
        made = self.write(self._theirs, f"{self._workflow}_ACK", written, int(said.get("pieces", 1)))
        return JSONResponse({"message": made.id})

    async def _order(self, request: Request) -> Response:
        """Collect a message, report one as never collected, or put anything into our mailbox; tells what waits."""
        order = await request.json()
        post = self._by_key(str(order.get("key")))
        match order.get("do"):
            case "collect" if post is not None:
                post.status = "acknowledged"
            case "report" if post is not None:
                made = self.write("", post.workflow, Written(b"", "application/octet-stream"))
                made.local_id, made.error, made.about = post.local_id, str(order.get("code", "14")), post.id
            case "write":
                body = Written(str(order.get("text", "")).encode("latin-1"), "text/plain")
                self.write(str(order.get("sender", self._theirs)), f"{self._workflow}_ACK", body)
            case "look":
                pass
            case _:
                return JSONResponse({"error": "do: collect, report, write or look"}, 400)
        waiting = [each.id for each in self._post.values() if each.to == self._ours and each.status == "accepted"]
        return JSONResponse({"waiting": waiting})

    def _by_key(self, key: str) -> Post | None:
        found = (post for post in self._post.values() if post.local_id == key and post.sender == self._ours)
        return next((post for post in found if post.status != "uploading"), None)

    def _sent_by(self, request: Request) -> list[Post]:
        return [post for post in self._post.values() if post.sender == request.path_params["mailbox"]]

    def _waiting_for(self, request: Request) -> list[Post]:
        mailbox = request.path_params["mailbox"]
        return [post for post in self._post.values() if post.to == mailbox and post.status == "accepted"]

    def _named(self, request: Request) -> Post | None:
        post = self._post.get(request.path_params["message_id"])
        return post if post is not None and post.to == request.path_params["mailbox"] else None

    def _new_id(self, local_id: str) -> str:
        """Return an id for the next message with this local id, which a restart makes again."""
        before = sum(post.local_id == local_id for post in self._post.values())
        return uuid5(NAMESPACE_OID, f"{local_id} {before}").hex.upper()

    def _replay(self, entry: Entry) -> None:
        """Take again what was taken before: a lie and a refusal left nothing behind."""
        began = _range(entry.headers.get("mex-chunk-range", "1:1"))
        if entry.effect or (entry.status == 202 and began[1] > 1):
            self._judge(entry.headers, entry.path, entry.body)


def _range(text: str) -> tuple[int, int]:
    """Read `mex-Chunk-Range`, as 2:3; (0, 0) for what is none."""
    number, _, total = text.partition(":")
    if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
        return 0, 0
    return int(number), int(total)


def _unpacked(headers: dict[str, str], body: bytes) -> bytes | None:
    """Return a piece as it was before it was packed; None for what cannot be."""
    if headers.get("content-encoding", "") != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return None


def _fault(code: str, status: int = 417) -> Response:
    """Refuse as MESH does in the second version of its interface."""
    return JSONResponse({"detail": [{"event": "SEND", "code": code, "msg": _SAID[code]}]}, status)
