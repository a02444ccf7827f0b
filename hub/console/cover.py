"""My cover: who stands in for me and for whom I do, when we are away, and whom to turn to (R50, R51)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.bootstrap import Hub
from hub.console.alert import follower
from hub.console.alert_forms import Wrong, day_of
from hub.console.alert_words import ROLES, name_of, partner_name
from hub.console.frame import page, posted
from hub.console.session import hub_of
from hub.console.signed_in import SignedIn, audited_read
from hub.domain.alert_list import DaysOff
from hub.domain.calendar import london_date
from hub.domain.errors import Malformed
from hub.domain.ladder import Cover, Step, cover, scope
from hub.domain.route import Champion
from hub.domain.wording import day
from hub.services.act_once import Posted
from hub.services.days_off import DropDaysOff, KeepDaysOff
from hub.store.read_cover import days_off, in_hand
from hub.web.frame import HEADERS
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PATH: Final = "/console/cover"
DONE: Final[dict[str, str]] = {
    "kept": "Those days are written down. What is late then goes to the next person at once.",
    "dropped": "Those days are taken away again.",
}


@router.get("/console/cover")
async def show(request: Request) -> Response:
    """Show a person's cover."""
    return await _screen(request, await follower(request), {}, {})


@router.post("/console/cover/days-off")
async def keep(request: Request) -> Response:
    """Write down when somebody is away; what is wrong is said on the same screen."""
    person = await follower(request)
    form = await posted(request, person)
    hub = hub_of(request)
    wrong: Wrong = {}
    first = day_of(form, "first", wrong, needed="Enter the first day off")
    last = day_of(form, "last", wrong) or first
    covers = cover(hub.directory, person.person)
    who = form.get("person") or person.person
    if first is not None and last is not None and not wrong:
        now = hub.now.business()
        item = KeepDaysOff(who, first, last, scope(hub.directory, person.person), covers.colleagues, now)
        try:
            await _once(hub, person, form, hub.ladder.keep_days_off, item)
        except Malformed as error:
            wrong["last"] = error.refusal.next_step
    if wrong:
        return await _screen(request, person, wrong, form)
    return RedirectResponse(f"{_PATH}?done=kept", 303, HEADERS)


@router.post("/console/cover/days-off/drop")
async def drop(request: Request) -> Response:
    """Take days off away again; those that are not there are away already."""
    person = await follower(request)
    form = await posted(request, person)
    hub = hub_of(request)
    try:
        first = date.fromisoformat(form.get("first", ""))
    except ValueError:
        return RedirectResponse(_PATH, 303, HEADERS)
    covers = cover(hub.directory, person.person)
    by = scope(hub.directory, person.person)
    item = DropDaysOff(form.get("person", ""), first, by, covers.colleagues, hub.now.business())
    await hub.writer.run(hub.ladder.drop_days_off, item)
    return RedirectResponse(f"{_PATH}?done=dropped", 303, HEADERS)


async def _once(hub: Hub, person: SignedIn, form: Mapping[str, str], verb: Any, item: Any) -> None:
    told_apart = hub.vault.digest("form", "|".join((person.person, "days-off", form.get("once", ""))))
    await hub.writer.run(hub.ladder.act_once, Posted(verb, item, told_apart, hub.now.wall()))


async def _screen(request: Request, person: SignedIn, wrong: Mapping[str, str], form: Mapping[str, str]) -> Response:
    hub = hub_of(request)
    covers = cover(hub.directory, person.person)
    people = {person.person, *covers.colleagues, *(step.person.id for step in (*covers.after, *covers.before))}
    today = london_date(hub.now.business())
    off = await hub.read(days_off, people, today)
    held = await hub.read(in_hand, people)
    await audited_read(hub, person, "cover.read", sorted(people))
    mine = {person.person, *covers.colleagues}
    return page(
        request,
        person,
        "cover.html",
        422 if wrong else 200,
        title="My cover",
        after=[_stands(step, off, held, hub) for step in covers.after],
        before=[_stands(step, off, held, hub) for step in covers.before],
        off=[_away(each, person, today, hub, may_drop=each.person in mine) for each in off],
        people=[(person.person, "You"), *_colleagues(covers, hub)],
        facts=_facts(_champion(person, hub), held.get(person.person, 0), hub),
        safety=_safety(hub),
        wrong=wrong,
        given=form,
        once=form.get("once") or secrets.token_hex(16),
        done=DONE.get(request.query_params.get("done", ""), "") if not wrong else "",
    )


def _champion(person: SignedIn, hub: Hub) -> Champion | None:
    return next((each for each in hub.directory.people() if each.id == person.person), None)


def _stands(step: Step, off: tuple[DaysOff, ...], held: Mapping[str, int], hub: Hub) -> tuple[str, str, str]:
    """Who it is and as what, when they are away next, and how much they have in hand."""
    away = next((f"Away {_span(each)}" for each in off if each.person == step.person.id), "")
    number = held.get(step.person.id, 0)
    where = partner_name(step.person.organisation, hub.directory)
    place = f", {where}" if step.person.organisation in hub.directory.partners else ""
    has = f"Has {number} alert{'' if number == 1 else 's'}" if number else ""
    return f"{step.person.name} ({ROLES[step.role]}{place})", step.person.email, ". ".join(filter(None, (has, away)))


def _away(each: DaysOff, person: SignedIn, today: date, hub: Hub, *, may_drop: bool) -> dict[str, Any]:
    name = "You" if each.person == person.person else name_of(each.person, hub.directory)
    now = each.first <= today.isoformat()
    return {"name": name, "span": _span(each), "person": each.person, "first": each.first, "now": now,
            "may_drop": may_drop}  # fmt: skip


def _span(each: DaysOff) -> str:
    first, last = date.fromisoformat(each.first), date.fromisoformat(each.last)
    year = first.year != last.year
    if first == last:
        return f"on {day(first)}"
    return f"from {day(first, year=year)} to {day(last, year=year)}"


def _colleagues(covers: Cover, hub: Hub) -> list[tuple[str, str]]:
    return sorted(((each, name_of(each, hub.directory)) for each in covers.colleagues), key=lambda pair: pair[1])


def _facts(me: Champion | None, held: int, hub: Hub) -> list[tuple[str, str]]:
    """The days somebody works, what they have in hand, and who their coordinator is."""
    if me is None:
        return []
    days = [_DAYS[number] for number in sorted(me.working_days)]
    working = " and ".join((", ".join(days[:-1]), days[-1])) if len(days) > 1 else days[0]
    partner = hub.directory.partners.get(me.organisation)
    coordinator = (partner.coordinator if partner else None) or hub.directory.coordinator
    named = "" if coordinator is None or coordinator.id == me.id else f"{coordinator.name}, {coordinator.email}"
    found = [
        ("Days you work", working),
        ("You have in hand", f"{held} alert{'' if held == 1 else 's'}"),
        ("Your coordinator", named),
        ("Your last day", day(me.until, year=True) if me.until else ""),
        ("You pledged on", day(me.pledged_on, year=True) if me.pledged_on else ""),
    ]
    return [(label, words) for label, words in found if words]


def _safety(hub: Hub) -> list[tuple[str, str, str]]:
    """Whom to ring where somebody may not be safe: name, number, and when they answer."""
    safeguarding = hub.directory.safeguarding
    return [(each.name, each.phone, each.when) for each in safeguarding.numbers] if safeguarding else []
