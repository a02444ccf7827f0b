"""What champions and those above them do: on a day they work they read their mail, and act on what is open."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.domain.answer import AnswerState
from hub.domain.calendar import london_date
from hub.domain.errors import HubError
from hub.domain.ladder import CloseReason, EscalateReason, Role
from hub.domain.route import Champion
from hub.ladder import Ladder, ladder
from hub.services.close_alert import CloseAlert
from hub.services.escalate import Escalate
from hub.services.nudge import Nudge
from hub.services.take_on import OpenAlert, TakeOn
from tests.quarter.partnership import on_leave
from tests.quarter.world import World

_LINK = re.compile(r"/alerts/([0-9a-f]{32})")


@dataclass(slots=True)
class Champions:
    """Everybody who reads mail, with what each has not read yet; `taken` is what the mail server took."""

    world: World
    rand: random.Random
    unread: dict[str, list[str]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)  #: notices by the Message-IDs that came
    named: Counter[tuple[str, str, str]] = field(default_factory=Counter)  #: by reader, alert and subject
    could: Counter[bool] = field(default_factory=Counter)  #: whether there was something to do when it was read
    largest: Counter[tuple[str, str]] = field(default_factory=Counter)  #: mails to a reader in a day
    mails: int = 0
    _verbs: Ladder = field(init=False)

    def __post_init__(self) -> None:
        of = self.world.scene
        self._verbs = ladder(of.directory, self.world.calendar, of.vault, {})

    def take_in(self) -> None:
        """Put what the mail server took into everybody's inbox."""
        today = london_date(self.world.time.at).isoformat()
        for mail in self.world.new_mails():
            (to,) = mail["to"]
            reader = to.partition("@")[0]
            alerts = list(dict.fromkeys(_LINK.findall(mail["text"])))
            self.mails += 1
            self.largest[reader, today] += 1
            self.unread.setdefault(reader, []).extend(alerts)
            self.taken.add(mail["message_id"].strip("<>").partition("@")[0])
            self.named.update((reader, each, mail["subject"]) for each in alerts)

    def work(self) -> None:
        """Let everybody who is at work read what came, and do something about what is open."""
        at = self.world.time.at
        for person in self.world.scene.directory.people():
            if not _at_work(person, at, self.world):
                continue
            for alert_id in dict.fromkeys(self.unread.pop(person.id, ())):
                self._act(person, alert_id)

    def _act(self, person: Champion, alert_id: str) -> None:
        opened = self._do(self._verbs.open_alert, OpenAlert, person, alert_id)
        if isinstance(opened, HubError):
            self.could[False] += 1
            return
        self.could[True] += 1
        draw = self.rand.random()
        if draw < 0.75:
            self._do(self._verbs.take_on, TakeOn, person, alert_id)
            asked = self._do(self._verbs.nudge, Nudge, person, alert_id)
            if not isinstance(asked, HubError):
                self._asked(alert_id)
        elif draw < 0.85:
            self._do(
                self._verbs.escalate, Escalate, person, alert_id, to=Role.COORDINATOR, reason=EscalateReason.NO_REPLY
            )
        elif draw < 0.9:
            self._do(self._verbs.close_alert, CloseAlert, person, alert_id, reason=CloseReason.NO_LONGER_NEEDED)

    def _asked(self, alert_id: str) -> None:
        """A service that was asked again may answer after all."""
        (row,) = self.world.rows("SELECT delivery_id FROM alerts WHERE id = :id", id=alert_id)
        story = self.world.stories[row["delivery_id"]]
        after = story.fate.asked_again
        if after is None or story.over is not None:
            return
        waiting = {each[1] for each in self.world.answers}
        if row["delivery_id"] not in waiting:
            state = AnswerState.COMPLETED if 3 in story.rungs else AnswerState.ACCEPTED
            self.world.answers.append((self.world.time.at + after, row["delivery_id"], state))

    def _do(self, verb: Any, item: Any, person: Champion, alert_id: str, **more: Any) -> Any:
        at = self.world.time.at
        return self.world.store.one(verb, item(alert_id, person.id, at, at, **more))


def _at_work(person: Champion, at: datetime, world: World) -> bool:
    day = london_date(at)
    if person.until is not None and day > person.until:
        return False
    return day.weekday() in person.working_days and world.calendar.is_working_day(day) and not on_leave(person.id, day)
