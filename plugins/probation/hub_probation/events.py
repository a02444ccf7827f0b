"""Events of probation's: a changed manager and a merged record say where to look again, and no more of them is read.

They come at least once and in any order, so what they lead to is made from what the API says now, never from the event.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid5

from hub.sdk import Inbound
from hub.sdk.connector import NotSent
from hub_probation.finding import HMPPS_ID, TEAM, Search, Trouble
from hub_probation.queue import Keys, Queue, Waiting

#: The events that can move a person to another team; every other is passed over unread.
KINDS = frozenset({"person.community.manager.allocated", "probation-case.merge.completed"})
#: Where an event names the person: of a merge, the record that stands.
_NAMES = ("hmppsId", "targetCRN", "crn", "CRN")
#: What an event names that we cannot read: the hub keeps it and tells the operator, and the queue sets it aside.
UNREADABLE = "unreadable-event"


@dataclass(frozen=True, slots=True)
class Event:
    """What is read of an event: its own id, its kind, and whose record to look at again."""

    id: str
    kind: str
    hmpps_id: str


class Where(Protocol):
    """The settings that say where events come from, and where what we wrote is addressed anew."""

    @property
    def base_url(self) -> str: ...
    @property
    def write_path(self) -> str: ...
    @property
    def queue_url(self) -> str: ...
    @property
    def region(self) -> str: ...


@dataclass(slots=True)
class Events:
    """The events under way in one host: by handle, what of each waits for the hub's commit."""

    _left: dict[str, set[str]] = field(default_factory=dict)

    async def collect(self, search: Search, where: Where) -> AsyncIterator[Inbound]:
        """Re-route what an event moved, and say for which deliveries; what cannot be looked up comes again later."""
        if not where.queue_url:
            return
        queue = await _open(search, where)
        seen: set[str] = set()
        trouble = ""
        for waiting in await queue.receive():
            try:
                event = read_event(waiting.body)
            except ValueError:
                yield Inbound(f"{waiting.id}:unreadable", UNREADABLE)
                continue
            try:
                moved = [] if event is None or event.id in seen else await reroute(event, search, where)
            except (Trouble, NotSent):
                trouble = "look-up-failed"
                continue
            if event is not None:
                seen.add(event.id)
            names = {key: f"{event.id}:{key}" for key in moved} if event else {}
            self._expect(waiting, set(names.values()))
            for key, name in names.items():
                yield Inbound(name, key)
            if not names:
                await queue.delete(waiting.handle)
        if trouble:
            raise NotSent(trouble)

    async def acknowledge(self, reference: str, search: Search, where: Where) -> None:
        """Delete an event once all that it led to is safe in the hub."""
        handle = next((handle for handle, left in self._left.items() if reference in left), "")
        if not handle:
            return
        self._left[handle].discard(reference)
        if not self._left[handle]:
            del self._left[handle]
            await (await _open(search, where)).delete(handle)

    def _expect(self, waiting: Waiting, names: set[str]) -> None:
        if names:
            self._left[waiting.handle] = names


def read_event(body: str) -> Event | None:
    """Return the event in an SNS notification, None for a kind that moves nobody; raises `ValueError` on another.

    Read are its id, its kind and whose it is: of domain events and of the External API's own alike.
    """
    said = _object(body)
    message_id, inner = said.get("MessageId"), _object(said.get("Message"))
    kind = inner.get("eventType") or _value(said.get("MessageAttributes"), "eventType")
    if not isinstance(message_id, str) or not message_id or not isinstance(kind, str):
        raise ValueError("not a notification")
    if kind not in KINDS:
        return None
    found = [each for each in _ids(inner) if isinstance(each, str) and HMPPS_ID.fullmatch(each)]
    if not found:
        raise ValueError("names nobody")
    return Event(message_id[:100], kind, found[0])


async def reroute(event: Event, search: Search, where: Where) -> list[str]:
    """Address what we wrote for a person to the team that has them now; returns the keys that moved.

    Whoever may not be found, or has no team, moves nowhere. No content leaves: only our key, their id and the team.
    """
    hmpps_id = await search.survivor(event.hmpps_id)
    if not hmpps_id or not await search.is_open(hmpps_id):
        return []
    team = await search.team(hmpps_id)
    url, moved = where.base_url + where.write_path, []
    for key, at in (await search.written(hmpps_id)).items() if TEAM.fullmatch(team) else ():
        if at == team:
            continue
        headers = {**search.headers, "x-hmpps-id": hmpps_id, "x-team-code": team}
        headers["idempotency-key"] = str(uuid5(NAMESPACE_URL, f"{event.id}:{key}"))
        reply = await search.context.send("PUT", f"{url}/{key}/team", headers=headers, starts=False)
        if reply.status != 200:
            raise NotSent(f"http-{reply.status}")
        moved.append(key)
    return moved


async def _open(search: Search, where: Where) -> Queue:
    """Open our queue with short-lived keys from the API's `/token`; raises `NotSent`."""
    reply = await search.context.send("GET", f"{search.base_url}/token", headers=search.headers, starts=False)
    said = _object(reply.body.decode("utf-8", "replace")) if reply.status == 200 else {}
    names = ("accessKeyId", "secretAccessKey", "sessionToken")
    given = [said.get(name) for name in names]
    if not all(isinstance(each, str) and each.isascii() and each.isprintable() for each in given):
        raise NotSent("no-keys-to-the-queue")
    return Queue(search.context, where.queue_url, where.region, Keys(*(str(each) for each in given)))


def _ids(inner: Mapping[str, Any]) -> list[Any]:
    more = inner.get("additionalInformation")
    places = [inner, more if isinstance(more, dict) else {}]
    found = [place[name] for place in places for name in _NAMES if name in place]
    about = inner.get("personReference")
    named = about.get("identifiers") if isinstance(about, dict) else None
    for each in named if isinstance(named, list) else []:
        if isinstance(each, dict) and each.get("type") == "CRN":
            found.append(each.get("value"))
    return found


def _value(attributes: object, name: str) -> object:
    of = attributes.get(name) if isinstance(attributes, dict) else None
    return of.get("Value") if isinstance(of, dict) else None


def _object(text: object) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
