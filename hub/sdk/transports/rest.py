"""One authorised exchange with a REST partner: a token renewed once, and every way to fail as an outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hub.domain.outcome import Halt, InDoubt, Outcome, RetryLater
from hub.sdk.connector import Context, NoReply, NotSent, Parcel, Response
from hub.sdk.transports.oauth import BearerTokens, TokenRefused


async def ask(  # noqa: PLR0913 - it is one HTTP request
    context: Context,
    tokens: BearerTokens,
    method: str,
    url: str,
    read: Callable[[Response], Outcome],
    *,
    parcel: Parcel | None = None,
    headers: Mapping[str, str] | None = None,
) -> Outcome:
    """Send, and return what `read` makes of the partner's reply.

    A parcel travels as the body under its `Idempotency-Key`; without one nothing is reported as started. A 401 gets one
    new token and one more try, so `read` sees a 401 only for good. A token that is refused is Halt, a request that
    never left RetryLater, one without a whole reply InDoubt.
    """
    try:
        reply = await fetch(context, tokens, method, url, parcel=parcel, headers=headers)
    except TokenRefused:
        return Halt("client-refused")
    except NotSent as failure:
        return RetryLater(failure.reason)
    except NoReply as failure:
        return InDoubt(failure.reason)
    return read(reply)


async def fetch(  # noqa: PLR0913 - it is one HTTP request
    context: Context,
    tokens: BearerTokens,
    method: str,
    url: str,
    *,
    parcel: Parcel | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send as `ask` does, and return the reply; raises `NotSent` (also `TokenRefused`) and `NoReply`."""
    sent = {"accept": "application/json"} | dict(headers or {})
    if parcel is not None:
        sent |= {"content-type": parcel.content_type, "idempotency-key": parcel.idempotency_key}
    body = None if parcel is None else parcel.body
    sent["authorization"] = await tokens.authorization(context)
    reply = await context.send(method, url, headers=sent, content=body, starts=parcel is not None)
    if reply.status == 401:
        tokens.renew(sent["authorization"])
        sent["authorization"] = await tokens.authorization(context)
        reply = await context.send(method, url, headers=sent, content=body, starts=parcel is not None)
    return reply
