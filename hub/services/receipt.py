"""The receipt: what a sender is told at once, for every service, in words a worker understands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hub.domain.calendar import london_date
from hub.domain.delivery import DeliveryEvent, move
from hub.domain.errors import Refusal
from hub.domain.minimise import Withheld
from hub.domain.wording import WITHHELD_WORDS, Situation, plain
from hub.services.decide import Verdict
from hub.services.plan import Plan, Planned
from hub.services.set_clocks import reply_by

#: Said first whenever someone is at risk now: this lane is never the way to raise an alarm (R23).
NOT_A_SAFEGUARDING_REFERRAL = (
    "This has NOT made a safeguarding referral. If someone is in danger now, ring 999. "
    "If not, ring your safeguarding team."
)

#: No rule finds every place that a story names (R62).
READ_IT_FIRST = (
    "We cannot spot every place. Before you send it, read it as if someone who might harm them could see it."
)


def receipt(planned: Plan) -> dict[str, Any]:
    """Return the body of a 202: a verdict for each service, and by pointer what was withheld (R12, R17)."""
    return {
        **({"safeguarding": NOT_A_SAFEGUARDING_REFERRAL} if planned.share.at_risk_now else {}),
        "id": planned.ids.share,
        "reference": planned.ids.reference,
        "your_reference": planned.share.reference,
        "consent": planned.ids.record,
        "deliveries": [_delivery(parcel, planned.sent_at) for parcel in planned.parcels],
        "refused": refused(planned.refused),
        "withheld": withheld(planned),
    }


def preview(planned: Plan) -> dict[str, Any]:
    """Return who would see what, with the exact parcel each service would get (R13)."""
    return {
        "reference": planned.ids.reference,
        "deliveries": [
            {
                "service": parcel.route.service.id,
                "name": parcel.route.service.name,
                "content_type": parcel.content_type,
                "parcel": parcel.body.decode("utf-8"),
                "sections": [section.id for section in parcel.verdict.view.sections] if parcel.verdict.view else [],
            }
            for parcel in planned.parcels
        ],
        "refused": refused(planned.refused),
        "withheld": withheld(planned),
        "note": READ_IT_FIRST,
    }


def _delivery(parcel: Planned, sent_at: datetime) -> dict[str, Any]:
    service = parcel.route.service
    due = reply_by(parcel.clocks)
    state = move(None, DeliveryEvent.ACCEPTED)
    today = london_date(sent_at)
    situation = Situation(service.name, state, owner=service.owner, due=due, phone=service.phone, today=today)
    return {
        "id": parcel.delivery_id,
        "service": service.id,
        "name": service.name,
        "state": state,
        "words": plain(situation),
        "reply_by": due.isoformat(timespec="seconds"),
    }


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
    }


def withheld(planned: Plan) -> list[dict[str, Any]]:
    """Return what each service will not see, by pointer and reason."""
    verdicts = [parcel.verdict for parcel in planned.parcels]
    return [
        {"service": verdict.service_id, "pointer": part.pointer, "why": part.why, "words": WITHHELD_WORDS[part.why]}
        for verdict in verdicts
        for part in _parts(verdict)
    ]


def _parts(verdict: Verdict) -> tuple[Withheld, ...]:
    return verdict.view.withheld if verdict.view is not None else ()
