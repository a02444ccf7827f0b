"""The duty-to-refer connector: one referral to one council's housing system, over REST with OAuth (R63)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import StringConstraints

from hub import sdk
from hub.sdk.transports.oauth import BearerTokens
from hub.sdk.transports.pull import Pulled
from hub.sdk.transports.rest import ask
from hub_housing.by_email import DutyToReferByEmail
from hub_housing.charitylog import Charitylog
from hub_housing.reading import noted_referral, read_callback, read_lookup, read_reply

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]

#: A key that no parcel has: looking it up shows that the connection works.
NO_PARCEL = "00000000-0000-0000-0000-000000000000"


class CouncilSettings(sdk.Settings):
    """What partner IT fills in for one council; the private signing key is the secret `client_key`."""

    base_url: Url
    token_url: Url
    client_id: str
    key_id: str = ""
    algorithm: Literal["ES256", "RS512", "PS256"] = "ES256"


class DutyToRefer(sdk.Connector[CouncilSettings]):
    """Posts a referral under its idempotency key, on which the council dedupes; the answer comes by callback."""

    settings_type = CouncilSettings
    _tokens: BearerTokens | None = None

    async def check(self, context: sdk.Context) -> sdk.Outcome:
        """Look up a referral that cannot exist: it needs a token and the right address, and sends no parcel."""
        match await self._look_up("/referrals", NO_PARCEL, context):
            case sdk.RetryLater("not-arrived"):
                return sdk.Delivered(level=sdk.Level.L0)
            case outcome:
                return outcome

    async def deliver(self, parcel: sdk.Parcel, context: sdk.Context) -> sdk.Outcome:
        """Post the referral or note: the reply proves L1, and L2 where the council says that it was opened."""
        read = partial(read_reply, key=parcel.idempotency_key, now=context.now)
        url = self.settings.base_url + _path(parcel)
        return await ask(context, self._client(context), "POST", url, read, parcel=parcel)

    async def reconcile(self, parcel: sdk.Parcel, context: sdk.Context) -> sdk.Outcome:
        """Ask the council whether it has anything under our key; only its own word ends the doubt."""
        match await self._look_up(_path(parcel), parcel.idempotency_key, context):
            case sdk.Delivered() | sdk.RetryLater("not-arrived") as certain:
                return certain
            case outcome:
                return sdk.InDoubt(getattr(outcome, "reason", "unknown"))

    def parse_callback(self, request: sdk.CallbackRequest) -> sdk.Inbound:
        """Read what the council says of a referral; raises `ValueError` when it names none."""
        return read_callback(request)

    async def _look_up(self, path: str, key: str, context: sdk.Context) -> sdk.Outcome:
        url = f"{self.settings.base_url}{path}?idempotencyKey={key}"
        return await ask(context, self._client(context), "GET", url, partial(read_lookup, key=key, now=context.now))

    def _client(self, context: sdk.Context) -> BearerTokens:
        of = self.settings
        if self._tokens is None:
            key = context.secrets["client_key"]
            self._tokens = BearerTokens(of.token_url, of.client_id, key, of.algorithm, kid=of.key_id)
        return self._tokens


def _path(parcel: sdk.Parcel) -> str:
    """Where a parcel goes: what follows a referral is a note on it (R19, R41, R64); taking it back is a referral."""
    if parcel.kind in {"share", "please_stop_using"}:
        return "/referrals"
    return f"/referrals/{noted_referral(parcel.body)}/notes"


@sdk.hookimpl
def register_connectors(register: sdk.Register) -> None:
    """Offer the connector under the id that the manifest uses."""
    register("duty-to-refer", DutyToRefer)
    register("duty-to-refer-by-email", DutyToReferByEmail)
    register("duty-to-refer-pull", Pulled)
    register("charitylog", Charitylog)
