"""Decide for each service addressed whether the share may go and what it carries: for preview and submit alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.domain import gate
from hub.domain.calendar import london_date
from hub.domain.consent import ABSENT, CHOICE_UNSAFE, ConsentState, permits, standing
from hub.domain.errors import Refusal
from hub.domain.minimise import View, minimise
from hub.domain.route import Directory, Partner, Route
from hub.domain.share import Consent, Share


@dataclass(frozen=True, slots=True)
class Sender:
    """Who is sending: the partner, its authenticated client, and the worker it attests (R60)."""

    partner: Partner
    client_id: str
    author: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided for one service: refused with every reason, or a route, a consent and a minimised view."""

    service_id: str
    refusals: tuple[Refusal, ...] = ()
    route: Route | None = None
    consent: Consent | None = None
    view: View | None = None


def decide(share: Share, directory: Directory, now: datetime, withdrawn: Collection[str] = ()) -> tuple[Verdict, ...]:
    """Return a verdict for each service addressed, in the order given (R04, R12, R13, R17, R25).

    `withdrawn` are the services whose consent, by the reference it bears, was withdrawn with an earlier share.
    """
    states = {
        consent.service: ConsentState.WITHDRAWN if consent.service in withdrawn else ConsentState.GIVEN
        for consent in share.consents
    }
    consents = {consent.service: (index, consent) for index, consent in enumerate(share.consents)}
    verdicts = tuple(
        _verdict(share, service_id, consents.get(service_id), states.get(service_id), directory, now)
        for service_id in share.addressed
    )
    if share.choice.nothing_suggests_unsafe:
        return verdicts
    return tuple(replace(each, refusals=(CHOICE_UNSAFE, *each.refusals), view=None) for each in verdicts)


def _verdict(  # noqa: PLR0913 - a verdict weighs just these
    share: Share,
    service_id: str,
    found: tuple[int, Consent] | None,
    state: ConsentState | None,
    directory: Directory,
    now: datetime,
) -> Verdict:
    route = directory.route(service_id)
    if route is None:
        return Verdict(service_id, (_unknown_service(share, service_id),))
    if found is None or state is None:
        return Verdict(service_id, (replace(ABSENT, pointer="/consents"),), route)
    index, consent = found
    pointer = f"/consents/{index}"
    refused = (
        *(
            replace(refusal, pointer=f"{pointer}{refusal.pointer}")
            for refusal in permits(standing(consent, state), purposes=route.service.purposes, now=now)
        ),
        *gate.refusals(route.connection.facts, consent.facts, pointer),
    )
    if refused:
        return Verdict(service_id, refused, route, consent)
    view = minimise(share, consent, route.connection.accepts)
    if not view.sections:
        return Verdict(service_id, (_nothing_to_send(pointer),), route, consent, view)
    return Verdict(service_id, (), route, consent, view)


def _unknown_service(share: Share, service_id: str) -> Refusal:
    return Refusal(
        type="service-unknown",
        title="We do not know this service.",
        next_step="Choose one from the list in your system, or ask your champion who can help.",
        pointer=f"/services/{share.addressed.index(service_id)}",
    )


def _nothing_to_send(pointer: str) -> Refusal:
    return Refusal(
        type="consent-covers-nothing",
        title="Nothing in this share is both agreed and right for this service.",
        next_step="Check which parts the person agreed to share with this service, and that each part has a label.",
        pointer=f"{pointer}/categories",
    )


def compose(  # noqa: PLR0913 - everything a mapping may see, and nothing else
    share: Share,
    verdict: Verdict,
    sender: Sender,
    reference: str,
    key: str,
    case: str,
    sent_at: datetime,
    due: datetime,
) -> Mapping[str, Any]:
    """Return what a mapping may see of a passed verdict: the minimised view and the frame around it (section 9).

    `due` is when the service should have replied.
    """
    route, consent, view = verdict.route, verdict.consent, verdict.view
    if route is None or consent is None or view is None or verdict.refusals:
        raise ValueError("only a passed verdict can be composed")
    return {
        "section": _sections(view),
        "share": {
            "reference": reference,
            "ask": share.ask,
            "urgent": share.urgent,
            "sent_at": sent_at.isoformat(timespec="seconds"),
            "sent_on": london_date(sent_at).isoformat(),
        },
        "delivery": {
            "key": key,
            "case": case,
            "kind": "share",
            "reply_by": due.isoformat(timespec="seconds"),
            "reply_on": london_date(due).isoformat(),
        },
        "trusted_person": {
            "reference": share.trusted_person.reference,
            "kind": share.trusted_person.kind,
            "name": share.trusted_person.name,
            "contact": {
                "role": share.trusted_person.contact.role,
                "email": share.trusted_person.contact.email,
                "phone": share.trusted_person.contact.phone,
            },
        },
        "consent": _grant(consent),
        "service": {"id": route.service.id, "name": route.service.name, "address": route.service.address},
        "sender": {
            "id": sender.partner.id,
            "name": sender.partner.name,
            "ods": sender.partner.ods,
            "address": sender.partner.address,
            "kind": sender.partner.kind,
        },
    }


def _sections(view: View) -> dict[str, list[dict[str, Any]]]:
    sections: dict[str, list[dict[str, Any]]] = {}
    for section in view.sections:
        said = section.said and {"by": section.said.by, "how": section.said.how, "on": section.said.on.isoformat()}
        entry = {"id": section.id, "fields": section.fields, "text": section.text, "said": said or {}}
        sections.setdefault(str(section.category), []).append(entry)
    return sections


def _grant(consent: Consent) -> dict[str, Any]:
    return {
        "reference": consent.reference,
        "purpose": consent.purpose,
        "agreed_on": consent.agreed.on.isoformat(),
        "how": consent.agreed.how,
        "able_to_decide": consent.agreed.able_to_decide,
        "until": consent.until.isoformat(),
        "notice": consent.agreed.notice,
        "facts": consent.facts,
    }
