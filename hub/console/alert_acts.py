"""The acts of an alert's screen: each form is done once however often it is sent, and returns to the alert (R46)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.bootstrap import Hub
from hub.console import alert_forms
from hub.console.alert import Again, follower, offered, screen, seen
from hub.console.alert_choices import Choices
from hub.console.alert_forms import Form, Wrong, chosen
from hub.console.frame import posted
from hub.console.session import hub_of
from hub.console.signed_in import SignedIn
from hub.domain.calendar import london_date
from hub.domain.errors import Conflict, Forbidden, Malformed, NotFound
from hub.ladder import Ladder, Verb
from hub.services.act_once import Posted
from hub.services.alert_act import NO_ALERT
from hub.services.close_alert import CloseAlert
from hub.services.escalate import Escalate
from hub.services.hear import Hear
from hub.services.helped import HelpedAct
from hub.services.meet_barrier import MeetBarrier
from hub.services.nudge import Nudge
from hub.services.offer import Offer
from hub.services.resend import Resend
from hub.services.snooze import Snooze
from hub.services.take_on import TakeOn
from hub.services.training_need import TrainingNeed
from hub.web.frame import HEADERS
from hub.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Act:
    """One form: the verb that it runs, the item that it makes, and how what was posted becomes the item's own."""

    verb: Callable[[Ladder], Verb]
    item: type[Any]
    read: Callable[[Form, Choices, Any, Wrong], Mapping[str, Any]] = lambda _form, _open, _today, _wrong: {}


def _one(name: str, field: str, known: Mapping[str, str], ask: str) -> Callable[..., Mapping[str, Any]]:
    """Return how a form of one choice is read."""

    def read(form: Form, _: Choices, __: Any, wrong: Wrong) -> Mapping[str, Any]:
        return {name: chosen(form, field, known, ask, wrong)}

    return read


ACTS: Final[dict[str, Act]] = {
    "take": Act(
        lambda verbs: verbs.take_on, TakeOn, lambda form, _, __, ___: {"instead": form.get("instead") == "yes"}
    ),
    "nudge": Act(lambda verbs: verbs.nudge, Nudge),
    "resend": Act(lambda verbs: verbs.resend, Resend),
    "hear": Act(
        lambda verbs: verbs.hear, Hear, lambda form, _, today, wrong: alert_forms.read_heard(form, today, wrong)
    ),
    "offer": Act(
        lambda verbs: verbs.offer,
        Offer,
        lambda form, open_to, _, wrong: {
            "service": chosen(form, "offer-service", open_to.services, "Choose a service", wrong)
        },
    ),
    "barrier": Act(
        lambda verbs: verbs.meet_barrier,
        MeetBarrier,
        lambda form, open_to, _, wrong: alert_forms.read_barrier(form, open_to.doors, wrong),
    ),
    "escalate": Act(
        lambda verbs: verbs.escalate,
        Escalate,
        lambda form, _, __, wrong: alert_forms.read_escalate(form, wrong),
    ),
    "snooze": Act(lambda verbs: verbs.snooze, Snooze, lambda form, _, __, wrong: alert_forms.read_snooze(form, wrong)),
    "close": Act(
        lambda verbs: verbs.close_alert,
        CloseAlert,
        _one("reason", "close-reason", alert_forms.CLOSE, "Choose why you close it"),
    ),
    "win": Act(
        lambda verbs: verbs.champion_helped,
        HelpedAct,
        _one("help", "win-help", alert_forms.HELPED, "Choose what helped"),
    ),
    "learn": Act(
        lambda verbs: verbs.training_need,
        TrainingNeed,
        _one("topic", "learn-topic", alert_forms.TOPICS, "Choose what people want to learn"),
    ),
}


@router.post("/console/alerts/{alert_id}/{act}")
async def do(request: Request, alert_id: str, act: str) -> Response:
    """Do one act, once; what is wrong with its form is said on the alert's own screen."""
    person = await follower(request)
    form = await posted(request, person)
    if act not in ACTS:
        raise NotFound(NO_ALERT)
    hub = hub_of(request)
    view, reader, muted = await seen(hub, person, alert_id)
    # What is over by now is for the verb to say: the form may have been done before.
    open_to = await offered(hub, view, reader, muted=muted, over=False)
    wrong: Wrong = {}
    more = ACTS[act].read(form, open_to, london_date(hub.now.business()), wrong)
    show = partial(screen, request, person, alert_id)
    if wrong:
        return await show(Again(act, form, wrong))
    try:
        await _run(hub, person, alert_id, act, form, more)
    except Malformed as error:
        words = {f"{act}-{fault.pointer.lstrip('/')}": error.refusal.next_step for fault in error.faults}
        return await show(Again(act, form, words, "" if words else error.refusal.title))
    except (Conflict, Forbidden) as error:
        return await show(Again(act, form, {}, f"{error.refusal.title} {error.refusal.next_step}", status=409))
    return RedirectResponse(f"/console/alerts/{alert_id}?done={act}", 303, HEADERS)


async def _run(  # noqa: PLR0913 - who does what with what, by which form
    hub: Hub, person: SignedIn, alert_id: str, act: str, form: Form, more: Mapping[str, Any]
) -> None:
    business, wall = hub.now.business(), hub.now.wall()
    item = ACTS[act].item(alert_id, person.person, business, wall, **more)
    told_apart = hub.vault.digest("form", "|".join((person.person, alert_id, act, form.get("once", ""))))
    await hub.writer.run(hub.ladder.act_once, Posted(ACTS[act].verb(hub.ladder), item, told_apart, wall))
