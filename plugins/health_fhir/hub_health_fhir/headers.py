"""The request headers of BaRS, 1.2 to 1.4: who asks, through which software, of which service, under which two ids."""

from __future__ import annotations

import base64
import json
from typing import Any

DOS = "https://fhir.nhs.uk/Id/dos-service-id"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
SDS_ROLE = "https://fhir.nhs.uk/Id/sds-role-profile-id"
USE_CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"
FHIR_JSON = "application/fhir+json"


def accept(version: str) -> str:
    """Name the version of the standard that the reply should be of."""
    return f"{FHIR_JSON}; version={version}"


ACCEPT = accept("1.4.0")


def encoded(value: dict[str, Any]) -> str:
    """Return an object as BaRS carries it in a header: standard base64 of its JSON."""
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode("ascii")


def target(service_id: str) -> str:
    """Name the receiving service by its DoS service id."""
    return encoded({"value": service_id, "system": DOS})


def organisation(ods: str, name: str) -> str:
    """Name the organisation on whose behalf the message is sent."""
    return encoded({"resourceType": "Organization", "identifier": [{"value": ods, "system": ODS}], "name": name})


def software(system: str, identifier: str, name: str, version: str) -> str:
    """Name the sending product."""
    return encoded(
        {
            "resourceType": "Device",
            "identifier": [{"system": system, "value": identifier}],
            "deviceName": {"name": name, "type": "manufacturer-name"},
            "version": {"value": version},
        }
    )


def practitioner(role_profile: str) -> str:
    """Name the practitioner's role by its SDS role profile id."""
    return encoded({"resourceType": "PractitionerRole", "identifier": [{"value": role_profile, "system": SDS_ROLE}]})
