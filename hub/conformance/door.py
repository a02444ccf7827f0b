"""Where a sandbox partner's answers arrive: a real socket, and the hub's own proof of who sent each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hub.conformance.gateway import Gateway, reply
from hub.conformance.keys import Keys
from hub.domain.errors import Unauthenticated
from hub.sdk import CallbackRequest
from hub.security.callbacks import Callback, Kind, verify_callback


class _Seen:
    """Remembers which proofs were used, as the hub's store does."""

    def __init__(self) -> None:
        self._used: set[tuple[str, str]] = set()

    def first_time(self, kind: str, token: str, _until: datetime) -> bool:
        """Tell whether this proof is new, and remember it."""
        new = (kind, token) not in self._used
        self._used.add((kind, token))
        return new


@dataclass(frozen=True, slots=True)
class Proof:
    """What the hub makes of a message: its id, or the type of its refusal."""

    message_id: str = ""
    refused: str = ""


class Door:
    """Takes whatever arrives, and says 204; `prove` judges it as the hub's API would."""

    def __init__(self, keys: Keys, issuer: str) -> None:
        self._keys, self._issuer = keys, issuer
        self._gateway = Gateway(lambda _: True)
        self._arrived = asyncio.Condition()

    @property
    def url(self) -> str:
        """The address that a partner is given."""
        return self._gateway.url + "/v1/callbacks/conformance"

    async def start(self) -> None:
        """Listen."""
        await self._gateway.start()
        self._taking = self._gateway.treating(reply(204))
        self._taking.__enter__()

    async def stop(self) -> None:
        """Stop listening."""
        await self._gateway.stop()

    def count(self) -> int:
        """Return how many messages came."""
        return len(self._gateway.seen)

    def since(self, number: int) -> list[CallbackRequest]:
        """Return the messages that came after the first `number`."""
        return [CallbackRequest(each.headers, each.body) for each in self._gateway.seen[number:]]

    def prove(
        self, kind: Kind, message: CallbackRequest, later: timedelta = timedelta(0), seen: _Seen | None = None
    ) -> Proof:
        """Judge a message as the hub would, `later` than now."""
        keys = self._keys.for_callbacks(self._issuer, self.url)
        callback = Callback("conformance", message.headers, message.body)
        try:
            return Proof(verify_callback(kind, callback, keys, datetime.now(UTC) + later, seen or _Seen()))
        except Unauthenticated as refusal:
            return Proof(refused=str(refusal) or "refused")

    def twice(self, kind: Kind, message: CallbackRequest) -> tuple[Proof, Proof]:
        """Judge the very same message two times, as one hub would."""
        seen = _Seen()
        return self.prove(kind, message, seen=seen), self.prove(kind, message, seen=seen)


def forged(kind: Kind, message: CallbackRequest) -> CallbackRequest:
    """Return a message that says something else under a proof, or whose proof is by nobody's key."""
    if kind == "standard-webhooks":
        return replace(message, body=message.body + b" ")
    head, _, signature = message.headers.get("authorization", "").rpartition(".")
    other = signature[:-8] + ("A" * 8 if not signature.endswith("A" * 8) else "B" * 8)
    return replace(message, headers={**message.headers, "authorization": f"{head}.{other}"})
