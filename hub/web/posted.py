"""What a form posted: read under a cap, and only from one of our own pages (CSRF)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from hub.domain.errors import Forbidden, Malformed, Refusal

#: More than the longest answer, in bytes as a form sends them.
_MOST: Final = 64_000
_FIELDS: Final = 40

_ELSEWHERE: Final = Refusal(
    "form-from-elsewhere", "This did not come from one of our pages.", "Open the link again and answer there."
)
_UNREADABLE: Final = Refusal("form-unreadable", "This form cannot be read.", "Open the link again and answer there.")
_TOO_LONG: Final = Refusal("form-too-long", "This is too long to send.", "Make what you wrote shorter.")


async def read_form(request: Request, public_url: str) -> Mapping[str, str]:
    """Return the fields of a form; raises `Forbidden` for one that another site posts, `Malformed` for no form."""
    _require_own_page(request, public_url)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Malformed(_UNREADABLE)
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > _MOST:
            raise Malformed(_TOO_LONG)
    try:
        return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"))
    except ValueError:
        raise Malformed(_UNREADABLE) from None


def _require_own_page(request: Request, public_url: str) -> None:
    """A browser says where a form was posted from; one that does not is no browser that we know."""
    url = urlsplit(public_url)
    own = f"{url.scheme}://{url.netloc}"
    if not hmac.compare_digest(request.headers.get("origin", "").encode(), own.encode()):
        raise Forbidden(_ELSEWHERE)


def require_token(form: Mapping[str, str], expected: str) -> None:
    """Raise `Forbidden` unless the form holds the token that its page was given."""
    if not hmac.compare_digest(form.get("form_token", "").encode(), expected.encode()):
        raise Forbidden(_ELSEWHERE)
