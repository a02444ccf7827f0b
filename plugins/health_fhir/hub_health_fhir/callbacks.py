"""Reads a BaRS `servicerequest-response`: which of our messages it answers, what was decided, by whom and why.

Partners' messages are read leniently: the standard's own published samples are not all valid R4, and no authentic
answer is refused for its form (R35). Only what ties the answer to our message is required.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.sdk import Answer, AnswerState, CallbackRequest, Inbound
from hub_health_fhir.news import with_news

EVENT = "servicerequest-response"
PEOPLE_LIMIT = 20  #: references that are followed to find an owner
TEXT_LIMIT = 4000  #: characters of a partner's words that are kept
NAME_LIMIT = 200

#: The reason of an answer whose reason the service wrote itself: what it wrote is text, and returns as text (R21).
IN_THEIR_WORDS = "in-their-words"

#: FHIR's response codes for a message that the receiver's system could not take in.
NOT_PROCESSED = frozenset({"transient-error", "fatal-error"})
DID_NOT_ATTEND = "did_not_attend"
#: What our own cancellation gives as its reason: a service that echoes it answers that, and gives no reason of its own.
OUR_REASON = "Please stop using what was sent: the person's agreement to share it has ended."
NOT_READ = "Their system could not read it. Ring them."

#: FHIR status -> the hub's word, the more telling resource first (partner contracts 2.1: interim, final, rejection).
REFERRAL_ENDS = {
    "entered-in-error": AnswerState.RECEIVED,
    "completed": AnswerState.COMPLETED,
    "on-hold": AnswerState.WAITING_LIST,
}
#: How an Encounter stands where nobody saw the person and nobody said no: with it, or without an Encounter, a referral
#: that is revoked in a new message is one whose person did not attend (partner contracts 2.1).
NOT_SEEN = frozenset({"", "planned", "in-progress", "onleave"})
#: What nobody but the service can tell from the codes alone: said beside the answer, which stays open.
DID_THEY_COME = "Their system says by a code alone that the person did not attend. Ring them to hear what happened."

ENCOUNTER = {
    "entered-in-error": AnswerState.RECEIVED,
    "cancelled": AnswerState.DECLINED,
    "finished": AnswerState.COMPLETED,
    "triaged": AnswerState.COMPLETED,
    "in-progress": AnswerState.IN_PROGRESS,
    "arrived": AnswerState.IN_PROGRESS,
    "onleave": AnswerState.IN_PROGRESS,
    "planned": AnswerState.ACCEPTED,
}


def dig(tree: Any, *path: str | int) -> Any:
    """Follow keys and indexes into parsed JSON; None wherever the shape is not what was hoped for."""
    for step in path:
        if isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and -len(tree) <= step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def words(value: Any, limit: int = TEXT_LIMIT) -> str:
    """Return a text value cut to `limit` characters, or "" for anything that is not text.

    NUL and half a surrogate pair, which JSON can carry and a database or UTF-8 cannot, are replaced.
    """
    if not isinstance(value, str):
        return ""
    return value.strip()[:limit].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def items(value: Any) -> list[Any]:
    """Return a list as it is, one object as a list of itself, and nothing for all else."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


@dataclass(frozen=True, slots=True)
class Message:
    """A message Bundle as a partner sent it: resources by type, and by the references that point at them."""

    bundle: dict[str, Any]
    resources: tuple[tuple[str, dict[str, Any]], ...]  #: (fullUrl, resource)

    @classmethod
    def parse(cls, body: bytes) -> Message:
        """Read the bytes; raises `ValueError` when they are not a JSON Bundle."""
        try:
            bundle = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ValueError("not-json") from error
        if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
            raise ValueError("not-a-bundle")
        entries = [entry for entry in items(bundle.get("entry")) if isinstance(dig(entry, "resource"), dict)]
        return cls(bundle, tuple((words(entry.get("fullUrl")), entry["resource"]) for entry in entries))

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        """Every resource of one type, in the order sent."""
        return (resource for _, resource in self.resources if resource.get("resourceType") == kind)

    def first(self, kind: str) -> dict[str, Any]:
        """The first resource of one type, or an empty one."""
        return next(self.all(kind), {})

    def follow(self, reference: Any) -> dict[str, Any]:
        """The resource that a Reference points at (fullUrl, or Type/id), or an empty one."""
        target = words(dig(reference, "reference"))
        for url, resource in self.resources:
            if target and target in (url, f"{resource.get('resourceType')}/{resource.get('id')}"):
                return resource
        return {}


def read_response(request: CallbackRequest) -> Inbound:
    """Read a partner's response message; raises `ValueError` when it is not one, or does not say what it answers."""
    message = Message.parse(request.body)
    header = message.first("MessageHeader")
    if words(dig(header, "eventCoding", "code")) != EVENT:
        raise ValueError("not-a-response")
    reference = words(dig(header, "response", "identifier"), 64)
    if not reference:
        raise ValueError("answers-nothing")
    message_id = words(request.headers.get("x-request-id"), 64) or words(message.bundle.get("id"), 64)
    if not message_id:
        raise ValueError("no-message-id")
    answer = with_news(read_answer(message, header), [resource for _, resource in message.resources])
    return Inbound(message_id=message_id, reference=reference, answers=(answer,))


def read_answer(message: Message, header: dict[str, Any]) -> Answer:
    """Say what the service decided, who has it, why, and anything it wrote."""
    if words(dig(header, "response", "code")) in NOT_PROCESSED:
        # Nobody there has read it: this proves no more than its arrival, and the clock for a reading goes on.
        return Answer(AnswerState.AWAITED, reason="receiver-could-not-process", text=NOT_READ)
    referral = message.follow(dig(header, "focus", 0)) or message.first("ServiceRequest")
    if referral.get("resourceType") != "ServiceRequest":
        referral = message.first("ServiceRequest")
    encounter = message.follow(referral.get("encounter")) or message.first("Encounter")
    reasons = read_reasons(referral, encounter)
    missed = any(words(each.get("status")) == "noshow" for each in message.all("Appointment"))
    state, stage = decide(header, referral, encounter, missed=missed)
    notes = [words(dig(note, "text")) for note in items(referral.get("note"))]
    if stage == DID_NOT_ATTEND and not missed:
        notes.append(DID_THEY_COME)
    return Answer(
        state=state,
        stage=stage,
        owner=read_owner(message, header, referral, encounter),
        reason=IN_THEIR_WORDS if reasons else "",
        text="\n\n".join(filter(None, (*reasons, *notes)))[:TEXT_LIMIT],
    )


def decide(
    header: dict[str, Any], referral: dict[str, Any], encounter: dict[str, Any], *, missed: bool = False
) -> tuple[AnswerState, str]:
    """Return the answer's state and a coded detail; `missed`: the message holds an appointment that nobody came to.

    Both cancel styles count as declined: status `revoked`, and message reason `delete`. An answer that the partner
    takes back is kept as received, so that a person looks at it; so is a status nobody knows, never dropped.

    A revoked referral is a "no", or says that the person did not attend, and the standard tells them apart by the
    message's reason alone: `new` is the second. A service that gives a reason, or has an Encounter that is over, said
    no whatever that reason is; where an Appointment is a `noshow` the person did not come, whatever stands beside it.
    A revoked referral that echoes our own request to stop says that their system has ended it, and neither that anyone
    stopped using what was sent nor that they keep it (R15): it is received, and the clock goes on.

    What stays unclear is read as did not attend, which keeps the share open (R38): a "no" would close it.
    """
    statuses = words(referral.get("status")), words(encounter.get("status"))
    if "entered-in-error" in statuses:
        return AnswerState.RECEIVED, "entered_in_error"
    reason = words(dig(header, "reason", "coding", 0, "code"))
    if statuses[0] == "revoked" or reason == "delete":
        return _ended(reason, referral, encounter, missed=missed)
    known = REFERRAL_ENDS.get(statuses[0]) or ENCOUNTER.get(statuses[1])
    if known is not None:
        return known, ""
    if statuses[0] == "active" and not statuses[1]:
        return AnswerState.ACCEPTED, ""
    return AnswerState.RECEIVED, "unrecognised_status"


def _ended(
    reason: str, referral: dict[str, Any], encounter: dict[str, Any], *, missed: bool
) -> tuple[AnswerState, str]:
    """Say what it means that a service has ended a referral."""
    if any(words(dig(concept, "text")) == OUR_REASON for concept in items(referral.get("reasonCode"))):
        return AnswerState.RECEIVED, "revoked_as_asked"
    unseen = words(encounter.get("status")) in NOT_SEEN and not _gives_reason(referral, encounter)
    if missed or (reason == "new" and unseen):
        return AnswerState.COULD_NOT_REACH, DID_NOT_ATTEND
    return AnswerState.DECLINED, ""


def _gives_reason(*resources: dict[str, Any]) -> bool:
    """Tell whether a reason is given, in words or as a code that is shown to nobody."""
    concepts = [concept for each in resources for concept in items(each.get("reasonCode"))]
    return any(words(dig(each, "text")) or items(dig(each, "coding")) for each in concepts)


def read_reasons(referral: dict[str, Any], encounter: dict[str, Any]) -> list[str]:
    """Return the reasons in the partner's own words, each once; a bare code is not shown to anyone (R61)."""
    concepts = (*items(encounter.get("reasonCode")), *items(referral.get("reasonCode")))
    said = (words(dig(concept, "text")) or words(dig(concept, "coding", 0, "display")) for concept in concepts)
    return [each for each in dict.fromkeys(said) if each not in {"", OUR_REASON}]


def read_owner(message: Message, header: dict[str, Any], referral: dict[str, Any], encounter: dict[str, Any]) -> str:
    """Name who has it: a person or role first, then a team, then the organisation that wrote (R35).

    Only what the partner points at as its own is read: an echoed requester is our trusted person, not an owner.
    """
    people = [dig(participant, "individual") for participant in items(encounter.get("participant"))]
    performers = items(referral.get("performer"))[:PEOPLE_LIMIT]
    for reference in (header.get("responsible"), *people[:PEOPLE_LIMIT], *performers, header.get("sender")):
        name = _name(message, reference)
        if name:
            return name
    return ""


def _name(message: Message, reference: Any) -> str:
    """Name what a Reference points at: a practitioner's name, a role's words, a service's or organisation's name."""
    resource = message.follow(reference)
    if resource.get("resourceType") != "PractitionerRole":
        return _plain_name(resource, reference)
    person = _plain_name(message.follow(resource.get("practitioner")), resource.get("practitioner"))
    role = words(dig(resource, "code", 0, "text")) or words(dig(resource, "code", 0, "coding", 0, "display"))
    named = ", ".join(filter(None, (person, role)))[:NAME_LIMIT]
    return named or _plain_name(message.follow(resource.get("organization")), resource.get("organization"))


def _plain_name(resource: dict[str, Any], reference: Any) -> str:
    """Return a resource's own name, or what the Reference calls it."""
    name = resource.get("name")
    if isinstance(name, list):
        parts = [*items(dig(name, 0, "given")), dig(name, 0, "family")]
        full = " ".join(filter(None, (words(part) for part in parts)))
        return (words(dig(name, 0, "text")) or full)[:NAME_LIMIT]
    return words(name, NAME_LIMIT) or words(dig(reference, "display"), NAME_LIMIT)
