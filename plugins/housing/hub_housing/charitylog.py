"""The Charitylog connector: one person into a charity's staging area, where somebody there takes it up, or does not."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import StringConstraints

from hub import sdk
from hub.sdk.connector import NoReply, NotSent
from hub.sdk.transports.waiting import retry_after


class CharitylogSettings(sdk.Settings):
    """What partner IT fills in; the three keys of the API (software house, charity, user) are secrets."""

    base_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]


class Charitylog(sdk.Connector[CharitylogSettings]):
    """Puts a person into the staging area, which proves that it was taken (L1) and no more: nobody has opened it."""

    settings_type = CharitylogSettings

    async def check(self, context: sdk.Context) -> sdk.Outcome:
        """Read which fields there are: the keys are proved, and no parcel leaves."""
        url = f"{self.settings.base_url}/v2/clients/selectable_fields"
        reply = await context.send("GET", url, headers=_headers(context), starts=False)
        return sdk.Delivered(level=sdk.Level.L0) if reply.status == 200 else _failed(reply, context)

    async def deliver(self, parcel: sdk.Parcel, context: sdk.Context) -> sdk.Outcome:
        """Write once; it does not dedupe and cannot be asked, so what is in doubt a person settles."""
        headers = _headers(context) | {
            "content-type": parcel.content_type,
            "idempotency-key": parcel.idempotency_key,  # for their log alone
        }
        url = f"{self.settings.base_url}/v2/external_referral"
        try:
            reply = await context.send("PUT", url, headers=headers, content=parcel.body)
        except NotSent as failure:
            return sdk.RetryLater(failure.reason)
        except NoReply as failure:
            return sdk.InDoubt(failure.reason)
        return _read(reply, parcel, context)


def _read(reply: sdk.Response, parcel: sdk.Parcel, context: sdk.Context) -> sdk.Outcome:
    if reply.status not in {200, 201}:
        return _failed(reply, context)
    try:
        taken = isinstance(json.loads(reply.body), dict | list)
    except (ValueError, RecursionError):
        taken = False  # a page of something between us says 200 too
    return sdk.Delivered(parcel.idempotency_key, sdk.Level.L1) if taken else sdk.InDoubt("reply-holds-no-receipt")


def _failed(reply: sdk.Response, context: sdk.Context) -> sdk.Outcome:
    code = f"http-{reply.status}"
    if reply.status in {401, 403}:
        return sdk.Halt(code)
    if reply.status in {425, 429, 503}:
        return sdk.RetryLater(code, retry_after(reply, context.now))
    return sdk.Rejected(code) if 400 <= reply.status < 500 and reply.status != 408 else sdk.InDoubt(code)


def _headers(context: sdk.Context) -> dict[str, str]:
    return {
        "accept": "application/json",
        "source": context.secrets["source_key"],
        "org": context.secrets["org_key"],
        "user": context.secrets["user_key"],
    }
