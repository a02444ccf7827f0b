"""Barriers: doors that stay shut, what is done about each, and the next step as a form; of nobody (R52)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.bootstrap import Hub
from hub.console.alert_forms import said
from hub.console.alert_words import name_of, service_name
from hub.console.barrier_words import REASONS as WHY
from hub.console.barrier_words import STEPS
from hub.console.frame import page, posted
from hub.console.learning import over, published_month
from hub.console.learning_words import STATES, day_in_words, door, month_in_words
from hub.console.learning_words import said as figure
from hub.console.session import hub_of
from hub.console.signed_in import SignedIn, audited_read, signed_in
from hub.domain.barrier import REASONS, BarrierState, event_to
from hub.domain.calendar import london_date
from hub.domain.disclosure import Span, told
from hub.domain.errors import Malformed, NotFound
from hub.domain.ladder import scope
from hub.domain.learning import ANOTHER, Level, Measure
from hub.services.barriers import CLOCK, NO_BARRIER, MoveBarrier, OpenBarrier
from hub.store.fetch import Row
from hub.store.read_barriers import barrier, barriers
from hub.web.frame import HEADERS
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PATH: Final = "/console/barriers"
_Wrong = Mapping[str, str]


@router.get(PATH)
async def listed(request: Request) -> Response:
    """List the barriers, all or of one state (`?state=acting`), and what was met often enough to be one."""
    return await _list(request, await signed_in(request), {})


@router.post(f"{PATH}/found")
async def found(request: Request) -> Response:
    """Say that what was met often is a barrier."""
    hub, person = hub_of(request), await signed_in(request)
    form = await posted(request, person)
    service, cause, name = (form.get(each, "") for each in ("service", "cause", "name"))
    if (service, f"{cause}/{name}") not in await _met(hub, person):
        raise NotFound(NO_BARRIER)
    item = OpenBarrier(service, cause, name, person.person, hub.now.business())
    barrier_id = await hub.writer.run(hub.ladder.open_barrier, item)
    return RedirectResponse(f"{PATH}/{barrier_id}", 303, HEADERS)


@router.get(PATH + "/{barrier_id}")
async def one(request: Request, barrier_id: str) -> Response:
    """Show one barrier: how it came to where it stands, and what may come next."""
    return await _one(request, await signed_in(request), barrier_id, {}, {})


@router.post(PATH + "/{barrier_id}/move")
async def move(request: Request, barrier_id: str) -> Response:
    """Move a barrier to its next state; what is wrong is said on the same screen."""
    hub, person = hub_of(request), await signed_in(request)
    form = await posted(request, person)
    to, _, reason = form.get("step", "").partition("/")
    if to not in STEPS or reason not in REASONS[BarrierState(to)]:
        return await _one(request, person, barrier_id, {"step": "Choose the next step and why"}, form)
    await _seen(hub, person, barrier_id)
    item = MoveBarrier(barrier_id, BarrierState(to), reason, person.person, hub.now.business(), said(form, "words"))
    try:
        await hub.writer.run(hub.ladder.move_barrier, item)
    except Malformed as error:
        wrong = {fault.pointer.removeprefix("/"): f"This {fault.detail}" for fault in error.faults}
        return await _one(request, person, barrier_id, wrong, form)
    return RedirectResponse(f"{PATH}/{barrier_id}", 303, HEADERS)


async def _list(request: Request, person: SignedIn, wrong: _Wrong) -> Response:
    hub, state = hub_of(request), request.query_params.get("state", "")
    rows = [row for row in await hub.read(barriers) if _sees(hub, person, row["service_id"])]
    chosen = [row for row in rows if state not in STATES or row["state"] == state]
    met = await _met(hub, person)
    known = {(row["service_id"], f"{row['cause']}/{row['name']}") for row in rows}
    await audited_read(hub, person, "barriers.read", [row["id"] for row in chosen])
    month = month_in_words(over(london_date(hub.now.business()))[0])
    return page(
        request, person, "barriers.html", title="Barriers", states=STATES, state=state, month=month,
        barriers=[_shown(hub, row, met) for row in chosen], leads=bool(person.organisations), wrong=wrong,
        often=[_candidate(hub, *key, span) for key, span in met.items() if key not in known],
    )  # fmt: skip


async def _one(request: Request, person: SignedIn, barrier_id: str, wrong: _Wrong, form: Mapping[str, str]) -> Response:
    hub = hub_of(request)
    row, moves = await _seen(hub, person, barrier_id)
    await audited_read(hub, person, "barrier.read", {"barrier": barrier_id})
    state = BarrierState(row["state"])
    steps = [
        (to, words, [(f"{to}/{code}", WHY[code]) for code in sorted(REASONS[BarrierState(to)])])
        for to, words in STEPS.items()
        if event_to(state, BarrierState(to)) is not None
    ]
    history = [
        {"day": day_in_words(each["at"]), "state": STATES[each["state"]], "why": WHY.get(each["reason"], ""),
         "words": each["words"], "who": _who(hub, each["person"])}
        for each in moves
    ]  # fmt: skip
    shown = _shown(hub, row, await _met(hub, person))
    return page(
        request, person, "barrier.html", 422 if wrong else 200, title=shown["door"], barrier=shown, history=history,
        steps=steps if person.organisations else [], wrong=wrong, form=form,
        month=month_in_words(over(london_date(hub.now.business()))[0]),
    )  # fmt: skip


async def _seen(hub: Hub, person: SignedIn, barrier_id: str) -> tuple[Row, list[Row]]:
    found = await hub.read(barrier, barrier_id)
    if found is None or not _sees(hub, person, found[0]["service_id"]):
        raise NotFound(NO_BARRIER)
    return found


def _sees(hub: Hub, person: SignedIn, service_id: str) -> bool:
    """A service that is in no list (a refuge) is its own organisation's to see (R58)."""
    service = hub.directory.services.get(service_id)
    return service is None or not service.confidential or service_id in scope(hub.directory, person.person).hears


async def _met(hub: Hub, person: SignedIn) -> dict[tuple[str, str], Span]:
    """What was met often in the last month that is over, as it was published and so never changing (R54)."""
    published = await published_month(hub, person, over(london_date(hub.now.business()))[0])
    is_open = london_date(hub.now.business()).isoformat() >= published.opens_on
    mine = scope(hub.directory, person.person).hears
    return {
        (each.place, each.name): each.span
        for each in published.figures
        if (each.measure, each.level) == (Measure.DOORS, Level.SERVICE)
        and (is_open or each.place in mine)
        and not each.name.endswith(f"/{ANOTHER}")
    }


def _who(hub: Hub, person: str) -> str:
    return "The hub" if person == CLOCK else name_of(person, hub.directory)


def _shown(hub: Hub, row: Row, met: Mapping[tuple[str, str], Span]) -> dict[str, Any]:
    span = met.get((row["service_id"], f"{row['cause']}/{row['name']}"), told(0))
    return {
        "id": row["id"],
        "service": service_name(row["service_id"], hub.directory),
        "door": door(row["cause"], row["name"]),
        "state": STATES[row["state"]],
        "since": day_in_words(row["since"]),
        "again": row["times"] > 1,
        "met": figure(span),
    }


def _candidate(hub: Hub, service: str, name: str, span: Span) -> dict[str, str]:
    cause, _, rest = name.partition("/")
    said_of = {"service": service_name(service, hub.directory), "door": door(cause, rest), "met": figure(span)}
    return said_of | {"service_id": service, "cause": cause, "name": rest}
