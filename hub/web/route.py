"""Routes of pages: whatever goes wrong is told on a page too, with what to do next and nothing of what was sent."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from hub.domain.errors import Conflict, Forbidden, HubError, Malformed, NotFound, Unavailable
from hub.web.frame import HEADERS, Frame
from hub.web.style import STYLE

_STATUS: Final[tuple[tuple[type[HubError], int], ...]] = (
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Malformed, 422),
    (Unavailable, 503),
)
_FRAME: Final = Frame("hub.web")


class Elsewhere(Exception):
    """This page is not to be seen now: another one comes first, at `url`, which is one of our own."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with the hub's errors made into pages."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Elsewhere as first:
                return RedirectResponse(first.url, 303, HEADERS)
            except HubError as error:
                return problem_page(error)

        return handled


def problem_page(error: HubError) -> Response:
    """Return the page of one of the hub's errors."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    refusal = error.refusal
    return _FRAME.page("problem.html", status, title=refusal.title, next_step=refusal.next_step, style=STYLE)
