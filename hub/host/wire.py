"""The frames between courier and host: lengths, a JSON header, and the parcel's bytes untouched behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from struct import Struct
from typing import Annotated, Any, Literal

import orjson
from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from hub.sdk import (
    Answer,
    Delivered,
    DeliveryKind,
    Halt,
    Inbound,
    InDoubt,
    Invite,
    Outcome,
    Parcel,
    Rejected,
    RetryLater,
)

#: Bytes of a header (an answer's text is in it), and of a whole frame.
MAX_HEADER = 512 * 1024
MAX_FRAME = 64 * 1024 * 1024

_LENGTHS = Struct(">II")
#: Words and three-digit statuses: no dot, no at sign, no number that could be a person's or a place's.
_REASON = re.compile(r"(?=.{1,60}\Z)(?:[a-z]+|[1-5][0-9]{2})(?:[-_:](?:[a-z]+|[1-5][0-9]{2}))*")
_KINDS = (Delivered, RetryLater, Rejected, InDoubt, Halt, Invite)
_OUTCOMES: dict[str, TypeAdapter[Outcome]] = {kind.__name__: TypeAdapter(kind) for kind in _KINDS}


class FrameError(Exception):
    """The other side broke the protocol: the connection ends and nothing of the frame is used."""


def clean_reason(reason: object) -> str:
    """Return a reason code, or "unstated" for anything that could be prose: a code names no person."""
    return reason if isinstance(reason, str) and _REASON.fullmatch(reason) else "unstated"


#: Characters of an answer: of what stands on one line, and of what was written.
_MOST_LINE, _MOST_TEXT = 200, 20_000
#: Characters of what a partner calls a message or a delivery; its own end is cut alike wherever it stands.
_MOST_NAME = 1_000
#: What no database and no UTF-8 holds: NUL, and half of a surrogate pair.
_BROKEN = re.compile("[\x00\ud800-\udfff]")


def _whole(text: str, most: int) -> str:
    """Return a text that can be kept; anything but a text is returned as it is, and fails where types are checked."""
    return _BROKEN.sub("\ufffd", text[:most]) if isinstance(text, str) else text


def _whole_answers(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    if not isinstance(answers, tuple | list) or not all(isinstance(each, Answer) for each in answers):
        return answers
    return tuple(
        replace(
            each,
            text=_whole(each.text, _MOST_TEXT),
            owner=_whole(each.owner, _MOST_LINE),
            reason=_whole(each.reason, _MOST_LINE),
            stage=_whole(each.stage, _MOST_LINE),
            next_step=_whole(each.next_step, _MOST_LINE),
        )
        for each in answers
    )


def whole(frame: Frame) -> Frame:
    """Return a frame whose words of a partner can be sent and kept: no authentic answer is refused for its form (R35).

    Done before a frame is written, for JSON cannot hold all that Python can, and once more where the hub reads it, for
    a host need not have.
    """
    if isinstance(frame, Read) and isinstance(frame.inbound, Inbound):
        said = frame.inbound
        message_id, reference = _whole(said.message_id, _MOST_NAME), _whole(said.reference, _MOST_NAME)
        answers = _whole_answers(said.answers)
        return replace(frame, inbound=replace(said, message_id=message_id, reference=reference, answers=answers))
    if isinstance(frame, Settled) and isinstance(frame.outcome, Delivered):
        taken = frame.outcome
        receipt, answers = _whole(taken.receipt, _MOST_NAME), _whole_answers(taken.answers)
        return replace(frame, outcome=replace(taken, receipt=receipt, answers=answers))
    return frame


def _pack(outcome: Outcome) -> dict[str, Any]:
    name = type(outcome).__name__
    return {"is": name, **_OUTCOMES[name].dump_python(outcome, mode="json", warnings=False)}


def _unpack(value: Any) -> Outcome:
    fields = dict(value)
    outcome = _OUTCOMES[fields.pop("is")].validate_python(fields)
    if isinstance(outcome, RetryLater):
        return RetryLater(clean_reason(outcome.reason), outcome.after, outcome.counts)
    if isinstance(outcome, Rejected | InDoubt | Halt):
        return type(outcome)(clean_reason(outcome.reason))
    return outcome


CarriedOutcome = Annotated[Outcome, PlainSerializer(_pack), PlainValidator(_unpack)]


@dataclass(frozen=True, slots=True)
class Configure:
    """First frame to a host: which connector it is, and all it will ever know of its connection.

    `paths` are folders added to the module search (none for an installed plugin), `sha256` the content hash that the
    allow-list names ("" is not checked), `folders` the only places it may write to, `parent` what the host compares
    itself with to know its isolation, `strict` that it gives up the network and borrows its connections.
    """

    connection: str
    connector: str
    plugin: str
    distribution: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    hosts: tuple[str, ...] = ()
    allow_addresses: tuple[str, ...] = ()
    in_flight: int = 32
    body_bytes: int = 1_000_000
    reply_bytes: int = 1_000_000
    deadline_seconds: float = 30
    idle_seconds: float = 60
    paths: tuple[str, ...] = ()
    sha256: str = ""
    folders: tuple[str, ...] = ()
    parent: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Carry:
    """Deliver or reconcile one parcel; `body` travels raw."""

    call: int
    verb: Literal["deliver", "reconcile"]
    token: str
    kind: DeliveryKind
    attempt: int
    idempotency_key: str
    case: str
    content_type: str
    address: str
    deadline: float
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, call: int, verb: Literal["deliver", "reconcile"], parcel: Parcel) -> Carry:
        """Wrap a parcel for its way to the host."""
        return cls(call, verb, **{name: getattr(parcel, name) for name in Parcel.__slots__})

    def parcel(self) -> Parcel:
        """Return the parcel as the connector gets it."""
        return Parcel(**{name: getattr(self, name) for name in Parcel.__slots__})


@dataclass(frozen=True, slots=True)
class Parse:
    """Read a verified message of the partner's."""

    call: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Check:
    """Say whether the connection works."""

    call: int
    deadline: float


@dataclass(frozen=True, slots=True)
class Collect:
    """Fetch what waits at the partner, `waiting` being the receipts that may be answered; ends with `Done`."""

    call: int
    deadline: float
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Tell the partner that a collected message is safe; ends with `Done`."""

    call: int
    reference: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Ready:
    """The host has its connector; `isolation` names what holds it, strongest first."""

    isolation: str
    measures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The host cannot run this connector; it exits."""

    reason: str


@dataclass(frozen=True, slots=True)
class Started:
    """The call's first byte is about to leave."""

    call: int


@dataclass(frozen=True, slots=True)
class Settled:
    """A deliver, reconcile or check is over."""

    call: int
    outcome: CarriedOutcome


@dataclass(frozen=True, slots=True)
class Read:
    """What a message of the partner's means: the result of a parse, or one of many of a collect."""

    call: int
    inbound: Inbound


@dataclass(frozen=True, slots=True)
class Done:
    """A collect or acknowledge is over."""

    call: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A parse, collect or acknowledge did not work."""

    call: int
    code: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """The host has been idle long enough and reads nothing more: what crosses this frame was never begun."""


Request = Carry | Parse | Check | Collect | Acknowledge
Reply = Started | Settled | Read | Done | Failed
Frame = Configure | Request | Ready | Broken | Reply | Leaving

_FRAMES: dict[str, TypeAdapter[Frame]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (
        *(Configure, Carry, Parse, Check, Collect, Acknowledge),
        *(Ready, Broken, Started, Settled, Read, Done, Failed, Leaving),
    )
}
_WITH_BODY = frozenset({"Carry", "Parse"})


def encode(frame: Frame) -> bytes:
    """Return a frame's bytes: u32 rest, u32 header, header, body; raises `FrameError` when it is too large.

    A value of a wrong type is found where the frame is read: a warning here would write a partner's words to a log.
    """
    frame = whole(frame)
    name = type(frame).__name__
    raw = name in _WITH_BODY
    fields = _FRAMES[name].dump_python(frame, mode="json", exclude={"body"} if raw else None, warnings=False)
    header = orjson.dumps([name, fields])
    body: bytes = getattr(frame, "body", b"")
    total = 4 + len(header) + len(body)
    if len(header) > MAX_HEADER or total > MAX_FRAME:
        raise FrameError("too-large")
    return _LENGTHS.pack(total, len(header)) + header + body


def decode(header: bytes, body: bytes) -> Frame:
    """Return the frame in a header and a body; raises `FrameError` on anything that is not one, whole and typed."""
    try:
        name, fields = orjson.loads(header)
        if name in _WITH_BODY:
            fields["body"] = body
        elif body:
            raise FrameError("unexpected-body")
        return whole(_FRAMES[name].validate_python(fields))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise FrameError("malformed") from None


def lengths(prefix: bytes) -> tuple[int, int]:
    """Return the bytes of header and body that follow an eight-byte prefix; raises `FrameError` beyond the caps."""
    total, header = _LENGTHS.unpack(prefix)
    if total > MAX_FRAME or header > MAX_HEADER or total < 4 + header:
        raise FrameError("bad-length")
    return header, total - 4 - header


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """Read one frame; None at the end of the stream, `FrameError` when it breaks off inside one."""
    try:
        header, body = lengths(await reader.readexactly(_LENGTHS.size))
        return decode(await reader.readexactly(header), await reader.readexactly(body))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise FrameError("cut-short") from None
        return None
    except ConnectionError:
        return None
