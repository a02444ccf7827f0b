"""Our own SQS queue at the HMPPS External API: short-lived keys, requests signed as AWS asks (Signature Version 4).

Signed here: the library that does it is some 25 MB of every service's models, and a host is to be ready at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from hub.sdk import Context
from hub.sdk.connector import NotSent

_TYPE = "application/x-amz-json-1.0"
#: Seconds that a message which was received stays out of sight: one that is not safe by then comes again.
_HIDDEN = 120
_MOST = 10


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs for a while; made anew from the API's `/token` when they no longer do."""

    access: str
    secret: str
    session: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message as the queue hands it out; `handle` deletes it."""

    id: str
    handle: str
    body: str


class Queue:
    """Receives and deletes; what it cannot do is `NotSent`, for nothing of a parcel ever goes this way."""

    def __init__(self, context: Context, url: str, region: str, keys: Keys) -> None:
        self._context, self._url, self._region, self._keys = context, url, region, keys

    async def receive(self) -> list[Waiting]:
        """Return what waits, in any order and perhaps not for the first time; raises `NotSent`."""
        said = await self._ask("ReceiveMessage", MaxNumberOfMessages=_MOST, VisibilityTimeout=_HIDDEN)
        found = said.get("Messages") or []
        return [
            Waiting(each["MessageId"], each["ReceiptHandle"], each["Body"])
            for each in found
            if isinstance(each, dict) and {"MessageId", "ReceiptHandle", "Body"} <= set(each)
        ]

    async def delete(self, handle: str) -> None:
        """Say that a message is done with; raises `NotSent`."""
        await self._ask("DeleteMessage", ReceiptHandle=handle)

    async def _ask(self, action: str, **about: Any) -> dict[str, Any]:
        body = json.dumps({"QueueUrl": self._url} | about).encode()
        parts = urlsplit(self._url)
        headers = {"content-type": _TYPE, "x-amz-target": f"AmazonSQS.{action}"}
        headers = sign(parts.netloc, headers, body, self._keys, self._region, self._context.now)
        url = f"{parts.scheme}://{parts.netloc}/"
        reply = await self._context.send("POST", url, headers=headers, content=body, starts=False)
        if reply.status != 200:
            raise NotSent(f"queue-{reply.status}")
        try:
            said = reply.json() if reply.body else {}
        except (ValueError, RecursionError):
            raise NotSent("queue-unreadable") from None
        return said if isinstance(said, dict) else {}


def sign(  # noqa: PLR0913 - what a signature covers
    host: str, headers: Mapping[str, str], body: bytes, keys: Keys, region: str, now: datetime, service: str = "sqs"
) -> dict[str, str]:
    """Return a POST to `/` with its signature (AWS Signature Version 4); every header given is signed."""
    at = now.strftime("%Y%m%dT%H%M%SZ")
    whole = {"host": host, "x-amz-date": at, **headers}
    whole |= {"x-amz-security-token": keys.session} if keys.session else {}
    names = ";".join(sorted(whole))
    lines = "".join(f"{name}:{whole[name].strip()}\n" for name in sorted(whole))
    asked = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    whole["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    del whole["host"]  # the client writes it
    return whole
