"""Asking a receiver what it takes: before the first message, twice a day, leniently, and never as a doubt."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hub_health_fhir import discovery
from hub_health_fhir.discovery import Discovery

from hub.sdk import Delivered, Halt, InDoubt, Level, Outcome, Rejected, Response, RetryLater
from hub.sdk.testing.process import SandboxProcess

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
STATEMENT = {"resourceType": "CapabilityStatement"}


def asked(sandbox: SandboxProcess, service: str) -> list[dict[str, Any]]:
    """The questions about one service, oldest first."""
    return [each for each in sandbox.order("asked")["asked"] if service in parse_target(each)]


def parse_target(question: dict[str, Any]) -> str:
    return base64.b64decode(question["headers"].get("nhsd-target-identifier", "")).decode()


async def test_a_receiver_is_asked_once_with_the_headers_of_the_standard_and_then_sent_to(
    sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given
    connector = bars(sandbox_once.url)
    async with context() as lent:
        # when: two messages to one service
        outcomes = [await connector.deliver(parcel("3000000001"), lent) for _ in range(2)]
        # then: only the messages themselves count as having left
        assert all(isinstance(outcome, Delivered) for outcome in outcomes)
        assert lent.started == 2
    statement, definitions = asked(sandbox_once, "3000000001")
    assert (statement["path"], definitions["path"]) == ("/metadata", "/MessageDefinition")
    # and the service goes together with the use case that was agreed
    assert parse_qs(definitions["query"])["context"] == [
        "https://fhir.nhs.uk/Id/dos-service-id|3000000001",
        "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars|a1t1",
    ]
    for headers in (statement["headers"], definitions["headers"]):
        assert headers["accept"] == "application/fhir+json; version=1.4.0"
        assert {"nhsd-end-user-organisation", "nhsd-requesting-software", "x-request-id"} <= set(headers)


async def test_check_asks_anew_and_forgets_what_was_known(
    sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    connector = bars(sandbox_once.url)
    async with context() as lent:
        await connector.deliver(parcel("3000000002"), lent)
        assert await connector.check(lent) == Delivered(level=Level.L0)
        await connector.deliver(parcel("3000000002"), lent)
    assert len(asked(sandbox_once, "3000000002")) == 4


async def test_a_refused_message_makes_the_next_one_ask_again(
    sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    connector = bars(sandbox_once.url)
    async with context() as lent:
        assert isinstance(await connector.deliver(parcel("3000000003-422"), lent), Rejected)
        await connector.deliver(parcel("3000000003-422"), lent)
    assert len(asked(sandbox_once, "3000000003-422")) == 4


async def test_who_is_told_not_to_discover_asks_nothing(
    sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    async with context() as lent:
        assert isinstance(await bars(sandbox_once.url, discover=False).deliver(parcel("3000000004"), lent), Delivered)
    assert asked(sandbox_once, "3000000004") == []


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        ("NHS0001-definitions-none", Rejected("discovery:takes-no-message")),
        ("NHS0001-definitions-other", Rejected("discovery:takes-other-messages")),
        ("NHS0001-metadata-404", Rejected("routing:not-found")),
        ("NHS0001-metadata-406", Rejected("not-acceptable:processing")),
        ("NHS0001-definitions-501", Rejected("not-implemented:not-supported")),
        ("NHS0001-metadata-403", Halt("not-allowed:forbidden")),
        ("NHS0001-definitions-401", Halt("unauthorised:expired")),
        ("NHS0001-metadata-408", RetryLater("receiver-timeout:timeout")),
        ("NHS0001-metadata-409", RetryLater("unexpected-status")),
        ("NHS0001-definitions-500", RetryLater("receiver-error:exception")),
        ("NHS0001-definitions-503", RetryLater("unavailable:transient", after=7.0)),
    ],
)
async def test_what_a_receiver_says_of_itself_has_one_meaning_and_nothing_left(
    *, target: str, outcome: Outcome, sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    sent = parcel(target)
    async with context() as lent:
        assert await bars(sandbox_once.url).deliver(sent, lent) == outcome
        assert lent.started == 0
    assert sandbox_once.effects(sent.idempotency_key) == 0


async def test_a_doubt_is_settled_without_asking_what_is_taken(
    sandbox_once: SandboxProcess, bars: Make, context: Make, parcel: Make
) -> None:
    # given: a service that no longer lists the message, and a parcel that may have arrived there
    sent = parcel("NHS0001-definitions-none")
    async with context() as lent:
        # when, then: sending it again says whether it had
        assert isinstance(await bars(sandbox_once.url).reconcile(sent, lent), Delivered)


async def test_a_question_without_a_reply_is_tried_later_and_is_no_doubt(
    monkeypatch: pytest.MonkeyPatch, *, intermediary: Make, bars: Make, context: Make, parcel: Make
) -> None:
    # given: a receiver that cuts the connection
    async with intermediary(lambda _head: None) as url, context() as lent:
        # when, then
        assert await bars(url, token_url=None).deliver(parcel(), lent) == RetryLater("no-whole-reply")
        assert lent.started == 0
    # and one that never replies
    monkeypatch.setattr(discovery, "PATIENCE", 0.02)
    assert await Discovery().refusal("1", "", NOW, Receiver(silent=True)) == RetryLater("discovery-no-reply")


class Receiver:
    """Answers the two questions, and counts them."""

    def __init__(self, definitions: Any = None, statement: Any = None, *, silent: bool = False) -> None:
        self.replies = {"/metadata": statement or STATEMENT, "/MessageDefinition": definitions}
        self.failing: Outcome | None = None
        self.count = 0
        self._silent = silent

    async def __call__(self, path: str) -> Response | Outcome:
        self.count += 1
        if self._silent:
            await asyncio.Event().wait()
        reply = self.replies[path.partition("?")[0]]
        return self.failing or Response(200, {}, reply if isinstance(reply, bytes) else json.dumps(reply).encode())


def listing(**definition: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MessageDefinition"} | definition}]}


EVENT = {"eventCoding": {"code": "servicerequest-request"}}


async def test_the_publishers_own_documents_are_read_though_they_are_not_valid_r4(samples: Path) -> None:
    definitions = (samples / "messagedefinition-searchset.json").read_bytes()
    statement = (samples / "capabilitystatement.json").read_bytes()
    assert await Discovery().refusal("2000099999", "", NOW, Receiver(definitions, statement)) is None


@pytest.mark.parametrize(
    ("definitions", "outcome"),
    [
        (listing(**EVENT), None),
        (listing(eventCoding=[{"code": "booking-request"}, EVENT["eventCoding"]]), None),
        (listing(eventUri="https://fhir.nhs.uk/events/servicerequest-request"), None),
        (listing(url="https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request"), None),
        ({"resourceType": "MessageDefinition"} | EVENT, None),
        (listing(**EVENT, status="retired"), Rejected("discovery:takes-no-message")),
        (listing(eventCoding={"code": "servicerequest-response"}), Rejected("discovery:takes-other-messages")),
        ({"resourceType": "Bundle", "entry": [None, {"resource": 3}]}, Rejected("discovery:takes-no-message")),
        ({"resourceType": "Bundle", "entry": "x"}, Rejected("discovery:takes-no-message")),
        ({"resourceType": "Patient"}, RetryLater("discovery-unreadable")),
        ([], RetryLater("discovery-unreadable")),
        (b"<html>", RetryLater("discovery-unreadable")),
        (b"[" * 100_000, RetryLater("discovery-unreadable")),
    ],
)
async def test_a_list_of_definitions_of_any_shape_is_read(definitions: Any, outcome: Outcome | None) -> None:
    assert await Discovery().refusal("1", "a1t1", NOW, Receiver(definitions)) == outcome


async def test_a_page_in_place_of_a_capability_statement_is_tried_later() -> None:
    assert await Discovery().refusal("1", "", NOW, Receiver(statement=b"<html>")) == RetryLater("not-a-bars-endpoint")


async def test_what_is_known_counts_for_twelve_hours_and_in_need_for_a_day() -> None:
    # given: a receiver that was asked once
    receiver, known = Receiver(listing(**EVENT)), Discovery()
    await known.refusal("1", "", NOW, receiver)
    # when it is asked within half a day, then not
    await known.refusal("1", "", NOW + timedelta(hours=11, minutes=59), receiver)
    assert receiver.count == 2
    # and when it cannot say after that, then what it said still counts, and it is not asked by every parcel
    receiver.failing = RetryLater("unavailable")
    assert await known.refusal("1", "", NOW + timedelta(hours=13), receiver) is None
    assert await known.refusal("1", "", NOW + timedelta(hours=13, minutes=4), receiver) is None
    assert receiver.count == 3
    assert await known.refusal("1", "", NOW + timedelta(hours=13, minutes=6), receiver) is None
    assert receiver.count == 4
    # and after a day nothing counts
    assert await known.refusal("1", "", NOW + timedelta(hours=24), receiver) == receiver.failing
    # and when it can say again, it is heard
    receiver.failing = None
    assert await known.refusal("1", "", NOW + timedelta(hours=24, minutes=1), receiver) is None


async def test_a_receiver_that_takes_it_no_longer_is_believed_at_once_and_asked_every_time() -> None:
    receiver, known = Receiver(listing(**EVENT)), Discovery()
    await known.refusal("1", "", NOW, receiver)
    receiver.replies["/MessageDefinition"] = listing()
    for minutes in (0, 1):
        later = NOW + timedelta(hours=12, minutes=minutes)
        assert await known.refusal("1", "", later, receiver) == Rejected("discovery:takes-other-messages")
    assert receiver.count == 6


async def test_many_parcels_at_once_ask_once_and_each_service_is_asked_for_itself() -> None:
    receiver, known = Receiver(listing(**EVENT)), Discovery()
    found = await asyncio.gather(*(known.refusal(each, "", NOW, receiver) for each in ("1", "1", "1", "2")))
    assert found == [None] * 4
    assert receiver.count == 4
    # and a purge of one leaves the other
    known.purge("1")
    await known.refusal("2", "", NOW, receiver)
    assert receiver.count == 4
    await known.refusal("1", "", NOW, receiver)
    assert receiver.count == 6
    assert InDoubt not in {type(each) for each in found}
