"""The page behind the link in a champion's e-mail: what to do next, and nothing about anyone (R45)."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from html import escape
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hub.api import callers
from hub.domain.alert import AlertKind
from hub.notify.words import age
from hub.store.fetch import Row
from hub.store.read_state import alert

router = APIRouter()

_STYLE: Final = """
body{font:19px/1.5 Arial,sans-serif;color:#0b0c0c;background:#fff;margin:0}
header{background:#1d70b8;color:#fff;padding:12px 20px;font-weight:bold}
main{max-width:640px;margin:0 auto;padding:30px 20px}
h1{font-size:36px;line-height:1.15;margin:0 0 20px}h2{font-size:24px;margin:30px 0 10px}
.reference{font-size:32px;font-weight:bold;letter-spacing:2px;margin:0 0 10px}
li{margin-bottom:10px}footer{border-top:1px solid #b1b4b6;margin-top:40px;padding-top:15px;color:#505a5f}
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
_NEXT: Final = """
<h2>What to do now</h2>
<ol>
<li>Ring the team that sent it, and say the reference.</li>
<li>They can see which service has it, since when, and the number to ring.</li>
<li>When the service has said something, the team writes it down in their own system. Then this stops.</li>
</ol>"""


@router.get("/alerts/{alert_id}", include_in_schema=False)
async def page(request: Request, alert_id: str) -> HTMLResponse:
    """Show the reference, how long it has waited, and what to do; reading it changes nothing."""
    hub = callers.hub_of(request)
    found = await hub.read(alert, alert_id)
    if found is None:
        return _page("There is nothing here", "<p>Check the link, or ring whoever sent it to you.</p>", 404)
    return _page(*_told(found, hub.now.business()))


def _told(found: Row, now: datetime) -> tuple[str, str]:
    reference = f'<p class="reference">{escape(found["reference"])}</p>'
    if found["state"] != "open":
        return "This has been answered", f"{reference}<p>There is nothing more to do.</p>"
    waited = escape(age(now - found["sent_at"]))
    if found["kind"] == AlertKind.UNDELIVERED:
        return "This has not arrived yet", f"{reference}<p>It has waited {waited}. We keep trying.</p>{_NEXT}"
    return "Nobody has answered yet", f"{reference}<p>It was sent {waited} ago.</p>{_NEXT}"


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} - Trusted Person Hub</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><header>Trusted Person Hub</header><main><h1>{title}</h1>{body}"
        "<footer>This page tells you nothing about anyone on purpose.</footer></main></body></html>"
    )
    return HTMLResponse(html, status, _HEADERS)
