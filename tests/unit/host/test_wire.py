"""Frames: every kind survives its way, bytes stay bytes, and nothing that is not a frame gets through."""

from __future__ import annotations

import asyncio
import json
import struct
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.host import wire
from hub.sdk import (
    Answer,
    AnswerState,
    Delivered,
    DeliveryKind,
    Halt,
    Inbound,
    InDoubt,
    Invite,
    Level,
    Parcel,
    Rejected,
    RetryLater,
)

pytestmark = pytest.mark.anyio

ANSWER = Answer(AnswerState.ACCEPTED, owner="Zoë", text="a\nb", next_date=date(2026, 3, 1))
PARCEL = Parcel("t", DeliveryKind.CORRECTION, 2, "k", "c", b"\x00\xff{}", "application/json", "address", 1234.5)

FRAMES = [
    wire.Configure("c", "i", "p", "d", {"base_url": "x", "n": [1]}, {"s": "v"}, ("h:1",), ("127.0.0.0/8",), sha256="0"),
    wire.Carry.of(1, "deliver", PARCEL),
    wire.Carry.of(2, "reconcile", PARCEL),
    wire.Parse(3, {"a": "b"}, b"\x00body"),
    wire.Check(4, 1.5),
    wire.Collect(5, 1.5),
    wire.Acknowledge(6, "r", 1.5),
    wire.Ready("landlock", ("landlock", "no-new-privileges")),
    wire.Broken("import-failed"),
    wire.Started(7),
    *(
        wire.Settled(8, outcome)
        for outcome in (
            Delivered("r", Level.L2, (ANSWER,)),
            RetryLater("busy", 3.5, counts=False),
            Rejected("bad"),
            InDoubt("deadline"),
            Halt("token-refused"),
            Invite("desk@service.example"),
        )
    ),
    wire.Read(9, Inbound("m", "r", Level.L2, (ANSWER,))),
    wire.Done(10),
    wire.Failed(11, "not-theirs"),
    wire.Leaving(),
]


def split(encoded: bytes) -> tuple[bytes, bytes]:
    header, body = wire.lengths(encoded[:8])
    assert len(encoded) == 8 + header + body
    return encoded[8 : 8 + header], encoded[8 + header :]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
async def test_every_frame_survives_its_way_even_a_byte_at_a_time(frame) -> None:
    # given a frame cut into single bytes
    encoded, reader = wire.encode(frame), asyncio.StreamReader()
    # when it is read
    reading = asyncio.create_task(wire.read(reader))
    for byte in encoded:
        reader.feed_data(bytes([byte]))
    # then it is the same frame, types and all
    assert await reading == frame


@given(st.binary(max_size=2000), st.text(max_size=50))
def test_a_parcel_s_bytes_are_never_touched(body: bytes, address: str) -> None:
    parcel = Parcel("t", DeliveryKind.SHARE, 1, "k", "c", body, "x/y", address, 0.0)
    frame = wire.decode(*split(wire.encode(wire.Carry.of(1, "deliver", parcel))))
    assert isinstance(frame, wire.Carry)
    assert frame.parcel() == parcel


@pytest.mark.parametrize(
    "reason",
    [
        *("", "John Smith", "A", "a" * 61, "naïve", "x\n", "1 High Street", " a", "-a", "a-", "a--b", None, 7, b"a"),
        *("sam.okafor", "sam.okafor:example", "9434765919", "call-07700900123", "born-1984", "flat-12", "sw1a"),
    ],
)
def test_a_reason_that_could_be_prose_is_unstated(reason: object) -> None:
    assert wire.clean_reason(reason) == "unstated"


@pytest.mark.parametrize(
    "reason", ["http-404", "status:503", "settings-invalid:base_url", "receiver-error:no-store", "a" * 60]
)
def test_a_code_is_a_reason(reason: str) -> None:
    assert wire.clean_reason(reason) == reason


@pytest.mark.parametrize("outcome", [RetryLater("John Smith"), Rejected("John Smith"), InDoubt("é"), Halt("X")])
def test_prose_does_not_survive_the_way_out_of_a_host(outcome) -> None:
    frame = wire.decode(*split(wire.encode(wire.Settled(1, outcome))))
    assert frame.outcome.reason == "unstated"


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_junk_is_a_frame_error_and_nothing_else(header: bytes, body: bytes) -> None:
    with pytest.raises(wire.FrameError):
        wire.decode(header, body)


@pytest.mark.parametrize(
    "header",
    [
        b'["Settled",{"call":1,"outcome":{"is":"Delivered","receipt":7}}]',
        b'["Settled",{"call":1,"outcome":{"is":"Parcel"}}]',
        b'["Settled",{"call":1,"outcome":{"receipt":"x"}}]',
        b'["Settled",{"call":1,"outcome":["is","Delivered"]}]',
        b'["Settled",{"call":"one","outcome":{"is":"Halt","reason":"x"}}]',
        b'["Started",{}]',
        b'["Unheard",{}]',
        b'["Read",{"call":1,"inbound":{"message_id":"m","reference":"r","level":9}}]',
        b'{"Started":{"call":1}}',
        b"[[],{}]",
    ],
)
def test_a_frame_with_a_field_of_another_type_is_refused(header: bytes) -> None:
    """TH09: a rogue host cannot hand over what the hub did not define."""
    with pytest.raises(wire.FrameError, match="malformed"):
        wire.decode(header, b"")


@pytest.mark.parametrize(
    "prefix",
    [
        struct.pack(">II", wire.MAX_FRAME + 1, 10),
        struct.pack(">II", wire.MAX_HEADER + 100, wire.MAX_HEADER + 1),
        struct.pack(">II", 3, 0),
        struct.pack(">II", 10, 11),
        b"\xff" * 8,
    ],
)
def test_lengths_beyond_the_caps_are_refused_before_anything_is_read(prefix: bytes) -> None:
    with pytest.raises(wire.FrameError, match="bad-length"):
        wire.lengths(prefix)


def test_what_is_too_large_is_not_sent() -> None:
    with pytest.raises(wire.FrameError, match="too-large"):
        wire.encode(wire.Acknowledge(1, "r" * wire.MAX_HEADER, 1.0))


async def test_an_end_inside_a_frame_differs_from_an_end_between_frames() -> None:
    between, inside = asyncio.StreamReader(), asyncio.StreamReader()
    between.feed_eof()
    inside.feed_data(wire.encode(wire.Started(1))[:-1])
    inside.feed_eof()
    assert await wire.read(between) is None
    with pytest.raises(wire.FrameError, match="cut-short"):
        await wire.read(inside)


def test_secrets_and_bodies_stay_out_of_representations() -> None:
    configure = wire.Configure("c", "i", "p", "d", {}, {"api_key": "canary-1"})
    assert "canary-1" not in repr(configure)
    assert "canary-2" not in repr(wire.Parse(1, {"authorization": "canary-2"}, b"canary-2"))
    assert "canary-3" not in repr(
        wire.Carry.of(1, "deliver", Parcel("t", DeliveryKind.SHARE, 1, "", "", b"canary-3", "", "", 0))
    )


BROKEN = Answer(
    AnswerState.DECLINED,
    owner="Jo\ud83d" + "x" * 500,
    text="no\x00pe" + "y" * 600_000,
    reason="\udfff",
    stage="s" * 201,
    next_step="ring\x00",
)


@pytest.mark.parametrize("kind", ["message", "reply"])
def test_no_answer_is_refused_for_its_form(kind: str) -> None:
    # given what JSON cannot hold, what no database keeps, and far more than anyone reads
    if kind == "message":
        frame: wire.Frame = wire.Read(1, Inbound("m\x00", "r\ud800", None, (BROKEN,)))
    else:
        frame = wire.Settled(1, Delivered("r\ud800", Level.L2, (BROKEN,)))
    # when it goes from host to hub
    come = wire.decode(*split(wire.encode(frame)))
    # then it is there, whole
    said = come.inbound if isinstance(come, wire.Read) else come.outcome
    [answer] = said.answers
    assert answer.owner == "Jo\ufffd" + "x" * 197
    assert answer.text == "no\ufffdpe" + "y" * 19_995
    assert (answer.reason, answer.stage, answer.next_step) == ("\ufffd", "s" * 200, "ring\ufffd")
    assert (said.reference if kind == "message" else said.receipt) == "r\ufffd"


def test_a_host_that_cleans_nothing_is_cleaned_up_after() -> None:
    # given a frame that no encoder of ours wrote
    said = {"state": "accepted", "owner": "o\x00" * 300, "text": "t\x00", "reason": "", "stage": "", "next_step": ""}
    inbound = {"message_id": "m", "reference": "r\x00", "level": None, "answers": [{**said, "next_date": None}]}
    # when the hub reads it
    come = wire.decode(json.dumps(["Read", {"call": 1, "inbound": inbound}]).encode(), b"")
    # then nothing of it stops the database
    assert isinstance(come, wire.Read)
    assert come.inbound.answers == (Answer(AnswerState.ACCEPTED, owner="o\ufffd" * 100, text="t\ufffd"),)
    assert come.inbound.reference == "r\ufffd"
