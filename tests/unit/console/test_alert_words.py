"""R61: every word of the alert screens is plain, judges nobody and holds no code; every action has a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.console import alert, alert_forms, alert_words, cover, timeline
from hub.console.alert_filter import Chosen, read_filter
from hub.domain.alert import AlertKind
from hub.domain.alert_list import AlertLine, AlertView, Place, TimelineEntry
from hub.domain.answer import AnswerState, Level
from hub.domain.delivery import DeliveryState
from hub.domain.ladder import CloseReason, EscalateReason, Role, SnoozeReason, scope
from hub.domain.win import Help, Topic
from hub.domain.wording import stigma_words
from hub.store.read_alert import OF_DELIVERY, OF_SHARE
from tests.laddering import CHAMPION, DEPUTY, laddered
from tests.scenery import HOUSING, SENDER
from tests.unit.domain.test_mute_alert import line
from tests.unit.domain.test_wording import reading_age

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DIRECTORY = laddered()


def sentences() -> list[str]:
    """What a champion reads as one piece."""
    tables = (
        alert.DONE, cover.DONE, alert_words.CLOSED_WHY, alert_words.RUNGS, timeline.ANSWERS, timeline.ESCALATED_WHY,
        timeline.SNOOZED_WHY, alert_forms.HEARD, alert_forms.HOW, alert_forms.CLOSE, alert_forms.HELPED,
        alert_forms.TOPICS,
    )  # fmt: skip
    return [words for table in tables for words in table.values()] + [
        alert_words.standing(view(line(kind=kind, level=level, delivery_state=state)), DIRECTORY, muted=muted).words
        for kind in AlertKind
        for level in Level
        for state in DeliveryState
        for muted in (True, False)
    ]


def view(one: AlertLine, *entries: TimelineEntry) -> AlertView:
    return AlertView(one, 1, None, None, (), entries, b"", b"key")


def test_r61_no_word_judges_and_none_is_consent() -> None:
    assert [(text, found) for text in sentences() if (found := stigma_words(text))] == []
    assert [text for text in sentences() if "consent" in text.lower()] == []


def test_r61_sentences_are_for_a_reading_age_of_nine() -> None:
    long = {text for text in sentences() if len(text.split()) > 7}  # less is no sentence
    assert sorted((round(reading_age(text), 1), text) for text in long if reading_age(text) > 9) == []


def test_every_code_has_its_words() -> None:
    assert set(alert_words.CLOSED_WHY) == set(CloseReason) == set(alert_forms.CLOSE)
    assert set(timeline.ESCALATED_WHY) == set(EscalateReason)
    assert set(timeline.SNOOZED_WHY) == set(SnoozeReason)
    assert set(alert_forms.HEARD) == set(AnswerState) - {AnswerState.AWAITED}
    assert set(timeline.ANSWERS) == set(alert_forms.HEARD) | {"decided"}
    assert set(alert_words.ROLES) == set(Role)
    assert (set(alert_forms.HELPED), set(alert_forms.TOPICS)) == (set(Help), set(Topic))


@pytest.mark.parametrize("action", sorted({*OF_DELIVERY, *OF_SHARE}))
def test_every_action_of_the_timeline_is_a_plain_sentence(action: str) -> None:
    # given an event with all the details that any has, by each kind of actor
    detail = {
        "state": "declined", "usual": "False", "how": "phone", "kind": "unanswered", "level": "3", "holder": CHAMPION,
        "from": CHAMPION, "to": DEPUTY, "role": "deputy", "reason": "no_reply", "until": "2026-11-30", "by": "mailbox",
        "service": HOUSING,
    }  # fmt: skip
    actors = (f"person:{CHAMPION}", "client:day-centre-system", "connection:housing", "hub:clock")
    entries = [TimelineEntry(NOW, action, actor, tuple(sorted(detail.items()))) for actor in actors]
    # when it is told
    told = timeline.timeline(view(line(), *entries), DIRECTORY)
    # then it says what happened and who did it, without a code
    assert [each.by for each in told] == ["The hub", "Housing", SENDER, "Day-Centre"]
    for each in told:
        assert each.title[0].isupper()
        assert not {"_", ".", ":"} & set(each.title.replace("Said: ", "")), each.title
        assert each.when == "12:00pm on Wednesday 25 November"


def test_how_late_it_is_is_said_in_one_unit() -> None:
    late = line(due_at=NOW - timedelta(days=3, hours=2))
    assert alert_words.lateness(late, NOW) == "3 days late"
    assert alert_words.lateness(line(due_at=NOW + timedelta(days=1)), NOW).startswith("Not late: due 12:00pm on Thu")
    assert alert_words.lateness(line(snoozed_until=NOW), NOW) == "Put off until Wednesday 25 November"


def test_the_address_of_a_list_holds_what_was_chosen_and_nothing_else() -> None:
    chosen = read_filter({"late": "unopened", "whose": "mine", "x": "y", "show": "nonsense"},
                         scope(DIRECTORY, CHAMPION), DIRECTORY)  # fmt: skip
    assert chosen == Chosen(whose="mine", late="unopened")
    assert chosen.address() == "/console/follow-up?whose=mine&late=unopened"
    place = Place(2, NOW, "a" * 32)
    assert Place.read(chosen.address(place).rpartition("after=")[2]) == place
    assert (chosen.filter.level, chosen.filter.kind, chosen.filter.mine) == (Level.L2, AlertKind.UNANSWERED, True)
