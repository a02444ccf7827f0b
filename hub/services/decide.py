"""Decide for each service addressed whether the share may go and what it carries: for preview and submit alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.domain import gate, override, trusted_person
from hub.domain.calendar import london_date
from hub.domain.consent import ABSENT, permits, standing
from hub.domain.errors import Refusal
from hub.domain.minimise import Allowed, View, keeps_location_private, minimise
from hub.domain.override import OverrideGrant, OverridePolicy, Second
from hub.domain.precondition import Asserted
from hub.domain.route import Directory, Partner, Route
from hub.domain.share import Category, Consent, Share
from hub.domain.trusted_person import NO_LINK, Link, must_wait
from hub.domain.wording import HANDLING_WORDS
from hub.services.before import NOTHING_BEFORE, Before

#: No consent was ended with an earlier share.
NOTHING_ENDED: Mapping[str, Refusal] = {}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who is sending: the partner, its authenticated client, and the worker it attests (R60).

    `second` is another worker who signed the same request, where an override asks for one (R23).
    """

    partner: Partner
    client_id: str
    author: str
    role: str = ""  #: the author's, as the partner attests it: who may refer can depend on it (R28)
    second: Second | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided for one service: refused with every reason, or a route, a consent and a minimised view.

    `closed`: this sender may not send to it at all, whoever it is about (R28). `override` is there where the
    partnership's policy was asked for instead of a consent (R23): then there is no consent.
    """

    service_id: str
    refusals: tuple[Refusal, ...] = ()
    route: Route | None = None
    consent: Consent | None = None
    view: View | None = None
    closed: bool = False
    override: OverrideGrant | None = None

    @property
    def allowed(self) -> Allowed | None:
        """What says how much the service may see: what the person agreed, or else the policy."""
        return self.consent or self.override


def decide(  # noqa: PLR0913 - the inputs of every verdict
    share: Share,
    sender: Sender,
    directory: Directory,
    now: datetime,
    ended: Mapping[str, Refusal] = NOTHING_ENDED,
    link: Link = NO_LINK,
) -> tuple[Verdict, ...]:
    """Return a verdict for each service addressed, in the order given (R04, R12, R13, R17, R25).

    `ended` says for a service why its consent, by the references it bears, permits nothing whatever it says of itself.
    `link` is what is known of the person's choice of trusted person.
    """
    consents = {consent.service: (index, consent) for index, consent in enumerate(share.consents)}
    return tuple(
        _verdict(share, sender, service_id, consents.get(service_id), ended.get(service_id), directory, now, link)
        for service_id in share.addressed
    )


def _verdict(  # noqa: PLR0913 - a verdict weighs just these
    share: Share,
    sender: Sender,
    service_id: str,
    found: tuple[int, Consent] | None,
    ended: Refusal | None,
    directory: Directory,
    now: datetime,
    link: Link,
) -> Verdict:
    route = directory.route(service_id)
    if route is None:
        return Verdict(service_id, (_unknown_service(share, service_id),))
    # First of all, and from the sender alone: whoever may not refer learns nothing, whoever it is about (R28, TH04).
    if shut := gate.closed(route.gates, sender.partner.id, sender.partner.kind, sender.role):
        return Verdict(service_id, shut, route, closed=True)
    if found is None:
        return _without_a_yes(share, sender, directory.override, route, now, link)
    index, consent = found
    pointer = f"/consents/{index}"
    refused = _not_by_them(link, consent, now, pointer) + tuple(
        replace(refusal, pointer=f"{pointer}{refusal.pointer}") for refusal in _refusals(consent, ended, route, now)
    )
    view = minimise(share, consent, route.service, route.connection)
    if consent.answer == "yes":
        asserted = Asserted(consent.facts, share.three_of_five, london_date(now))
        refused += (*gate.refusals(route.gates, asserted, pointer), *view.refusals)
    if refused:
        return Verdict(service_id, refused, route, consent)
    if not view.sections:
        return Verdict(service_id, (_nothing_to_send(pointer),), route, consent, view)
    return Verdict(service_id, (), route, consent, view)


def _without_a_yes(  # noqa: PLR0913 - as `_verdict`
    share: Share, sender: Sender, policy: OverridePolicy | None, route: Route, now: datetime, link: Link
) -> Verdict:
    """Refuse, unless a policy for this very service is asked to let it go; all else holds as it ever does (R12, R23).

    Gates, the choice of trusted person and minimisation are weighed as for any consent.
    """
    asked = share.override
    if asked is None or policy is None or not override.covers(policy, route.service.id, now):
        return Verdict(route.service.id, (replace(ABSENT, pointer="/consents"),), route)
    found = override.refusals(policy, share, sender.author, sender.second, waits=must_wait(share, link))
    grant = override.grant(policy, asked)
    view = minimise(share, grant, route.service, route.connection)
    asserted = Asserted({}, share.three_of_five, london_date(now))
    found += (*trusted_person.refusals(link, "", now), *gate.refusals(route.gates, asserted, ""), *view.refusals)
    if not found and not view.sections:
        found = (override.COVERS_NOTHING,)
    return Verdict(route.service.id, found, route, view=view, override=grant)


def _refusals(consent: Consent, ended: Refusal | None, route: Route, now: datetime) -> tuple[Refusal, ...]:
    children = route.agreement.children
    found = permits(standing(consent), purposes=route.service.purposes, now=now, children=children)
    return found if ended is None else (ended, *(each for each in found if each.type != ended.type))


def _not_by_them(link: Link, consent: Consent, now: datetime, pointer: str) -> tuple[Refusal, ...]:
    """What this trusted person may not send; a reason about the topic points at what the consent is for (R05)."""
    found = trusted_person.refusals(link, consent.purpose, now)
    return tuple(each if each.pointer else replace(each, pointer=f"{pointer}/purpose") for each in found)


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
    before: Before = NOTHING_BEFORE,
) -> Mapping[str, Any]:
    """Return what a mapping may see of a passed verdict: the minimised view and the frame around it (section 9).

    `due` is when the service should have replied; of what was `before` the date first asked alone goes (R33).
    """
    route, allowed, view = verdict.route, verdict.allowed, verdict.view
    if route is None or allowed is None or view is None or verdict.refusals:
        raise ValueError("only a passed verdict can be composed")
    return {
        "section": by_category(view),
        "share": {
            "reference": reference,
            "ask": share.ask,
            "urgent": share.urgent,
            "handling": [{"line": str(line), "words": HANDLING_WORDS[line]} for line in share.handling],
            "keep_from": share.keep_from,
            "plan": _plan(share, allowed, route),
            "sent_at": sent_at.isoformat(timespec="seconds"),
            "sent_on": london_date(sent_at).isoformat(),
            "first_asked_on": london_date(before.first_asked_at).isoformat() if before.first_asked_at else "",
        },
        "delivery": {
            "key": key,
            "case": case,
            "kind": "share",
            "plan_stale": before.plan_stale,
            "reply_by": due.isoformat(timespec="seconds"),
            "reply_on": london_date(due).isoformat(),
        },
        "trusted_person": {
            "reference": share.trusted_person.reference,
            "kind": share.trusted_person.kind,
            "name": _name(share, allowed, sender),
            "unnamed": share.withhold_author,  # what follows this share must not name its workers either (R11)
            "contact": {
                "role": share.trusted_person.contact.role,
                "email": share.trusted_person.contact.email,
                "phone": share.trusted_person.contact.phone,
            },
        },
        **_permission(verdict, route),
        "service": {"id": route.service.id, "name": route.service.name, "address": route.service.address},
        "sender": {
            "id": sender.partner.id,
            "name": sender.partner.name,
            "ods": sender.partner.ods,
            "address": sender.partner.address,
            "kind": sender.partner.kind,
        },
    }


def by_category(view: View) -> dict[str, list[dict[str, Any]]]:
    """Return the sections of a view as a mapping sees them: by category, each with who said it."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for section in view.sections:
        said = section.said and {"by": section.said.by, "how": section.said.how, "on": section.said.on.isoformat()}
        entry = {"id": section.id, "fields": section.fields, "text": section.text, "said": said or {}}
        sections.setdefault(str(section.category), []).append(entry)
    return sections


def _name(share: Share, consent: Allowed, sender: Sender) -> str:
    """The trusted person's name; where it would show where the person goes, the role at the organisation (R62)."""
    if keeps_location_private(share, consent):
        return f"{share.trusted_person.contact.role}, {sender.partner.name}"
    return share.trusted_person.name


def _plan(share: Share, consent: Allowed, route: Route) -> dict[str, str]:
    """Where the person's one plan is and its version, for a service that may know that there is one (R20)."""
    agreed = Category.PLAN_REFERENCE in consent.categories and Category.PLAN_REFERENCE in route.connection.accepts
    if share.plan is None or not agreed:
        return {}
    return {"reference": share.plan.reference, "version": share.plan.version}


def _permission(verdict: Verdict, route: Route) -> dict[str, Any]:
    """A mapping that says what the person agreed cannot be made of an override, nor one of an override without it."""
    if verdict.consent is not None:
        return {"consent": _grant(verdict.consent, route)}
    assert verdict.override is not None
    return {"consent": {}, "override": {"basis": verdict.override.basis, "assessment": verdict.override.assessment}}


def _grant(consent: Consent, route: Route) -> dict[str, Any]:
    return {
        "reference": consent.reference,
        "purpose": consent.purpose,
        "agreed_on": consent.agreed.on.isoformat(),
        "how": consent.agreed.how,
        "able_to_decide": consent.agreed.able_to_decide,
        "until": consent.until.isoformat(),
        "notice": consent.agreed.notice,
        "facts": gate.asked_only(route.gates, consent.facts),
    }
