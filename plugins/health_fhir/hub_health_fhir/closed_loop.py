"""The FHIR Task connector: a referral into a server of the service's own, and its Task read until it is done."""

from __future__ import annotations

from hub.sdk import Answer
from hub.sdk.transports.fhir_task import FhirTaskConnector, FhirTaskSettings, Resource
from hub_health_fhir.task_answers import read_fhir_task


class FhirTask(FhirTaskConnector[FhirTaskSettings]):
    """The shared closed loop, with what this pack makes of a Task."""

    settings_type = FhirTaskSettings

    def answer(self, fhir_task: Resource, request: Resource) -> Answer | None:
        """Say what the service has decided."""
        return read_fhir_task(fhir_task, request)
