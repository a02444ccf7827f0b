"""Serves the one style sheet of the pages, by an address that changes with it, so that a browser may keep it."""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request, Response

router = APIRouter()

_PLAIN: Final = files("hub.web").joinpath("static/hub.css").read_bytes()
_PACKED: Final = gzip.compress(_PLAIN, 9, mtime=0)
#: Where the pages find it.
STYLE: Final = f"/style/{hashlib.sha256(_PLAIN).hexdigest()[:16]}.css"


@router.get(STYLE, include_in_schema=False)
async def style(request: Request) -> Response:
    """Return the style sheet, packed for whoever can unpack it."""
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_PACKED, media_type="text/css", headers=headers | {"content-encoding": "gzip"})
    return Response(_PLAIN, media_type="text/css", headers=headers)
