"""What a BaRS receiver says that it takes: asked before the first message to it, and kept for half a day (BaRS 1.4).

Both documents are read leniently: the publisher's own samples of them are not valid R4. What is kept lives and dies
with the connector's process; a refusal is never kept.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from hub.sdk import Outcome, Rejected, Response, RetryLater
from hub_health_fhir.callbacks import dig, items, words
from hub_health_fhir.headers import DOS, USE_CASES

REQUEST = "servicerequest-request"

FRESH = timedelta(hours=12)  #: from then on it is asked again (BaRS 1.4 recommends 12 hours)
OLDEST = timedelta(hours=24)  #: what is older counts for nothing, whatever the receiver's state (BaRS 1.4: at the most)
AGAIN = timedelta(minutes=5)  #: between two tries to renew what still counts
PATIENCE = 5.0  #: seconds for both questions together, so that the message keeps the most of its own time

#: Asks for a path and gives the 200, or what to do instead.
Ask = Callable[[str], Awaitable[Response | Outcome]]

_NEVER = datetime.min.replace(tzinfo=UTC)


class Discovery:
    """What is known of each receiver, by its service id; one question at a time for each."""

    def __init__(self) -> None:
        self._found: dict[str, datetime] = {}
        self._tried: dict[str, datetime] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def purge(self, service_id: str = "") -> None:
        """Forget what is known of one receiver, or of all."""
        for known in (self._found, self._tried):
            if service_id:
                known.pop(service_id, None)
            else:
                known.clear()

    async def refusal(self, service_id: str, use_case: str, now: datetime, ask: Ask) -> Outcome | None:
        """Return why nothing may be sent to this receiver now, or None; nothing has left in either case.

        `use_case` is the code that was agreed at onboarding, or empty.
        """
        if self._holds(service_id, now):
            return None
        async with self._locks[service_id]:
            if self._holds(service_id, now):  # another parcel asked while this one waited
                return None
            found = await _ask(service_id, use_case, ask)
            if found is None:
                self._found[service_id] = self._tried[service_id] = now
                return None
            if isinstance(found, RetryLater) and now - self._found.get(service_id, _NEVER) < OLDEST:
                self._tried[service_id] = now
                return None  # it cannot say now, and what it said yesterday still counts
            self.purge(service_id)
            return found

    def _holds(self, service_id: str, now: datetime) -> bool:
        found, tried = (known.get(service_id, _NEVER) for known in (self._found, self._tried))
        return now - found < FRESH or (now - found < OLDEST and now - tried < AGAIN)


async def _ask(service_id: str, use_case: str, ask: Ask) -> Outcome | None:
    """Ask for both documents; None says that the receiver takes referral requests."""
    try:
        async with asyncio.timeout(PATIENCE):
            statement = await ask("/metadata")
            if not isinstance(statement, Response):
                return statement
            if dig(json_of(statement), "resourceType") != "CapabilityStatement":
                return RetryLater("not-a-bars-endpoint")
            definitions = await ask(f"/MessageDefinition?{_context(service_id, use_case)}")
    except TimeoutError:
        return RetryLater("discovery-no-reply")
    return definitions if not isinstance(definitions, Response) else _judge(json_of(definitions))


def _judge(document: Any) -> Outcome | None:
    """Look for a definition of our message among what the receiver listed."""
    if dig(document, "resourceType") not in {"Bundle", "MessageDefinition"}:
        return RetryLater("discovery-unreadable")
    listed = list(_definitions(document))
    if any(_is_for_requests(each) for each in listed):
        return None
    return Rejected("discovery:takes-other-messages" if listed else "discovery:takes-no-message")


def _definitions(document: Any) -> Iterator[dict[str, Any]]:
    """The definitions in a search's Bundle, or the one that came alone; retired ones are none."""
    alone = [document] if document.get("resourceType") == "MessageDefinition" else []
    for each in (*alone, *(dig(entry, "resource") for entry in items(document.get("entry")))):
        if dig(each, "resourceType") == "MessageDefinition" and each.get("status") != "retired":
            yield each


def _is_for_requests(definition: dict[str, Any]) -> bool:
    """Go by the event, which is one object or a list of it; where none is readable, by the definition's own address."""
    events = [words(dig(each, "code")) for each in items(definition.get("eventCoding"))]
    events += [words(definition.get("eventUri")).rpartition("/")[2]]
    named = [event for event in events if event]
    return REQUEST in named if named else REQUEST in words(definition.get("url"))


def _context(service_id: str, use_case: str) -> str:
    """The search's context: the service, together with the use case where one was agreed."""
    pairs = [("context", f"{DOS}|{service_id}")]
    return urlencode([*pairs, ("context", f"{USE_CASES}|{use_case}")] if use_case else pairs)


def json_of(response: Response) -> Any:
    """Return the reply's JSON, or None where it is not."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
