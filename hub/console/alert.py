"""Alert: what is owed and since when, whom to ring, what may be done now, and what happened; never the story (R46)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.bootstrap import Hub
from hub.console import alert_forms
from hub.console.alert_choices import Choices, choices
from hub.console.alert_words import (
    FOLLOWS,
    PRESSES,
    RUNGS,
    lateness,
    name_of,
    partner_name,
    service_name,
    standing,
    who_has,
)
from hub.console.frame import page
from hub.console.session import hub_of
from hub.console.signed_in import Role, SignedIn, require, signed_in
from hub.console.timeline import ESCALATED_WHY, SNOOZED_WHY, timeline
from hub.domain.alert import AlertState
from hub.domain.alert_list import AlertView, ClockLine
from hub.domain.answer import DECIDED_ONLY, PROVES, AnswerState, Level
from hub.domain.calendar import london_date
from hub.domain.errors import NotFound
from hub.domain.ladder import Scope, scope
from hub.domain.mute_alert import is_muted, muted_view
from hub.domain.reference import spoken
from hub.domain.wording import moment
from hub.notify.words import age
from hub.services.alert_act import NO_ALERT
from hub.services.contact_of import contact_of
from hub.services.take_on import OpenAlert
from hub.store.read_alert import read_alert
from hub.store.read_barriers import candidates
from hub.store.read_cover import days_off
from hub.web.frame import HEADERS
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: What was done, as the page says it afterwards; each is a word of the page's address.
DONE: Final[dict[str, str]] = {
    "take": "You have this now. Everyone who follows it up can see so.",
    "nudge": "The service was asked again.",
    "hear": "What you heard is written down. It counts as the answer.",
    "resend": "It goes again now, just as it was. Nobody has seen it here.",
    "offer": "The trusted person is told of this service. Nothing goes there until the person says yes.",
    "barrier": "It is written down as a barrier.",
    "escalate": "It was handed up, with all that happened.",
    "snooze": "It is put off. It comes back by itself.",
    "close": "It is closed.",
    "win": "Thank you. The team is thanked, and it counts as good sharing.",
    "learn": "Thank you. It is on the list of what to learn. It names no one.",
}
#: How much of what happened is on one page, so that it stays under 50 kB.
_SHOWN: Final = 25
_SINCE_MONTHS: Final = 90


@router.get("/alerts/{alert_id}")
async def from_email(alert_id: str) -> Response:
    """Lead from the link in an e-mail straight to the alert, once they are signed in; it is valid for ever."""
    return RedirectResponse(f"/console/alerts/{quote(alert_id, safe='')}", 303, HEADERS)


@router.get("/console/alerts/{alert_id}")
async def show(request: Request, alert_id: str) -> Response:
    """Show one alert to whoever may see it; it no longer passes on unopened where its holder looks (R50, TH12)."""
    return await screen(request, await follower(request), alert_id)


async def follower(request: Request) -> SignedIn:
    """Return who is signed in, if they follow up."""
    person = await signed_in(request)
    require(person, Role.CHAMPION, Role.COORDINATOR, Role.NETWORK_MANAGER)
    return person


@dataclass(frozen=True, slots=True)
class Again:
    """A form that is shown again: which, what was typed, and what is wrong by field; `problem` is of none of them."""

    act: str
    form: Mapping[str, str]
    wrong: Mapping[str, str]
    problem: str = ""
    status: int = 422


async def screen(request: Request, person: SignedIn, alert_id: str, again: Again | None = None) -> Response:
    """Return the screen of one alert; raises `NotFound` for one that is not this person's to see, as for none."""
    hub = hub_of(request)
    now = hub.now.business()
    await hub.writer.run(hub.ladder.open_alert, OpenAlert(alert_id, person.person, now, hub.now.wall()))
    view, reader, muted = await seen(hub, person, alert_id)
    stands = standing(view, hub.directory, muted=muted)
    open_to = await offered(hub, view, reader, muted=muted, over=stands.over)
    done = request.query_params.get("done", "") if again is None else ""
    return page(
        request,
        person,
        "alert.html",
        again.status if again else 200,
        title=stands.title,
        stands=stands,
        line=view.line,
        spoken=spoken(view.line.reference),
        facts=_facts(view, person, now, hub),
        contacts=_contacts(view, hub),
        owed=[] if stands.over else _owed(view, now),
        happened=_page_of(request, timeline(view, hub.directory)),
        acts=open_to.acts,
        open_to=open_to,
        words=alert_forms,
        why={"escalate": ESCALATED_WHY, "snooze": SNOOZED_WHY},
        leads=view.line.partner_id in reader.leads,
        taken=_taken(view, person, hub),
        muted=muted,
        done=DONE.get(done, ""),
        act=again.act if again else request.query_params.get("do", ""),
        given=again.form if again else _first(person, now),
        wrong=again.wrong if again else {},
        problem=again.problem if again else "",
        once=again.form.get("once", "") if again and again.form.get("once") else secrets.token_hex(16),
    )


async def seen(hub: Hub, person: SignedIn, alert_id: str) -> tuple[AlertView, Scope, bool]:
    """Return an alert as this person may see it, and whether what was answered is not shown (R21)."""
    reader = scope(hub.directory, person.person)
    view = await hub.read(read_alert, alert_id, reader)
    if view is None:
        raise NotFound(NO_ALERT)
    muted = is_muted(view.line, hub.directory)
    return (muted_view(view) if muted else view), reader, muted


async def offered(hub: Hub, view: AlertView, reader: Scope, *, muted: bool, over: bool) -> Choices:
    """Return what may be done with an alert now."""
    now = hub.now.business()
    today = london_date(now)
    people = [each.id for each in hub.directory.people()]
    off = await hub.read(days_off, people, today)
    away = {each.person for each in off if each.first <= today.isoformat()}
    since = date.fromordinal(today.toordinal() - _SINCE_MONTHS).isoformat()
    counted = await hub.read(candidates, since)
    return choices(view, reader, hub.directory, now, away, counted, muted=muted, over=over)


def _facts(view: AlertView, person: SignedIn, now: datetime, hub: Hub) -> list[tuple[str, str]]:
    line, directory = view.line, hub.directory
    found = [
        ("Service", service_name(line.service_id, directory)),
        ("Sent by", partner_name(line.partner_id, directory)),
        ("What it is", FOLLOWS.get(line.delivery_kind, "")),
        ("Sent on", moment(line.made_at or line.sent_at)),
        ("Waiting", age(now - (line.made_at or line.sent_at)) if line.state == AlertState.OPEN else ""),
        ("How late", lateness(line, now)),
        ("Who has it", who_has(line, directory, person.person)),
        ("How pressing", PRESSES[line.priority]),
        ("Times we tried to send it", str(view.attempt) if view.attempt > 1 else ""),
    ]
    return [(label, words) for label, words in found if words]


def _contacts(view: AlertView, hub: Hub) -> list[tuple[str, list[tuple[str, str]]]]:
    """Whom to ring: the trusted person by their role, the service, and its champion; nobody by a private number."""
    line, directory = view.line, hub.directory
    service = directory.services.get(line.service_id)
    trusted = contact_of(line.delivery_id, view.frame, view.data_key, hub.vault)
    found = [("The trusted person", [("Role", trusted.get("role", "")), ("Phone", trusted.get("phone", "")),
                                     ("Email", trusted.get("email", ""))])]  # fmt: skip
    if service is not None:
        found.append(("The service", [("Team", service.name), ("Phone", service.phone), ("Email", service.email)]))
        partner = directory.partners.get(service.partner)
        if partner is not None and partner.champion.id != directory.operator.id:
            found.append(("Its champion", [("Name", partner.champion.name), ("Email", partner.champion.email)]))
    given = [(who, [(label, words) for label, words in ways if words]) for who, ways in found]
    return [(who, ways) for who, ways in given if ways]


def _owed(view: AlertView, now: datetime) -> list[tuple[str, str, str]]:
    """What is owed at each rung: what, by when, and how that stands; the endpoint's own clock is the operator's."""
    found = []
    for clock in view.clocks:
        if clock.level is Level.L1:
            continue
        late = clock.state == "passed" or clock.due_at <= now
        stands = "Done, or no longer owed" if _is_done(clock, view) else "Late" if late else "In time"
        found.append((RUNGS[clock.level], moment(clock.due_at), stands))
    return found


def _is_done(clock: ClockLine, view: AlertView) -> bool:
    """Tell whether a rung was reached, in time or late, or is owed no more."""
    if clock.state == "stopped" or clock.level is Level.L0:
        return clock.state == "stopped" or view.delivered_at is not None
    answer = view.line.answer_state
    return clock.level <= (Level.L3 if answer == DECIDED_ONLY else PROVES[AnswerState(answer)])


def _taken(view: AlertView, person: SignedIn, hub: Hub) -> str:
    """Who said that they have it: "me", somebody's name, or nobody."""
    by = view.line.taken_by
    return "" if by is None else "me" if by == person.person else name_of(by, hub.directory)


def _page_of(request: Request, happened: tuple[Any, ...]) -> dict[str, Any]:
    """Return one page of what happened, the newest first; `earlier` is where the next starts."""
    word = request.query_params.get("from", "0")
    start = min(int(word), len(happened)) if word.isascii() and word.isdigit() and len(word) < 6 else 0
    end = start + _SHOWN
    return {"entries": happened[start:end], "start": start, "earlier": end if end < len(happened) else 0}


def _first(person: SignedIn, now: datetime) -> dict[str, str]:
    """What a form says before anybody typed: today, and who is signed in."""
    today = london_date(now)
    named = {"hear-on-day": today.day, "hear-on-month": today.month, "hear-on-year": today.year}
    return {"hear-to": person.name} | {name: str(number) for name, number in named.items()}
