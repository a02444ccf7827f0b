"""Probation by look-up: who has the person, in the shape of the HMPPS External API; off unless somebody enables it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from pydantic import StringConstraints

from hub import sdk
from hub.sdk.connector import NoReply, NotSent
from hub_probation.events import Events
from hub_probation.finding import Search, Trouble, call_me, has_them, read_answer, read_written, sought_in
from hub_probation.office import Office

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]


class HmppsSettings(sdk.Settings):
    """What onboarding gives; the certificate, its key and the `x-api-key` are secrets."""

    base_url: Url
    write_path: Annotated[str, StringConstraints(pattern=r"^(/[a-z0-9-]+)+$")] = "/v1/contacts/third-party"
    queue_url: Url | Literal[""] = ""
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] = "eu-west-2"


class ResponsibleTeam(sdk.Connector[HmppsSettings]):
    """Finds the team that has the person and writes to its queue; who may not be found leaves a call-me notice.

    Not found, not theirs to show, restricted, merged: all are one and the same outcome to whoever sent it (R72).
    """

    settings_type = HmppsSettings

    def __init__(self, settings: HmppsSettings) -> None:
        super().__init__(settings)
        self._events = Events()

    async def check(self, context: sdk.Context) -> sdk.Outcome:
        """Ask for nobody: the certificate and the key are proved, and no parcel leaves."""
        try:
            await self._search(context).named({"firstName": "-", "lastName": "-", "dateOfBirth": "1900-01-01"})
        except Trouble as trouble:
            return trouble.outcome
        return sdk.Delivered(level=sdk.Level.L0)

    async def deliver(self, parcel: sdk.Parcel, context: sdk.Context) -> sdk.Outcome:
        """Look up, then write once: the queue took it is L1, and its receipt is the key that we gave."""
        headers = self._headers(context) | {"content-type": parcel.content_type}
        headers["idempotency-key"] = parcel.idempotency_key
        body = parcel.body
        try:
            if parcel.kind is sdk.DeliveryKind.SHARE:
                found = await has_them(self._search(context), sought_in(parcel.body))
                headers |= found.as_headers() if found else {}
                body = body if found else call_me(parcel.body)
            url = self.settings.base_url + self.settings.write_path
            reply = await context.send("POST", url, headers=headers, content=body)
        except Trouble as trouble:
            return trouble.outcome
        except NotSent as failure:
            return sdk.RetryLater(failure.reason)
        except NoReply as failure:
            return sdk.InDoubt(failure.reason)
        return read_written(reply, parcel.idempotency_key, context.now)

    def parse_callback(self, request: sdk.CallbackRequest) -> sdk.Inbound:
        """Read a coded answer; raises `ValueError` when it names nothing of ours."""
        return read_answer(request)

    async def collect(self, context: sdk.Context) -> AsyncIterator[sdk.Inbound]:
        """Look again where an event says so: what we wrote goes to the team that has the person now."""
        async for inbound in self._events.collect(self._search(context), self.settings):
            yield inbound

    async def acknowledge(self, reference: str, context: sdk.Context) -> None:
        """Delete an event once the hub has kept what it led to."""
        await self._events.acknowledge(reference, self._search(context), self.settings)

    def _search(self, context: sdk.Context) -> Search:
        return Search(context, self.settings.base_url, self._headers(context))

    def _headers(self, context: sdk.Context) -> dict[str, str]:
        return {"x-api-key": context.secrets["api_key"], "accept": "application/json"}


@sdk.hookimpl
def register_connectors(register: sdk.Register) -> None:
    """Offer the connectors under the ids that the manifest uses."""
    register("responsible-team", ResponsibleTeam)
    register("office", Office)
