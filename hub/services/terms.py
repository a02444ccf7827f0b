"""What is kept of a share to decide again by, once its story has gone: each grant as it was given, and the head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter

from hub.domain.share import Choice, Consent, Person, Plan, Section, Share

_CONSENT: TypeAdapter[Consent] = TypeAdapter(Consent)
_SHARE: TypeAdapter[Share] = TypeAdapter(Share)


def terms(consent: Consent) -> bytes:
    """Return a grant as JSON, to be sealed: every field under the name that the share gave it (ISO/IEC TS 27560)."""
    return orjson.dumps(consent, option=orjson.OPT_NON_STR_KEYS)  # the categories that are ticked are keys


def clause(consent: Consent, *, children: bool = False) -> list[str]:
    """Return what may come back under a grant; a place is among it only where the service may know where they are.

    A children's team tells a worker that it has decided its next step, whatever a consent says of more (R21).
    """
    return [] if children else [*consent.returns, *(["place"] if consent.location_ok else [])]


def grant(document: Mapping[str, Any]) -> Consent:
    """Return the grant that `terms` wrote down."""
    return _CONSENT.validate_python(document)


def head(share: Share) -> Mapping[str, Any]:
    """Return what of a share is neither its story nor whose it is, and decides what may follow it (R11, R66)."""
    one = share.trusted_person
    contact = {"role": one.contact.role, "email": one.contact.email, "phone": one.contact.phone}
    return {
        "trusted_person": {
            "reference": one.reference,
            "kind": one.kind,
            "name": one.name,
            "contact": contact,
            "can_see": one.can_see,
        },
        "ask": share.ask,
        "urgent": share.urgent,
        "three_of_five": share.three_of_five,
        "withhold_author": share.withhold_author,
        "handling": [str(line) for line in share.handling],
        "keep_from": share.keep_from,
        "plan": share.plan and {"reference": share.plan.reference, "version": share.plan.version},
    }


def plan_named(kept: Mapping[str, Any]) -> Plan | None:
    """Return the person's plan that a share names, from what was `kept` of that (R20)."""
    named = kept["head"]["plan"]
    return Plan(named["reference"], named["version"]) if named else None


def retold(kept: Mapping[str, Any], grants: list[Consent], sections: list[Section]) -> Share:
    """Return a share of new sections under grants of an earlier one, from what was `kept` of that (R19).

    Whose it is and how they chose whom to trust was looked at when it was first sent, and is kept nowhere.
    """
    parts = {"choice": Choice("", nothing_suggests_unsafe=True), "person": Person("-"), "at_risk_now": False}
    told = {"reference": kept["reference"], "sections": sections, "consents": grants}
    return _SHARE.validate_python(kept["head"] | parts | told)
