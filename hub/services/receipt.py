"""The receipt: what a sender is told at once, for every service, in words a worker understands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hub.domain.audit import Checkpoint
from hub.domain.calendar import london_date
from hub.domain.delivery import DeliveryEvent, move
from hub.domain.errors import Refusal
from hub.domain.minimise import Withheld
from hub.domain.route import Champion, Safeguarding, Service
from hub.domain.status import ShareStatus
from hub.domain.wording import WITHHELD_WORDS, Situation, plain
from hub.services.before import PLAN_IS_OLD
from hub.services.decide import Verdict
from hub.services.hold_share import HELD_WORDS
from hub.services.plan import Plan, Planned
from hub.services.rehearse import STATUS, WORDS, tried_words
from hub.services.set_clocks import reply_by

#: Said first whenever someone is at risk now: this lane is never the way to raise an alarm (R23).
NOT_A_SAFEGUARDING_REFERRAL = (
    "This has NOT made a safeguarding referral. If someone is in danger now, ring 999. If not, ring one of these."
)


def whom_to_ring(safeguarding: Safeguarding | None) -> dict[str, Any]:
    """Return what is said first where someone is at risk: the partnership's numbers, before any other way (R23)."""
    numbers = safeguarding.numbers if safeguarding else ()
    return {
        "words": NOT_A_SAFEGUARDING_REFERRAL,
        "ring": [{"name": each.name, "phone": each.phone, "when": each.when} for each in numbers],
        "safety_lane": "/v1/safety-lane",
    }


TAKEN_WORDS = "This is safe with us. We are passing it on."

#: No rule finds every place that a story names (R62).
READ_IT_FIRST = "We cannot spot every place. Read it as if the person who hurt them could see it."


def _all_checked(_service_id: str) -> bool:
    return False


def receipt(
    planned: Plan,
    safeguarding: Safeguarding | None = None,
    checkpoint: Checkpoint | None = None,
    unchecked: Callable[[str], bool] = _all_checked,
) -> dict[str, Any]:
    """Return the body of a 202: a verdict for each service, and by pointer what was withheld (R12, R17).

    `checkpoint` is the newest of the audit log: a partner that keeps it can tell whether the log was changed (TH13).
    `unchecked` tells of a service whether its entry has to be looked at before anything goes there (TH20).
    """
    return {
        **({"safeguarding": whom_to_ring(safeguarding)} if planned.share.at_risk_now else {}),
        "id": planned.ids.share,
        "reference": planned.ids.reference,
        "your_reference": planned.share.reference,
        "consent": planned.ids.record,
        "status": ShareStatus.HELD if planned.held else ShareStatus.OPEN,
        "words": HELD_WORDS if planned.held else TAKEN_WORDS,
        "support": support(planned.sender.partner.champion),
        "deliveries": [] if planned.held else [_delivery(planned, parcel, unchecked) for parcel in planned.parcels],
        "refused": refused(planned.refused),
        "withheld": withheld(planned),
        **tried(planned),
        "checkpoint": checkpoint.document() if checkpoint else None,
        **plan_words(stale=planned.before.plan_stale),
    }


def tried(planned: Plan) -> dict[str, Any]:
    """Return what would have gone to services in shadow mode, where there are any; nothing of it was sent (R75)."""
    found = [
        {
            "service": parcel.route.service.id,
            "name": parcel.route.service.name,
            "words": tried_words(parcel.route.service.name),
            "content_type": parcel.content_type,
            "bytes": len(parcel.body),
            "sections": [section.id for section in parcel.verdict.view.sections] if parcel.verdict.view else [],
        }
        for parcel in planned.shadows
    ]
    return {"shadow": found} if found else {}


def only_tried(planned: Plan, safeguarding: Safeguarding | None = None) -> dict[str, Any]:
    """Return the body of a 202 where everything was only tried: there is no share, and so no id or reference (R75)."""
    return {
        **({"safeguarding": whom_to_ring(safeguarding)} if planned.share.at_risk_now else {}),
        "id": None,
        "reference": None,
        "your_reference": planned.share.reference,
        "status": STATUS,
        "words": WORDS,
        "support": support(planned.sender.partner.champion),
        "deliveries": [],
        "refused": refused(planned.refused),
        "withheld": withheld(planned),
        **tried(planned),
    }


def plan_words(*, stale: bool) -> dict[str, Any]:
    """Return what a sender is told of the plan that they name, where it has a newer version (R20)."""
    return {"plan": {"stale": True, "words": PLAN_IS_OLD}} if stale else {}


def support(champion: Champion) -> dict[str, str]:
    """Return whom the worker can talk to: speaking for somebody can be hard (R11)."""
    words = f"If this is hard, or you do not feel safe, talk to your champion, {champion.name}."
    return {"words": words, "name": champion.name, "email": champion.email}


def preview(planned: Plan, safeguarding: Safeguarding | None = None) -> dict[str, Any]:
    """Return who would see what, with the exact parcel each service would get (R13)."""
    return {
        **({"safeguarding": whom_to_ring(safeguarding)} if planned.share.at_risk_now else {}),
        "reference": planned.ids.reference,
        "status": ShareStatus.HELD if planned.held else ShareStatus.OPEN,
        "words": HELD_WORDS if planned.held else "",
        "deliveries": [
            {
                "service": parcel.route.service.id,
                "name": parcel.route.service.name,
                "content_type": parcel.content_type,
                "parcel": parcel.body.decode("utf-8"),
                "sections": [section.id for section in parcel.verdict.view.sections] if parcel.verdict.view else [],
            }
            for parcel in (() if planned.held else planned.parcels)
        ],
        **shown_only(planned),
        "refused": refused(planned.refused),
        "withheld": withheld(planned),
        "duties": duties(planned),
        **plan_words(stale=planned.before.plan_stale),
        "note": READ_IT_FIRST,
    }


def shown_only(planned: Plan) -> dict[str, Any]:
    """As `tried`, each with the very bytes."""
    bodies = [parcel.body.decode("utf-8") for parcel in planned.shadows]
    found = tried(planned).get("shadow", [])
    return {"shadow": [{**each, "parcel": body} for each, body in zip(found, bodies, strict=True)]} if found else {}


def _delivery(planned: Plan, parcel: Planned, unchecked: Callable[[str], bool]) -> dict[str, Any]:
    service = parcel.route.service
    due, waits = reply_by(parcel.clocks), unchecked(parcel.route.service.id)
    state = move(None, DeliveryEvent.ACCEPTED_ON_HOLD if waits else DeliveryEvent.ACCEPTED)
    today = london_date(planned.sent_at)
    situation = Situation(
        service.name, state, owner=service.owner, due=due, phone=service.phone, today=today, unchecked=waits
    )
    return {
        "id": parcel.delivery_id,
        **({"consent": planned.ids.consent(service.id)} if parcel.consent else {"override": _basis(parcel)}),
        "service": service.id,
        "name": service.name,
        "state": state,
        "words": plain(situation),
        "reply_by": due.isoformat(timespec="seconds"),
        **(tonight(service) if planned.share.urgent else {}),
    }


def tonight(service: Service) -> dict[str, Any]:
    """Return whom to ring where an urgent need cannot wait until a service answers (R43); nothing without a number."""
    if not service.phone:
        return {}
    words = f"If this cannot wait for their answer, ring {service.name} on {service.phone}."
    return {"tonight": {"phone": service.phone, "words": words}}


def _basis(parcel: Planned) -> str | None:
    return parcel.verdict.override.basis if parcel.verdict.override else None


def refused(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Return every reason for every refused service, all at once; a name that is no service's is not repeated."""
    return [
        {"service": verdict.service_id if verdict.route else "unknown", **explain(reason)}
        for verdict in verdicts
        for reason in verdict.refusals
    ]


def explain(refusal: Refusal) -> dict[str, Any]:
    """Return a refusal as it is shown: type, plain title, next step, pointer."""
    return {
        "type": refusal.type,
        "title": refusal.title,
        "next_step": refusal.next_step,
        "pointer": refusal.pointer,
        **({"link": refusal.link} if refusal.link else {}),
    }


def duties(planned: Plan) -> list[dict[str, str]]:
    """Return what each service may have to do with this, to be explained before the person agrees (R68)."""
    verdicts = [*(parcel.verdict for parcel in (*planned.parcels, *planned.shadows)), *planned.refused]
    return [
        {"service": each.service_id, "name": each.route.service.name, "words": each.route.agreement.duties}
        for each in verdicts
        if each.route is not None
    ]


def withheld(planned: Plan) -> list[dict[str, Any]]:
    """Return what each service will not see, by pointer and reason."""
    verdicts = [parcel.verdict for parcel in (*planned.parcels, *planned.shadows)]
    return [
        {"service": verdict.service_id, "pointer": part.pointer, "why": part.why, "words": WITHHELD_WORDS[part.why]}
        for verdict in verdicts
        for part in _parts(verdict)
    ]


def _parts(verdict: Verdict) -> tuple[Withheld, ...]:
    return verdict.view.withheld if verdict.view is not None else ()
