"""Judges the `NHSMESH` authorisation of a request, as MESH does: whose mailbox, by its password, now, and only once."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

#: How far the time in a header may be from ours.
_LEEWAY = timedelta(hours=2)
_SCHEME = "NHSMESH "


class MailboxProof:
    """Knows the mailboxes, their password and the environment's shared key; remembers every header that was used."""

    def __init__(self, mailboxes: Iterable[str], password: str, shared_key: str) -> None:
        self._mailboxes = frozenset(mailboxes)
        self._password = password
        self._key = shared_key.encode()
        self._used: set[str] = set()

    def refusal(self, request: Request) -> Response | None:
        """Return why a request is not let in, as the reply to it; None for one that proves its mailbox."""
        why = self._wrong(request.headers.get("authorization", ""), request.path_params["mailbox"])
        return JSONResponse({"detail": [{"event": "", "code": "", "msg": why}]}, 403) if why else None

    def _wrong(self, header: str, mailbox: str) -> str:
        parts = header.removeprefix(_SCHEME).split(":")
        if not header.startswith(_SCHEME) or len(parts) != 5:
            return "Error reading from Authorization header"
        named, nonce, count, at, proof = parts
        if named != mailbox or mailbox not in self._mailboxes:
            return "Mailbox id does not match token"
        wanted = hmac.new(self._key, f"{named}:{nonce}:{count}:{self._password}:{at}".encode(), hashlib.sha256)
        if not hmac.compare_digest(wanted.hexdigest(), proof) or not _is_now(at):
            return "Invalid Authentication Token"
        if f"{named}:{nonce}:{count}" in self._used:
            return "Error Duplicated Authentication Token"
        self._used.add(f"{named}:{nonce}:{count}")
        return ""


def _is_now(at: str) -> bool:
    try:
        said = datetime.strptime(at, "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(datetime.now(UTC) - said) <= _LEEWAY
