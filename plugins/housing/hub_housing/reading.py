"""Reading what a council's housing system says: its HTTP replies as outcomes, its callbacks as answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

from hub.sdk import CallbackRequest, Delivered, Halt, Inbound, InDoubt, Level, Outcome, Rejected, Response, RetryLater
from hub.sdk.transports.waiting import retry_after
from hub.sdk.vocabulary import open_vocabulary

#: What councils' words mean in ours (R61); a word that is not here is kept as received, never dropped.
ANSWERS = open_vocabulary(files("hub_housing") / "codes" / "answers.csv")

#: Longer than any real one, so that a broken reply cannot fill our tables.
REFERENCE = 100
NAME = 200
NOTE = 4000

#: The council asks us to come back: too slow, too early, too many, too busy.
LATER = frozenset({408, 425, 429, 503})


def read_reply(reply: Response, key: str, now: datetime) -> Outcome:
    """Say what the reply to a posted referral proves.

    Success counts only when it holds the council's own id and does not name another referral: a gateway can say 200.
    A 409 counts as success only when it says that the very same referral is there already.
    """
    body = _object(reply.body)
    if reply.status in {200, 201}:
        if body.get("idempotencyKey", key) != key:
            return InDoubt("reply-names-another-referral")
        return _received(body) if _text(body, "id", REFERENCE) else InDoubt("reply-holds-no-receipt")
    if reply.status == 409 and body.get("code") == "duplicate" and body.get("idempotencyKey") == key:
        return _received(body)
    return _failed(reply, now)


def read_lookup(reply: Response, key: str, now: datetime) -> Outcome:
    """Say what a look-up by our key proves: Delivered, RetryLater("not-arrived"), or a failure to find out."""
    if reply.status != 200:
        return _failed(reply, now)
    body = _object(reply.body)
    found = body.get("referrals", body.get("notes"))
    if not isinstance(found, list):
        return InDoubt("look-up-unreadable")
    ours = (each for each in found if isinstance(each, dict) and each.get("idempotencyKey") == key)
    referral = next(ours, None)
    if referral is not None:
        return _received(referral)
    return InDoubt("look-up-unreadable") if found else RetryLater("not-arrived")


def noted_referral(note: bytes) -> UUID:
    """Return our key of the referral that a note is about; raises `ValueError` when it names none."""
    return UUID(_text(_object(note), "referralKey", REFERENCE))


def read_callback(request: CallbackRequest) -> Inbound:
    """Read a status callback, already verified; raises `ValueError` when it names no referral."""
    said = _object(request.body)
    reference = _text(said, "idempotencyKey", REFERENCE) or _text(said, "id", REFERENCE)
    message_id = request.headers.get("webhook-id", "")
    if not reference or not message_id:
        raise ValueError("names no referral")
    reason = _text(said, "outcomeReason", NAME) or _text(said, "withdrawalReason", NAME)
    answer = ANSWERS.answer(_text(said, "status", NAME), reason)
    answer = replace(
        answer,
        owner=_text(said, "owner", NAME),
        text=_text(said, "outcomeNote", NOTE) or answer.text,
        next_step=_text(said, "nextStep", NOTE) or answer.next_step,
        next_date=_day(_text(said, "nextDate", NAME)),
        check_with_person=said.get("checkWithPerson") is True,
        do_not_tell_yet=said.get("doNotTellYet") is True,
    )
    return Inbound(message_id, reference, answers=(answer,))


def _received(referral: dict[str, Any]) -> Delivered:
    """The council has it; with `receivedAt` somebody there, or its system, has opened it (L2)."""
    level = Level.L2 if _text(referral, "receivedAt", NAME) else Level.L1
    return Delivered(_text(referral, "id", REFERENCE), level)


def _failed(reply: Response, now: datetime) -> Outcome:
    code = f"http-{reply.status}"
    if reply.status in {401, 403}:
        return Halt(code)
    if reply.status in LATER:
        return RetryLater(code, retry_after(reply, now))
    if 400 <= reply.status < 500:
        return Rejected(code)
    return InDoubt(code)  # a fault or a gateway in the middle: the council may have it


def _object(body: bytes) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(said: dict[str, Any], name: str, longest: int) -> str:
    """Return a text cut to a length, or an empty one where there is none."""
    value = said.get(name)
    return value.strip()[:longest] if isinstance(value, str) else ""


def _day(text: str) -> date | None:
    """Return a date, also from an instant; an answer is not refused for a date that cannot be read (R35)."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
