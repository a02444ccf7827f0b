"""How long a partner asks us to wait: the Retry-After header in both of its forms (RFC 9110 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hub.sdk.connector import Response


def retry_after(reply: Response, now: datetime) -> float | None:
    """Return the seconds that the partner asks for, never negative; None when it says nothing that can be read."""
    value = reply.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
