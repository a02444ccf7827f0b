"""Reading what a council's children's system says: replies as outcomes, outcome flags as one plain sentence (R21)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from enum import Enum
from importlib.resources import files
from typing import Any
from uuid import UUID

from hub.sdk import (
    Answer,
    CallbackRequest,
    Delivered,
    Halt,
    Inbound,
    InDoubt,
    Level,
    Outcome,
    Rejected,
    Response,
    RetryLater,
)
from hub.sdk.transports.waiting import retry_after
from hub.sdk.vocabulary import UNRECOGNISED, Vocabulary, open_vocabulary

_CODES = files("hub_childrens_lcs") / "codes"
#: What a contact's outcome flags mean (dated list); the order of its rows says which of several counts.
CONTACT_OUTCOMES = open_vocabulary(_CODES / "contact-outcomes.csv")
#: What the panel may say.
PANEL_OUTCOMES = open_vocabulary(_CODES / "panel-outcomes.csv")

#: Longer than any real one, so that a broken reply cannot fill our tables.
REFERENCE = 100
NAME = 200

#: The council asks us to come back: too slow, too early, too many, too busy.
LATER = frozenset({408, 425, 429, 503})


class Form(Enum):
    """One form of the council's system: where it is posted, what may come back of it, what taking it answers."""

    CONTACT = ("/contacts", CONTACT_OUTCOMES, "")
    INFORMATION = ("/information", CONTACT_OUTCOMES, "")
    PANEL = ("/panel-referrals", PANEL_OUTCOMES, "WITH_PANEL")

    def __init__(self, path: str, outcomes: Vocabulary, taken: str) -> None:
        self.path = path
        self.outcomes = outcomes
        self.taken = taken


def read_reply(form: Form, reply: Response, key: str, now: datetime) -> Outcome:
    """Say what the reply to a posted form proves; only the council's own number for it is proof of anything."""
    body = _object(reply.body)
    if reply.status in {200, 201, 202}:
        if body.get("idempotencyKey", key) != key:
            return InDoubt("reply-names-another-contact")
        return _taken(form, body) if _text(body, "id", REFERENCE) else InDoubt("reply-holds-no-receipt")
    if reply.status == 409 and body.get("code") == "duplicate" and body.get("idempotencyKey") == key:
        return _taken(form, body)
    return _failed(reply, now)


def read_lookup(form: Form, reply: Response, key: str, now: datetime) -> Outcome:
    """Say what a look-up by our key proves: Delivered, RetryLater("not-arrived"), or a failure to find out."""
    if reply.status != 200:
        return _failed(reply, now)
    found = _object(reply.body).get("found")
    if found == []:
        return RetryLater("not-arrived")
    ours = found if isinstance(found, list) else []
    for each in ours:
        if isinstance(each, dict) and each.get("idempotencyKey") == key:
            return _taken(form, each)
    return InDoubt("look-up-unreadable")


def followed(note: bytes) -> UUID:
    """Return our key of the form that a note is about; raises `ValueError` when it names none."""
    return UUID(_text(_object(note), "followsKey", REFERENCE))


def read_outcome(form: Form, request: CallbackRequest) -> Inbound:
    """Read an outcome, already verified; raises `ValueError` when it names nothing of ours.

    Flags are several at a time. Neither a flag nor a comment is ever carried on: only the row that counts (R21).
    """
    said = _object(request.body)
    reference = _text(said, "idempotencyKey", REFERENCE) or _text(said, "id", REFERENCE)
    message_id = request.headers.get("webhook-id", "")
    if not reference or not message_id:
        raise ValueError("names no contact")
    flags = said.get("outcomes")
    named = {flag for flag in flags if isinstance(flag, str)} if isinstance(flags, list) else set()
    answer = replace(
        _counts(form.outcomes, named),
        owner=_text(said, "team", NAME),
        do_not_tell_yet=said.get("doNotTellYet") is True,
    )
    return Inbound(message_id, reference, answers=(answer,))


def _counts(outcomes: Vocabulary, flags: set[str]) -> Answer:
    return next((answer for (flag, _), answer in outcomes.rows.items() if flag in flags), UNRECOGNISED)


def _taken(form: Form, body: dict[str, Any]) -> Delivered:
    """It was handed in (L1), or recorded as a contact, which is not yet a referral (L2)."""
    level = Level.L2 if _text(body, "recordedAt", NAME) else Level.L1
    answers = (form.outcomes.answer(form.taken),) if form.taken and body.get("status") == form.taken else ()
    return Delivered(_text(body, "id", REFERENCE), level, answers)


def _failed(reply: Response, now: datetime) -> Outcome:
    code = f"http-{reply.status}"
    if reply.status in {401, 403}:
        return Halt(code)
    if reply.status in LATER:
        return RetryLater(code, retry_after(reply, now))
    if 400 <= reply.status < 500:
        return Rejected(code)
    return InDoubt(code)  # a fault or a gateway in the middle: they may have it


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
