"""The verbs of the follow-up ladder, bound once to what they need, for whatever face champions have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from hub.domain.calendar import WorkingCalendar
from hub.domain.route import Directory
from hub.services.act_once import act_once
from hub.services.barriers import move_barrier, open_barrier
from hub.services.close_alert import close_alert
from hub.services.days_off import drop_days_off, keep_days_off
from hub.services.escalate import escalate
from hub.services.follow_up import FollowUps
from hub.services.hear import hear
from hub.services.helped import champion_helped, record_helped
from hub.services.meet_barrier import meet_barrier
from hub.services.nudge import Nudging, nudge
from hub.services.offer import offer
from hub.services.ports import Vault
from hub.services.publish_month import publish_month
from hub.services.resend import resend
from hub.services.snooze import snooze
from hub.services.take_on import open_alert, take_on
from hub.services.training_need import training_need

Verb = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Each takes its own item: `await hub.writer.run(hub.ladder.take_on, TakeOn(…))`; raises the `HubError` it met."""

    open_alert: Verb
    take_on: Verb
    nudge: Verb
    escalate: Verb
    snooze: Verb
    close_alert: Verb
    resend: Verb
    offer: Verb
    open_barrier: Verb
    move_barrier: Verb
    record_helped: Verb
    champion_helped: Verb
    training_need: Verb
    hear: Verb
    meet_barrier: Verb
    publish_month: Verb
    act_once: Verb = act_once
    keep_days_off: Verb = keep_days_off
    drop_days_off: Verb = drop_days_off


def ladder(
    directory: Directory,
    calendar: WorkingCalendar,
    vault: Vault,
    lasts: Mapping[str, timedelta],
    follow_ups: FollowUps | None = None,
) -> Ladder:
    """Bind the verbs; `lasts` is how long a link to the answer page works, by service.

    `follow_ups` carries what was heard to the service's own system; without it, an e-mail says that there is a copy.
    """
    known: dict[str, Any] = {"directory": directory, "calendar": calendar}
    return Ladder(
        open_alert=partial(open_alert, **known),
        take_on=partial(take_on, **known),
        nudge=partial(nudge, **known, by=Nudging(vault, lasts)),
        escalate=partial(escalate, **known),
        snooze=partial(snooze, **known),
        close_alert=partial(close_alert, **known),
        resend=partial(resend, **known, vault=vault),
        offer=partial(offer, **known),
        open_barrier=partial(open_barrier, directory=directory),
        move_barrier=partial(move_barrier, directory=directory),
        record_helped=partial(record_helped, directory=directory, vault=vault),
        champion_helped=partial(champion_helped, **known, vault=vault),
        training_need=partial(training_need, **known),
        hear=partial(hear, **known, vault=vault, follow_ups=follow_ups),
        meet_barrier=partial(meet_barrier, **known),
        publish_month=partial(publish_month, **known),
    )
