"""Finding the team that has a person: match, merges, limited access, responsible officer (HMPPS External API shape).

Read is the least that routes: an id, whether access is limited, a team's code. Never risk, MAPPA, licence or address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from hub.sdk import CallbackRequest, Context, Delivered, Halt, Inbound, InDoubt, Level, Outcome, Rejected, RetryLater
from hub.sdk.connector import NoReply, NotSent, Response
from hub.sdk.transports.waiting import retry_after
from hub.sdk.vocabulary import open_vocabulary

#: What a team may say, in our words; it says no more than a code.
ANSWERS = open_vocabulary(files("hub_probation") / "codes" / "answers.csv")

#: A case reference of probation or a prison: what a person may know of themselves (partner-contracts 7).
HMPPS_ID = re.compile(r"[A-Z]{1,2}\d{6}|[A-Z]\d{4}[A-Z]{2}")
#: A team's code: it stands in a header, so nothing else may.
TEAM = re.compile(r"[A-Za-z0-9_-]{1,40}")
#: How often a record may have been merged into another before a person must look.
MOST_MERGES = 3
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
REFERENCE = 100


class Trouble(Exception):
    """Nothing could be found out; `outcome` is what the attempt comes to. Nothing has left but a look-up."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("look-up failed")
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Found:
    """The person's own record, and the team that has them."""

    hmpps_id: str
    team: str

    def as_headers(self) -> dict[str, str]:
        """Return what a contact is addressed with, beside its bytes."""
        return {"x-hmpps-id": self.hmpps_id, "x-team-code": self.team}


@dataclass(frozen=True, slots=True)
class Search:
    """The look-ups of one call; each carries no parcel, so any failure of theirs may be tried again."""

    context: Context
    base_url: str
    headers: Mapping[str, str]

    async def named(self, sought: Mapping[str, str]) -> list[str]:
        """Return the ids of everybody who matches; a refusal here is of us, not of them (`Trouble`)."""
        query = urlencode(
            {
                "first_name": sought.get("firstName", ""),
                "last_name": sought.get("lastName", ""),
                "date_of_birth": sought.get("dateOfBirth", ""),
            }
        )
        reply = await self._get(f"/v1/persons?{query}")
        if reply.status in {401, 403}:
            raise Trouble(Halt(f"http-{reply.status}"))
        people = _data(reply) if reply.status == 200 else None
        ids = [each.get("hmppsId") for each in people if isinstance(each, dict)] if isinstance(people, list) else []
        return [each for each in ids if isinstance(each, str) and HMPPS_ID.fullmatch(each)]

    async def survivor(self, hmpps_id: str) -> str:
        """Return the id that stands after merges; empty where the record is not shown to us, for whatever reason."""
        for _ in range(MOST_MERGES):
            reply = await self._get(f"/v1/persons/{quote(hmpps_id)}")
            if reply.status == 200:
                return hmpps_id
            named = urlsplit(reply.headers.get("location", "")).path.rpartition("/")[2]
            if reply.status != 303 or not HMPPS_ID.fullmatch(named):
                return ""
            hmpps_id = named
        return ""

    async def is_open(self, hmpps_id: str) -> bool:
        """Tell whether access is certainly not limited: only an empty answer to that question says so."""
        reply = await self._get(f"/v1/persons/{quote(hmpps_id)}/access-limitations")
        limits = _data(reply) if reply.status == 200 else None
        if not isinstance(limits, dict) or "excludedFrom" not in limits or "restrictedTo" not in limits:
            return False
        return bool(limits["excludedFrom"] == limits["restrictedTo"] == [])

    async def written(self, hmpps_id: str) -> dict[str, str]:
        """Return what we wrote for a person, by our key, and the team each is addressed to; no word of any is read."""
        reply = await self._get(f"/v1/persons/{quote(hmpps_id)}/contact-events")
        contacts = _data(reply) if reply.status == 200 else None
        found = [each for each in contacts if isinstance(each, dict)] if isinstance(contacts, list) else []
        return {
            each["externalReference"]: str(each.get("teamId", ""))
            for each in found
            if is_key(each.get("externalReference"))
        }

    async def team(self, hmpps_id: str) -> str:
        """Return the code of the community team that has them; empty where there is none."""
        reply = await self._get(f"/v1/persons/{quote(hmpps_id)}/person-responsible-officer")
        officers = _data(reply) if reply.status == 200 else None
        officer = officers.get("communityOffenderManager") if isinstance(officers, dict) else None
        team = officer.get("team") if isinstance(officer, dict) else None
        code = team.get("code") if isinstance(team, dict) else None
        return code if isinstance(code, str) else ""

    async def _get(self, path: str) -> Response:
        try:
            reply = await self.context.send("GET", self.base_url + path, headers=self.headers, starts=False)
        except (NotSent, NoReply) as failure:
            raise Trouble(RetryLater(failure.reason)) from None
        if reply.status == 401:
            raise Trouble(Halt("http-401"))
        # A limit that is turned off at their side is 503 too: trying again costs time, and tells nobody anything.
        if reply.status in LATER and not path.endswith("/access-limitations"):
            raise Trouble(RetryLater(f"http-{reply.status}", retry_after(reply, self.context.now)))
        return reply


def is_key(text: object) -> bool:
    """Tell whether a partner's reference is a key of ours."""
    try:
        return isinstance(text, str) and str(UUID(text)) == text
    except ValueError:
        return False


def sought_in(parcel: bytes) -> dict[str, str]:
    """Return who a parcel is about, as it says; raises `Trouble` for one that nobody could call back about."""
    call_me(parcel)
    person = _object(parcel).get("person")
    return {name: each for name, each in person.items() if isinstance(each, str)} if isinstance(person, dict) else {}


def call_me(parcel: bytes) -> bytes:
    """Return the notice that a parcel leaves where nobody may be found; raises `Trouble` where it has none."""
    notice = _object(parcel).get("callMe")
    if not isinstance(notice, dict) or not notice.get("ring"):
        raise Trouble(Rejected("parcel-unreadable"))
    return json.dumps(notice, ensure_ascii=False).encode()


async def has_them(search: Search, sought: Mapping[str, str]) -> Found | None:
    """Return the record and team, or None: nobody, more than one, not shown, limited, or without a team.

    Which of these it was is told to nobody, not even to our own log.
    """
    said = sought.get("hmppsId", "")
    ids = [said] if HMPPS_ID.fullmatch(said) else []
    if not ids and all(sought.get(name) for name in ("firstName", "lastName", "dateOfBirth")):
        ids = sorted(set(await search.named(sought)))
    survivors = {await search.survivor(each) for each in ids[: MOST_MERGES + 1]} if ids else set()
    if len(survivors) != 1:
        return None
    (hmpps_id,) = survivors
    if not hmpps_id or not await search.is_open(hmpps_id):
        return None
    team = await search.team(hmpps_id)
    return Found(hmpps_id, team) if TEAM.fullmatch(team) else None


def read_written(reply: Response, key: str, now: datetime) -> Outcome:
    """Say what the queue's reply proves: taken is L1 and no more. It does not dedupe, so a doubt stays a doubt."""
    code = f"http-{reply.status}"
    if reply.status == 200:
        taken = isinstance(_data(reply), dict)
        return Delivered(key, Level.L1) if taken else InDoubt("reply-holds-no-receipt")
    if reply.status in {401, 403}:
        return Halt(code)
    if reply.status in {425, 429, 503}:
        return RetryLater(code, retry_after(reply, now))
    return Rejected(code) if 400 <= reply.status < 500 and reply.status != 408 else InDoubt(code)


def read_answer(request: CallbackRequest) -> Inbound:
    """Read a coded answer, already verified; free words in it are never read (R72)."""
    said = _object(request.body)
    reference, code = said.get("externalReference"), said.get("outcome")
    message_id = request.headers.get("webhook-id", "")
    if not isinstance(reference, str) or not reference or not message_id:
        raise ValueError("names no contact")
    answer = ANSWERS.answer(code if isinstance(code, str) else "")
    return Inbound(message_id, reference[:REFERENCE], answers=(answer,))


def _data(reply: Response) -> Any:
    return _object(reply.body).get("data")


def _object(body: bytes) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
