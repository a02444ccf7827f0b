"""The page behind the link in a champion's email: what to do next, and nothing about anyone (R45)."""

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
from hub.domain.answer import PROVES, AnswerState, Level
from hub.domain.consent import ConsentState
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.reference import spoken
from hub.notify.words import GIVEN_UP, IN_DOUBT, age
from hub.store.fetch import Row
from hub.store.read_state import alert
from hub.store.tables import AlertState

router = APIRouter()

_STYLE: Final = """
body{font:1.1875rem/1.5 Arial,sans-serif;color:#0b0c0c;background:#fff;margin:0}
header{background:#1d70b8;color:#fff;padding:.75rem 1.25rem;font-weight:bold}
main,footer{max-width:40rem;margin:0 auto;padding:1.875rem 1.25rem}
h1{font-size:2.25rem;line-height:1.15;margin:0 0 1.25rem;overflow-wrap:anywhere}
h2{font-size:1.5rem;margin:1.875rem 0 .625rem}
dt{font-weight:bold}dd{margin:0}
.reference{font-size:2rem;font-weight:bold;letter-spacing:.125rem}
li{margin-bottom:.625rem}footer{padding-top:0;color:#505a5f}footer p{border-top:1px solid #b1b4b6;padding-top:1rem}
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
<li>Ring the team that sent it. Say the reference.</li>
<li>They can see who to ring, and the number.</li>
<li>When the service answers, the team writes that down in their own system. Then this alert closes.</li>
</ol>"""


@router.get("/alerts/{alert_id}", include_in_schema=False)
async def page(request: Request, alert_id: str) -> HTMLResponse:
    """Show the reference, how long it has waited, and what to do; reading it changes nothing."""
    hub = callers.hub_of(request)
    found = await hub.read(alert, alert_id)
    if found is None:
        words = (
            "Check that you have the whole link from the email. If you have, ring the team whose reference is in it."
        )
        return _page("We cannot find this page", f"<p>{words}</p>", status=404)
    title, words = _told(found, hub.now.business())
    return _page(title, f"{_named(found['reference'])}{words}", found["reference"])


#: Headings, each with what there is to say beside it.
_NO_LONGER: Final = ("This is no longer needed", "<p>There is nothing more to do.</p>")
_ARRIVED: Final = ("This has arrived", "<p>The service has it now. You will hear again if nobody answers.</p>")
_OPENED: Final = (
    "The service has opened this",
    "<p>They have not answered yet. You will hear again if they are late.</p>",
)
_ANSWERED: Final = ("The service has answered", "<p>You need do nothing more about this alert.</p>")


def _told(found: Row, now: datetime) -> tuple[str, str]:
    """The page's heading and its words; what is open says what to do."""
    if _is_over(found):
        return _NO_LONGER
    if found["state"] != AlertState.OPEN:
        return _closed(found)
    title, words = _open(found, now)
    return title, words + _NEXT


def _is_over(found: Row) -> bool:
    """Nobody waits for what was withdrawn; but a request to stop is waited for just because of that (R15)."""
    withdrawn = found["consent_state"] == ConsentState.WITHDRAWN
    follows = found["delivery_kind"] == DeliveryKind.PLEASE_STOP_USING
    return (withdrawn and not follows) or found["delivery_state"] == DeliveryState.CANCELLED


def _closed(found: Row) -> tuple[str, str]:
    """A closed alert says how far it has come since, and no more."""
    if PROVES[AnswerState(found["answer_state"])] >= Level.L3:
        return _ANSWERED
    if found["kind"] == AlertKind.UNDELIVERED:
        return _ARRIVED
    return _OPENED if found["level"] <= Level.L2 else _ANSWERED


def _open(found: Row, now: datetime) -> tuple[str, str]:
    waited = escape(age(now - found["created_at"]))
    state = DeliveryState(found["delivery_state"])
    if state is DeliveryState.DEAD_LETTERED:
        return "This could not be sent", f"<p>It has waited {waited}. {GIVEN_UP}</p>"
    if state is DeliveryState.IN_DOUBT:
        return "This may not have arrived", f"<p>It has waited {waited}. {IN_DOUBT}</p>"
    if state is not DeliveryState.DELIVERED:
        return "This has not arrived yet", f"<p>It has waited {waited}. We keep trying.</p>"
    return "Nobody has answered yet", f"<p>It was sent {waited} ago.</p>"


def _named(reference: str) -> str:
    """The reference, and how to say it on the telephone (R74)."""
    return (
        f'<dl><dt>Reference</dt><dd class="reference">{escape(reference)}</dd>'
        f"<dd>Say: {escape(spoken(reference))}</dd></dl>"
    )


def _page(title: str, body: str, reference: str = "", status: int = 200) -> HTMLResponse:
    named = f"{title}: {escape(reference)}" if reference else title
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{named} - Trusted Person Hub</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><header>Trusted Person Hub</header><main><h1>{title}</h1>{body}</main>"
        "<footer><p>To keep people's stories private, this page names nobody.</p></footer></body></html>"
    )
    return HTMLResponse(html, status, _HEADERS)
