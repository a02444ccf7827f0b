"""The consent bundle: an exported record as FHIR R4 Consent resources, one a service, with opaque references alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from hub.domain.consent import ConsentState

Json = dict[str, Any]

MEDIA_TYPE: Final = "application/fhir+json"

_STATUS: Final = {
    ConsentState.GIVEN: "active",
    ConsentState.REFUSED: "rejected",
    ConsentState.WITHDRAWN: "inactive",
    ConsentState.EXPIRED: "inactive",
    ConsentState.SUPERSEDED: "inactive",
}
_HL7: Final = "http://terminology.hl7.org/CodeSystem"
_PATIENT_PRIVACY: Final = {"coding": [{"system": f"{_HL7}/consentscope", "code": "patient-privacy"}]}
_DISCLOSURE: Final = {"coding": [{"system": f"{_HL7}/v3-ActCode", "code": "IDSCL"}]}
_RECIPIENT: Final = {"coding": [{"system": f"{_HL7}/v3-ParticipationType", "code": "IRCP"}]}
#: Who agreed, where that was not the person alone (R22): a kind of person, never a name.
_OTHERS: Final = {"parent_or_carer": "parent or carer", "both": "parent or carer"}


def consent_bundle(shown: Mapping[str, Any], public_url: str) -> Json:
    """Return a record, as `show_consents` gives it, as a Bundle; `public_url` is where its identifiers belong."""
    base = public_url.rstrip("/")
    resources = [_Resource(shown, each, base).consent() for each in shown["consents"]]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": f"{base}/consent-records", "value": shown["record"]},
        "entry": [{"fullUrl": f"{base}/consents/{each['id']}", "resource": each} for each in resources],
    }


class _Resource:
    """One consent's resource, made from a record and one of its consents."""

    def __init__(self, shown: Mapping[str, Any], one: Mapping[str, Any], base: str) -> None:
        self._shown, self._one, self._base = shown, one, base
        self._terms: Mapping[str, Any] = one["terms"] or {}
        self._agreed: Mapping[str, Any] = self._terms.get("agreed", {})
        self._state = ConsentState(one["state"])

    def consent(self) -> Json:
        """Return the resource; what was forgotten is left out."""
        found = {
            "resourceType": "Consent",
            "id": self._one["id"],
            "extension": [*self._best_interests(), *self._lawful_bases(), *self._events()],
            "identifier": [{"system": f"{self._base}/consents", "value": self._one["id"]}],
            "status": _STATUS[self._state],
            "scope": _PATIENT_PRIVACY,
            "category": [_DISCLOSURE],
            "patient": next(iter(self._person()), None),
            "dateTime": self._agreed.get("on") or self._one["events"][0]["at"],
            "performer": self._performers(),
            "organization": [
                self._reference("Organization", "partners", each["id"])
                for each in self._shown["parties"]
                if each["role"] == "controller"
            ],
            "policy": self._policies(),
            "policyRule": {
                "coding": [{"system": f"{_HL7}/v3-ActCode", "code": "OPTIN" if self._permits else "OPTOUT"}]
            },
            "verification": self._verification(),
            "provision": self._provision(),
        }
        return {name: value for name, value in found.items() if value}

    @property
    def _permits(self) -> bool:
        """A no permits nothing; what was given once did, and its status says whether it does still."""
        return self._state is not ConsentState.REFUSED

    def _reference(self, kind: str, where: str, value: str) -> Json:
        return {"type": kind, "identifier": {"system": f"{self._base}/{where}", "value": value}}

    def _person(self) -> list[Json]:
        """Whose it is, by a keyed hash; of a share that was forgotten not even that is left."""
        person = self._shown["person"]
        return [self._reference("Patient", "people", person)] if person else []

    def _performers(self) -> list[Json]:
        if (decided := self._agreed.get("best_interests")) is not None:
            return [{"type": "PractitionerRole", "display": decided["role"]}]
        by = self._agreed.get("by", "person")
        person = [] if by == "parent_or_carer" else self._person()
        return [*person, *([{"type": "RelatedPerson", "display": _OTHERS[by]}] if by in _OTHERS else [])]

    def _policies(self) -> list[Json]:
        basis = self._one["basis"] or {}
        return [
            {"authority": self._base, "uri": f"{self._base}/{where}/{quote(basis[name], safe='')}"}
            for name, where in (("agreement", "agreements"), ("assessment", "assessments"))
            if name in basis
        ]

    def _verification(self) -> list[Json]:
        """That the worker made sure of it with who agreed, and when."""
        if not self._agreed:
            return []
        return [
            {"verified": self._permits, "verifiedWith": each, "verificationDate": self._agreed["on"]}
            for each in self._performers()
            if each["type"] != "PractitionerRole"
        ]

    def _provision(self) -> Json:
        period = {"start": self._agreed.get("on"), "end": self._terms.get("until")}
        found = {
            "type": "permit" if self._permits else "deny",
            "period": {name: value for name, value in period.items() if value},
            "actor": [
                {
                    "role": _RECIPIENT,
                    "reference": self._reference("HealthcareService", "services", self._one["service"]),
                }
            ],
            "purpose": [self._code("purposes", each) for each in [self._terms.get("purpose")] if each],
            "class": [self._code("categories", each) for each in self._terms.get("categories", ())],
        }
        return {name: value for name, value in found.items() if value}

    def _code(self, where: str, code: str) -> Json:
        return {"system": f"{self._base}/{where}", "code": code}

    def _best_interests(self) -> list[Json]:
        decided = self._agreed.get("best_interests")
        if decided is None:
            return []
        return [self._extension("best-interests", role=decided["role"], basis=decided["basis"])]

    def _lawful_bases(self) -> list[Json]:
        basis = self._one["basis"]
        if basis is None:
            return []
        return [self._extension("lawful-basis", side=side, **basis[side]) for side in ("sender", "receiver")]

    def _events(self) -> list[Json]:
        return [
            self._extension("consent-event", state=each["state"], at=each["at"], by=each["by"], client=each["client"])
            for each in self._one["events"]
        ]

    def _extension(self, what: str, **values: str) -> Json:
        parts = [{"url": name, "valueString": value} for name, value in values.items() if value]
        return {"url": f"{self._base}/fhir/{what}", "extension": parts}
