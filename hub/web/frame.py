"""Renders pages: Jinja with escaping on, our layout and GOV.UK components, and headers that keep nothing (R45)."""

from __future__ import annotations

from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader

#: No script, nothing from anywhere else, no frame around it, and forms that post to us alone.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: `same-origin`, for with `no-referrer` a browser would not say where a form was posted from.
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


class Frame:
    """The pages of one face, whose own templates are in `package`/templates."""

    def __init__(self, package: str) -> None:
        shared = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
        loaders = [PackageLoader(package), PackageLoader("hub.web"), shared]
        self._templates = Environment(loader=ChoiceLoader(loaders), autoescape=True, trim_blocks=True)

    def page(self, template: str, status: int = 200, **said: Any) -> HTMLResponse:
        """Return a page made of a template and of what it says; whatever was said is escaped."""
        html = self._templates.get_template(template).render(**said)
        return HTMLResponse(html, status, HEADERS)
