"""What a Task of the closed loop says: its status and reason as an answer, read leniently (R35, R61)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Any

from hub.sdk import Answer
from hub.sdk.vocabulary import open_vocabulary
from hub_health_fhir.callbacks import IN_THEIR_WORDS, NAME_LIMIT, TEXT_LIMIT, dig, items, words
from hub_health_fhir.news import with_news

ANSWERS = open_vocabulary(files("hub_health_fhir") / "codes" / "task-answers.csv")
#: Our own mark on a Task that we cancelled ourselves: what we said is no answer of theirs.
OURS = "urn:trusted-person-hub:reason"
#: Nothing is said yet.
SILENT = frozenset({"", "draft", "requested"})
#: A request that is taken back ends its Task, whichever of the two is changed first (partner contracts 2.4).
TAKEN_BACK = {"revoked": "cancelled", "entered-in-error": "entered-in-error"}
ENDED = frozenset({"completed", "rejected", "cancelled", "failed", "entered-in-error"})


def read_fhir_task(fhir_task: dict[str, Any], request: dict[str, Any]) -> Answer | None:
    """Return what a Task and the ServiceRequest it is about say; None where that is nothing, or our own word."""
    reasons = list(_codes(fhir_task.get("statusReason")))
    if any(system == OURS for system, _ in reasons):
        return None
    status = _status(fhir_task, request)
    if status in SILENT:
        return None
    coded = next((code for _, code in reasons if (status, code) in ANSWERS.rows), "")
    known = ANSWERS.answer(status, coded)
    said = list(_said(fhir_task))
    answer = replace(
        known,
        owner=words(dig(fhir_task, "owner", "display"), NAME_LIMIT),
        reason=known.reason or (IN_THEIR_WORDS if words(dig(fhir_task, "statusReason", "text")) else ""),
        text="\n\n".join(said)[:TEXT_LIMIT] or known.text,
        next_date=_day(dig(fhir_task, "executionPeriod", "start")),
    )
    news = {"resourceType": "OperationOutcome", "issue": [{"details": fhir_task.get("statusReason")}]}
    care = {"resourceType": "Flag", "status": "active", "code": fhir_task.get("businessStatus")}
    return with_news(answer, [news, care])


def _status(fhir_task: dict[str, Any], request: dict[str, Any]) -> str:
    """The Task's own status, unless its request was taken back before anything ended.

    A Task that asks them to stop is about a request that we took back ourselves.
    """
    status = words(fhir_task.get("status"))
    asks_to_stop = "abort" in {code for _, code in _codes(fhir_task.get("code"))}
    taken_back = TAKEN_BACK.get(words(request.get("status")), "")
    return taken_back if taken_back and not asks_to_stop and status not in ENDED else status


def _said(fhir_task: dict[str, Any]) -> Iterator[str]:
    """Everything they wrote in words: the reason, their notes, and what came of it."""
    texts = [dig(fhir_task, "statusReason", "text"), *(dig(note, "text") for note in items(fhir_task.get("note")))]
    for output in items(fhir_task.get("output")):
        texts += [output.get("valueString"), output.get("valueMarkdown"), dig(output, "valueCodeableConcept", "text")]
    yield from dict.fromkeys(filter(None, map(words, texts)))


def _codes(concept: Any) -> Iterator[tuple[str, str]]:
    for coding in items(dig(concept, "coding")):
        if code := words(dig(coding, "code"), NAME_LIMIT):
            yield words(dig(coding, "system")), code


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(words(value)[:10])
    except ValueError:
        return None
