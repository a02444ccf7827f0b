"""Makes a parcel into what the page shows: safe contact first, then what to take care of, then the parts (R65, R66)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hub.domain.reference import spoken
from hub.domain.wording import day, moment
from hub.sdk.page import PageDocument, Said, read_page
from hub.services.pack import place
from hub.services.ports import Row, Vault

#: What a team is asked for, by what the sender asks.
_ASKS: Final = {
    "act": "They ask you to help.",
    "know": "They want you to know this. You need not act.",
    "meet": "They ask you to meet with the person and the others who help.",
}
#: Words in small letters that underscores join.
_CODE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_LABELS: Final = {
    "safe_to_call": "Safe to call",
    "leave_message": "Safe to leave a message",
    "text_ok": "Safe to text",
    "email_ok": "Safe to email",
    "post_ok": "Safe to post",
    "not_safe_to_talk_to": "Not safe to talk to",
    "times": "When",
    "code_phrase": "Say this first",
}


def shown(row: Row, vault: Vault) -> dict[str, Any]:
    """Return what the story's page says of a delivery; raises `ValueError` where its parcel is no page document."""
    body = vault.unwrap(row["data_key"]).open(row["parcel"], place("deliveries", "parcel", row["id"]))
    document = read_page(body)
    return {
        "reference": row["reference"],
        "spoken": spoken(row["reference"]),
        "document": document,
        "asks": _ASKS[document.ask],
        "sent_on": day(document.sent_on, year=True) if document.sent_on else "",
        "reply_by": day(document.reply_by, year=True) if document.reply_by else "",
        "contact": [listed(each) for each in document.contact],
        "parts": _parts(document),
        "answered": row["answer_state"],
    }


def asked_again_at(until: datetime) -> str:
    """Return the time of day, in London, from which a device is asked for the code again."""
    return moment(until).partition(" on ")[0]


def _parts(document: PageDocument) -> list[dict[str, Any]]:
    return [
        {
            "heading": part.heading,
            "statements": [
                {"words": each.words, "origin": each.origin, "facts": listed(each.facts)} for each in part.statements
            ],
        }
        for part in document.parts
        if part.statements
    ]


def listed(facts: Mapping[str, Said]) -> list[tuple[str, str]]:
    """Return facts as labels and words, in their own order; what nobody said is left out."""
    return [(_label(name), _words(value)) for name, value in facts.items() if value not in (None, "", [])]


def _label(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ")
    return _LABELS.get(name) or words[:1].upper() + words[1:]


def _words(value: Said) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_coded(str(each)) for each in value)
    if value == "unknown":
        return "nobody said: treat this as no"
    return _coded(value) if isinstance(value, str) else str(value)


def _coded(value: str) -> str:
    """A code, such as `homeless_now`, is shown as words; whatever a person wrote stays as it is."""
    return value.replace("_", " ").capitalize() if _CODE.fullmatch(value) else value
