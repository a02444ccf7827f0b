"""What a BaRS response says beside its decision: that the person has died, or that the worker should take care.

BaRS 1.4 has no element for "check with the person" or "do not tell yet". A receiver that can say it uses a Flag with
one of the two codes below, agreed with it [K]; a death is FHIR's own `Patient.deceased[x]`, or an ITK3 response code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hub.sdk import Answer, AnswerState

#: The ITK3 code for a patient who has recently died (UKCore-ITKResponseCode), and the reason that stops all (R69).
ITK_CODES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-ITKResponseCode"
ITK_DIED = "30004"
PERSON_DIED = "person-died"

CHECK_WITH_PERSON, DO_NOT_TELL_YET = "check-with-person", "do-not-tell-yet"

#: Codings of one resource that are looked at.
_MOST = 50


def with_news(answer: Answer, resources: list[dict[str, Any]]) -> Answer:
    """Return the answer with what its message says besides; a death outweighs whatever was decided."""
    codes = {code for resource in resources if _is_active_flag(resource) for _, code in _codings(resource.get("code"))}
    cared = replace(
        answer,
        check_with_person=CHECK_WITH_PERSON in codes,
        do_not_tell_yet=DO_NOT_TELL_YET in codes,
    )
    if any(map(_says_died, resources)):
        return replace(cared, state=AnswerState.DECLINED, reason=PERSON_DIED, stage="")
    return cared


def _is_active_flag(resource: dict[str, Any]) -> bool:
    return resource.get("resourceType") == "Flag" and resource.get("status") == "active"


def _says_died(resource: dict[str, Any]) -> bool:
    match resource.get("resourceType"):
        case "Patient":
            at = resource.get("deceasedDateTime")
            return resource.get("deceasedBoolean") is True or (isinstance(at, str) and bool(at.strip()))
        case "OperationOutcome":
            issues = resource.get("issue")
            found = [each for each in issues if isinstance(each, dict)] if isinstance(issues, list) else []
            return any(coding == (ITK_CODES, ITK_DIED) for each in found for coding in _codings(each.get("details")))
        case _:
            return False


def _codings(concept: Any) -> Iterator[tuple[Any, Any]]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for coding in codings[:_MOST] if isinstance(codings, list) else ():
        if isinstance(coding, dict) and isinstance(coding.get("code"), str):
            yield coding.get("system"), coding["code"]
