"""Three ways into a council's children's system, one form each: front door, allocated worker, panel (R22, R29)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import StringConstraints

from hub import sdk
from hub.sdk.transports.oauth import BearerTokens
from hub.sdk.transports.rest import ask
from hub_childrens_lcs.by_email import FrontDoorByEmail
from hub_childrens_lcs.reading import Form, followed, read_lookup, read_outcome, read_reply

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]

#: A key that no parcel has: looking it up shows that the connection works.
NO_PARCEL = "00000000-0000-0000-0000-000000000000"


class LcsSettings(sdk.Settings):
    """What partner IT fills in for one council; the private signing key is the secret `client_key`."""

    base_url: Url
    token_url: Url
    client_id: str
    key_id: str = ""
    algorithm: Literal["ES256", "RS512", "PS256"] = "ES256"


class FrontDoor(sdk.Connector[LcsSettings]):
    """Posts a contact under its idempotency key; what was decided comes back by callback, as one sentence (R21)."""

    settings_type = LcsSettings
    form: ClassVar[Form] = Form.CONTACT
    _tokens: BearerTokens | None = None

    async def check(self, context: sdk.Context) -> sdk.Outcome:
        """Look up what cannot exist: it needs a token and the right address, and sends no parcel."""
        match await self._look_up(self.form.path, NO_PARCEL, context):
            case sdk.RetryLater("not-arrived"):
                return sdk.Delivered(level=sdk.Level.L0)
            case outcome:
                return outcome

    async def deliver(self, parcel: sdk.Parcel, context: sdk.Context) -> sdk.Outcome:
        """Post the form or a note on it: taken is L1, recorded with a number of the council's own is L2."""
        read = partial(read_reply, self.form, key=parcel.idempotency_key, now=context.now)
        url = self.settings.base_url + self._path(parcel)
        return await ask(context, self._client(context), "POST", url, read, parcel=parcel)

    async def reconcile(self, parcel: sdk.Parcel, context: sdk.Context) -> sdk.Outcome:
        """Ask whether they have anything under our key; only their own word ends the doubt."""
        match await self._look_up(self._path(parcel), parcel.idempotency_key, context):
            case sdk.Delivered() | sdk.RetryLater("not-arrived") as certain:
                return certain
            case outcome:
                return sdk.InDoubt(getattr(outcome, "reason", "unknown"))

    def parse_callback(self, request: sdk.CallbackRequest) -> sdk.Inbound:
        """Read what was recorded or decided; raises `ValueError` when it names nothing of ours."""
        return read_outcome(self.form, request)

    async def _look_up(self, path: str, key: str, context: sdk.Context) -> sdk.Outcome:
        url = f"{self.settings.base_url}{path}?idempotencyKey={key}"
        read = partial(read_lookup, self.form, key=key, now=context.now)
        return await ask(context, self._client(context), "GET", url, read)

    def _path(self, parcel: sdk.Parcel) -> str:
        """What follows a form is a note on it, the wish to stop using it as well (R15)."""
        first = parcel.kind is sdk.DeliveryKind.SHARE
        return self.form.path if first else f"{self.form.path}/{followed(parcel.body)}/notes"

    def _client(self, context: sdk.Context) -> BearerTokens:
        of, key = self.settings, context.secrets["client_key"]
        self._tokens = self._tokens or BearerTokens(of.token_url, of.client_id, key, of.algorithm, kid=of.key_id)
        return self._tokens


class AllocatedWorker(FrontDoor):
    """The same for a child who is open: the council's system hands it to the worker who has the child."""

    form = Form.INFORMATION


class TrustedRelationships(FrontDoor):
    """A referral to the panel, by a case-holder and after every step of the gate; the panel alone decides (R29)."""

    form = Form.PANEL


@sdk.hookimpl
def register_connectors(register: sdk.Register) -> None:
    """Offer the connectors under the ids that the manifest uses."""
    register("front-door", FrontDoor)
    register("allocated-worker", AllocatedWorker)
    register("trusted-relationships", TrustedRelationships)
    register("front-door-by-email", FrontDoorByEmail)
