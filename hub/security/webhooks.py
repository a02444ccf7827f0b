"""Signing what the hub sends to case systems: Standard Webhooks v1, thin, with secrets that overlap while rotating."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import Webhook

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32


def new_secret() -> str:
    """A fresh webhook secret, `whsec_` and the base64 of 32 random bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign_webhook(notice_id: str, body: bytes, active: Sequence[str], now: datetime) -> dict[str, str]:
    """Headers that prove this notice to its case system, one signature for each active secret.

    `notice_id` stays the same on every attempt, so that the receiver can drop a second one; `now` is this attempt's.
    Raises `ValueError` when there is no secret, when one is not a `whsec_` secret of 24 to 64 bytes (as the standard
    asks), or when the body is not UTF-8.
    """
    if not active:
        raise ValueError("no active webhook secret")
    text, moment = body.decode(), now.astimezone(UTC)
    signatures = [Webhook(secret_bytes(secret)).sign(notice_id, moment, text) for secret in active]
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def secret_bytes(secret: str) -> bytes:
    """The bytes of a secret as Standard Webhooks has it; raises `ValueError` naming the rule, never the secret."""
    if not secret.startswith(_PREFIX):
        raise ValueError("a webhook secret starts with whsec_")
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    if not 24 <= len(key) <= 64:
        raise ValueError("a webhook secret holds 24 to 64 bytes")
    return key
