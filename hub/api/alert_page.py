"""The page behind the link in a champion's email: what to do next, and nothing about anyone (R45)."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hub.api import callers
from hub.api.page import page
from hub.domain.alert import AlertKind, AlertState
from hub.domain.answer import PROVES, AnswerState, Level
from hub.domain.consent import ConsentState
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.reference import spoken
from hub.notify.words import GIVEN_UP, IN_DOUBT, age
from hub.store.fetch import Row
from hub.store.read_state import alert

router = APIRouter()

_NEXT: Final = """
<h2>What to do now</h2>
<ol>
<li>Ring the team that sent it. Say the reference.</li>
<li>They can see who to ring, and the number.</li>
<li>When the service answers, the team writes that down in their own system. Then this alert closes.</li>
</ol>"""


@router.get("/alerts/{alert_id}", include_in_schema=False)
async def show(request: Request, alert_id: str) -> HTMLResponse:
    """Show the reference, how long it has waited, and what to do; reading it changes nothing, and is written down."""
    hub = callers.hub_of(request)
    found = await hub.read(alert, alert_id)
    if found is None:
        await callers.note_read(request, "alert.read_refused", "link", why="not-found")
        words = (
            "Check that you have the whole link from the email. If you have, ring the team whose reference is in it."
        )
        return page("We cannot find this page", f"<p>{words}</p>", status=404)
    await callers.note_read(request, "alert.read", "link", found["share_id"], found["delivery_id"], alert=alert_id)
    title, words = _told(found, hub.now.business())
    return page(title, f"{_named(found['reference'])}{words}", found["reference"])


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
    """Nobody waits for what was withdrawn; but a request to stop is waited for just because of that (R15).

    Nor for what is about somebody who has died, or is forgotten, or what a person closed: no service answered (R69).
    """
    if found["died_at"] is not None or found["data_key"] is None or found["closed_by"] is not None:
        return True
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
