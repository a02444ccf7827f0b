"""Codes of an authenticator app (TOTP, RFC 6238): made from a shared secret, new every half minute, good once."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

_SECONDS: Final = 30
SECRET_BYTES: Final = 20
#: So many half minutes either way a person's clock may be wrong.
_DRIFT: Final = 1


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """Return the half minute of a code that is right about now; None for any other."""
    plain = "".join(code.split()).encode()
    now_step, found = int(now.timestamp()) // _SECONDS, None
    for step in range(now_step - _DRIFT, now_step + _DRIFT + 1):
        if hmac.compare_digest(_totp(secret).generate(step * _SECONDS), plain):
            found = step
    return found


def code_at(secret: bytes, now: datetime) -> str:
    """Return the code that an app shows now."""
    return _totp(secret).generate(int(now.timestamp())).decode()


def secret_text(secret: bytes) -> str:
    """Return a secret as it is typed into an app: groups of four letters and digits."""
    plain = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def secret_bytes(shown: str) -> bytes:
    """Return the secret that was shown as letters and digits; raises `ValueError` for anything else."""
    plain = "".join(shown.split())
    return base64.b32decode(plain + "=" * (-len(plain) % 8))


def secret_uri(secret: bytes, account: str, issuer: str) -> str:
    """Return a secret as apps read it from a QR code."""
    return _totp(secret).get_provisioning_uri(account, issuer)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, 6, SHA1(), _SECONDS)  # noqa: S303 - what every app knows; HMAC does not need collision resistance
