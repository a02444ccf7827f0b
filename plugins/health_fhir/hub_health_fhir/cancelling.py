"""Whether a referral that is to be cancelled is still open at the receiver: it is looked at first (BaRS 1.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from hub.sdk import Answer, AnswerState, Delivered, Level, Response
from hub_health_fhir.callbacks import Message, dig, items, words
from hub_health_fhir.discovery import json_of

#: FHIR request statuses that no cancellation changes any more.
CLOSED = frozenset({"revoked", "completed", "entered-in-error"})

#: The hub's own words: nothing of the receiver's is in them.
CLOSED_ALREADY = (
    "Their record of this referral is closed already, so their system takes no cancellation of it and was sent none. "
    "Ring them and ask them to stop using what was sent."
)


def look_up(body: bytes) -> str:
    """Return the path and query that find the referral which a cancellation is about, or "" where it names none.

    The query holds the share's reference, which both sides know it by, and nothing of the person.
    """
    reference = _reference(body)
    return f"/ServiceRequest?{urlencode({'ServiceRequest.identifier': reference})}" if reference else ""


def closed_already(found: Response, body: bytes) -> Delivered | None:
    """Return what to say where every referral of this reference is closed; None where it is to be cancelled.

    Nothing found is no proof: a receiver may not search by our reference. What is said proves no rung, so that the
    clock of the answer ("stopped", or "kept, because ...") goes on, and a champion rings when it is silent (R15).
    """
    reference, document = _reference(body), json_of(found)
    listed = [document, *(dig(entry, "resource") for entry in items(dig(document, "entry")))]
    ours = [words(each.get("status")) for each in listed if _is_ours(each, reference)]
    if not ours or not CLOSED.issuperset(ours):
        return None
    said = Answer(AnswerState.AWAITED, reason="referral-closed-already", text=CLOSED_ALREADY)
    return Delivered(level=Level.L0, answers=(said,))


def _is_ours(resource: Any, reference: str) -> bool:
    known = {words(dig(each, "value")) for each in items(dig(resource, "identifier"))}
    return dig(resource, "resourceType") == "ServiceRequest" and reference in known


def _reference(body: bytes) -> str:
    try:
        referral = Message.parse(body).first("ServiceRequest")
    except ValueError:
        return ""
    return words(dig(referral, "identifier", 0, "value"), 64)
