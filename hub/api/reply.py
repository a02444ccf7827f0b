"""Replies: JSON that is never kept by a cache on its way."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response


class Reply(Response):
    """A JSON reply; what it holds is between the hub and this caller."""

    media_type = "application/json"

    def __init__(
        self, content: Any, status_code: int = 200, cache: str = "no-store", media_type: str | None = None
    ) -> None:
        headers = {"cache-control": cache, "x-content-type-options": "nosniff"}  # words in it are never read as a page
        super().__init__(orjson.dumps(content), status_code, headers, media_type)
