"""Keep what follows a share: its deliveries, clocks and audit events in one commit, once for each Idempotency-Key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.calendar import london_date
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.errors import Conflict, Forbidden, HubError, Unauthenticated
from hub.domain.route import Directory
from hub.domain.trusted_person import ENDED, LOOK_FIRST, ended
from hub.domain.wording import WITHHELD_WORDS, Situation, plain
from hub.services.death import DIED
from hub.services.follow_up import queue
from hub.services.further import NO_QUESTION, ConsentMoved, FurtherPlan, Part
from hub.services.hold_share import HELD, NOT_SAFE
from hub.services.keep_trusted_person import opened
from hub.services.pack import pack, place
from hub.services.ports import Transaction, Vault, attested, audited
from hub.services.receipt import plan_words, refused
from hub.services.refusals import REPLAYED, reused
from hub.services.remember import OneTime, first_times, keep_used
from hub.services.submit import Kept
from hub.services.tell import notice_row


@dataclass(frozen=True, slots=True)
class KeepFurther:
    """A plan to be kept; `key` and `body` are keyed hashes of the Idempotency-Key and of what was asked."""

    plan: FurtherPlan
    record_id: str
    key: str
    body: str
    receipt: dict[str, Any]
    once: OneTime
    business: datetime
    wall: datetime
    contacts: Sequence[str]  #: who is told where the choice of trusted person was marked as not safe since


def keep_further(tx: Transaction, items: Sequence[KeepFurther]) -> list[KeepFurther | Kept | HubError]:
    """Keep each item, or say why not: a repeated key answers as before, and a consent that moved asks for a new plan.

    A question is answered once, whichever key the second answer bears.
    """
    return [_keep_one(tx, item) for item in items]


def _keep_one(tx: Transaction, item: KeepFurther) -> KeepFurther | Kept | HubError:
    share = item.plan.telling.record.share
    if not first_times(tx, [item.once])[0]:
        return Unauthenticated(REPLAYED)
    locked = tx.lock_consents(item.record_id)  # first, as everything that sends does (section 3)
    earlier = tx.kept_replies([(share["partner_id"], item.key)]).get((share["partner_id"], item.key))
    if earlier is not None:
        same = earlier["body"] == item.body
        keep_used(tx, [item.once])
        return Kept(earlier["share_id"], earlier["reply"], earlier["data_key"]) if same else reused()
    if (refusal := Conflict(DIED) if any(row["died_at"] for row in locked) else _may_not_speak(tx, item)) is not None:
        return refusal
    if {row["id"]: row["state"] for row in locked} != dict(item.plan.states):
        return ConsentMoved()  # the same request comes again: its author's assertion is still good
    made = [part.made for part in item.plan.parts]
    if tx.lock_deliveries([each.delivery["id"] for each in made]):
        return Conflict(NO_QUESTION)
    keep_used(tx, [item.once])
    queue(tx, made)
    _pause(tx, item)
    tx.insert("audit_events", [*_audit(item), *_audit_refused(item)])
    _keep_reply(tx, item)
    return item


def _may_not_speak(tx: Transaction, item: KeepFurther) -> HubError | None:
    """Refuse more of the story by whoever may no longer tell it; to take a statement back is always open (R04, R08)."""
    share = item.plan.telling.record.share
    key = (share["partner_id"], share["trusted_person"], share["person"])
    link = opened(tx.links([key]).get(key), item.plan.telling.vault)
    if link.seen != item.plan.link.seen:
        return ConsentMoved()
    if not item.plan.further.sections:
        return None
    if not link.not_safe:
        return Forbidden(ENDED) if ended(link, item.business) else None
    keep_used(tx, [item.once])
    actor = f"client:{item.plan.sender.client_id}"
    tx.insert("audit_events", [audited(item.business, "share.look_first", actor, share["id"])])
    topics = zip((HELD, NOT_SAFE), item.contacts, strict=False)
    tx.insert("notices", [notice_row("email", topic, to, item.wall, share_id=share["id"]) for topic, to in topics])
    tx.nudge_notices()
    return Forbidden(LOOK_FIRST)


def _pause(tx: Transaction, item: KeepFurther) -> None:
    """A correction puts right what was being checked; a pause lasts until then (R40)."""
    further, share_id = item.plan.further, item.plan.telling.record.share["id"]
    if not further.corrects:
        return
    section = paused_section(item.plan.telling.vault, share_id, further.corrects)
    tx.end_pause(share_id, section)
    if further.checking:
        tx.insert("pauses", [{"share_id": share_id, "section": section, "at": item.business}])


def paused_section(vault: Vault, share_id: str, section_id: str) -> str:
    """Return the keyed hash by which a paused section is known: its id is the sender's own."""
    return vault.digest("section", f"{share_id}|{section_id}")


def _audit(item: KeepFurther) -> list[dict[str, Any]]:
    share, further = item.plan.telling.record.share, item.plan.further
    action = "share.paused" if further.checking else f"share.{further.kind}"
    sender, vault = item.plan.sender, item.plan.telling.vault
    who = attested(share["partner_id"], vault.digest("author", f"{share['partner_id']}|{sender.author}"), sender.role)
    detail = {"deliveries": len(item.plan.parts), "ring": list(item.plan.ring), **who}
    return [audited(item.business, action, f"client:{item.plan.sender.client_id}", share["id"], None, detail)]


def _audit_refused(item: KeepFurther) -> list[dict[str, Any]]:
    share, actor = item.plan.telling.record.share, f"client:{item.plan.sender.client_id}"
    return [
        audited(
            item.business,
            "delivery.refused",
            actor,
            share["id"],
            None,
            {"service": each.service_id, "refusals": [reason.type for reason in each.refusals]},
        )
        for each in item.plan.refused
    ]


def refuse_further(tx: Transaction, items: Sequence[KeepFurther]) -> list[None]:
    """Record what may go to no service: an audit event for each, and no payload (R12).

    That a part is wrong is kept though nobody has it, so that it is not sent again as it was (R41).
    """
    for item in items:
        tx.insert("audit_events", [*(_audit(item) if item.plan.further.corrects else ()), *_audit_refused(item)])
    return [None for _ in items]


def _keep_reply(tx: Transaction, item: KeepFurther) -> None:
    telling = item.plan.telling
    share = telling.record.share
    tx.insert(
        "replies",
        [
            {
                "partner_id": share["partner_id"],
                "key": item.key,
                "body": item.body,
                "share_id": share["id"],
                "created_at": item.business,
                "reply": telling.data_key.seal(pack(item.receipt), place("replies", "reply", share["id"])),
            }
        ],
    )


def further_receipt(planned: FurtherPlan, directory: Directory) -> dict[str, Any]:
    """Return the body of a 202, in the shape of a share's receipt: who gets it, who does not and why, whom to ring."""
    share = planned.telling.record.share
    return {
        "id": share["id"],
        "reference": share["reference"],
        "your_reference": planned.telling.kept["reference"],
        "consent": next((row["record_id"] for row in planned.telling.record.consents), ""),
        "deliveries": [_delivery(part, directory, planned.business) for part in planned.parts],
        "refused": refused(planned.refused),
        "withheld": _withheld(planned),
        "ring": _ring(planned, directory),
        **plan_words(stale=planned.further.plan_stale),
    }


def further_preview(planned: FurtherPlan, directory: Directory) -> dict[str, Any]:
    """Return who would see what, with the exact parcel each service would get (R13)."""
    return {
        "reference": planned.telling.record.share["reference"],
        "deliveries": [
            {
                "service": part.service_id,
                "name": _name(directory, part.service_id),
                "kind": part.made.delivery["kind"],
                "content_type": part.made.delivery["content_type"],
                "parcel": part.made.body.decode("utf-8"),
                "sections": [section.id for section in part.view.sections] if part.view else [],
            }
            for part in planned.parts
        ],
        "refused": refused(planned.refused),
        "withheld": _withheld(planned),
        "ring": _ring(planned, directory),
        **plan_words(stale=planned.further.plan_stale),
    }


def _delivery(part: Part, directory: Directory, now: datetime) -> dict[str, Any]:
    service = directory.services.get(part.service_id)
    kind, waits = DeliveryKind(part.made.delivery["kind"]), directory.unchecked(part.service_id)
    state = DeliveryState.HELD if waits else DeliveryState.QUEUED
    situation = Situation(
        _name(directory, part.service_id),
        state,
        owner=service.owner if service else "They",
        due=part.made.due,
        kind=kind,
        today=london_date(now),
        answers_question=kind is DeliveryKind.REPLY,
        unchecked=waits,
    )
    return {
        "id": part.made.delivery["id"],
        "service": part.service_id,
        "name": _name(directory, part.service_id),
        "kind": kind,
        "state": state,
        "words": plain(situation),
        "reply_by": part.made.due.isoformat(timespec="seconds"),
    }


def _withheld(planned: FurtherPlan) -> list[dict[str, Any]]:
    return [
        {"service": part.service_id, "pointer": each.pointer, "why": each.why, "words": WITHHELD_WORDS[each.why]}
        for part in planned.parts
        if part.view
        for each in part.view.withheld
    ]


def _ring(planned: FurtherPlan, directory: Directory) -> list[Mapping[str, str]]:
    return [
        {"service": each, "name": _name(directory, each), "words": _ring_words(directory, each)}
        for each in planned.ring
    ]


def _ring_words(directory: Directory, service_id: str) -> str:
    service = directory.services.get(service_id)
    on = f" on {service.phone}" if service and service.phone else ""
    return f"Their system cannot take this. Ring {_name(directory, service_id)}{on} and tell them."


def _name(directory: Directory, service_id: str) -> str:
    service = directory.services.get(service_id)
    return service.name if service else service_id
