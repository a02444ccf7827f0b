"""What the forms of an alert ask, and what was posted by them: a wrong field is said by its place, in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from hub.console.timeline import ESCALATED_WHY, SNOOZED_WHY
from hub.domain.answer import Answer, AnswerState
from hub.domain.barrier import Cause
from hub.domain.check import FIELD_TEXT, line, prose
from hub.domain.ladder import CloseReason, EscalateReason, Role, SnoozeReason
from hub.domain.win import Help, Topic

Form = Mapping[str, str]
#: What is wrong, by the id of the field.
Wrong = dict[str, str]

HEARD: Final[dict[str, str]] = {
    AnswerState.RECEIVED: "They have it, and have not decided",
    AnswerState.NEEDS_INFO: "They have a question",
    AnswerState.ACCEPTED: "Yes, they will help",
    AnswerState.IN_PROGRESS: "They have started",
    AnswerState.WAITING_LIST: "Yes, but there is a wait",
    AnswerState.DECLINED: "No, they cannot help",
    AnswerState.REDIRECT_SUGGESTED: "No, somebody else should have this",
    AnswerState.SIGNPOSTED: "They only said where else may help",
    AnswerState.COULD_NOT_REACH: "They could not get in touch",
    AnswerState.COMPLETED: "It is done",
}
HOW: Final[dict[str, str]] = {"phone": "On the phone", "meeting": "At a meeting", "email": "By email"}
CLOSE: Final[dict[str, str]] = {
    CloseReason.ANSWERED_ELSEWHERE: "It was answered another way",
    CloseReason.NO_LONGER_NEEDED: "It is no longer needed",
    CloseReason.PERSON_CHANGED_THEIR_MIND: "The person changed their mind",
    CloseReason.SENT_ANOTHER_WAY: "It was sent another way",
    CloseReason.BARRIER_RECORDED: "The barrier is written down",
    CloseReason.RAISED_IN_ERROR: "It was a mistake",
}
HELPED: Final[dict[str, str]] = {
    Help.HELPED: "What they did helped",
    Help.ANSWERED_FAST: "They answered fast",
    Help.MADE_IT_EASY: "They made it easy",
    Help.KEPT_IN_TOUCH: "They kept in touch",
    Help.FOUND_A_WAY: "They found a way",
    Help.WORKED_TOGETHER: "They worked with others",
}
TOPICS: Final[dict[str, str]] = {
    Topic.CONSENT: "Asking what people agree to",
    Topic.WRITING_WHAT_PEOPLE_SAY: "Writing down what people say",
    Topic.WHO_CAN_HELP: "Who can help with what",
    Topic.HOUSING_RIGHTS: "Rights to housing",
    Topic.MENTAL_HEALTH: "Mental health",
    Topic.SUBSTANCE_USE: "Drink and drugs",
    Topic.DOMESTIC_ABUSE: "Abuse at home",
    Topic.SAFEGUARDING: "Keeping people safe",
    Topic.TRAUMA: "What harm does to people",
    Topic.USING_THE_SYSTEM: "Using your own system for this",
}
_BROKEN: Final = re.compile("[\x00\ud800-\udfff]")


def said(form: Form, name: str) -> str:
    """Return what was typed in a field, without what no database and no page holds."""
    return _BROKEN.sub("\ufffd", form.get(name, "").replace("\r\n", "\n")).strip()


def chosen(form: Form, field: str, known: Mapping[str, Any], ask: str, wrong: Wrong) -> str:
    """Return which of the known words was chosen; says what to do where it is none."""
    word = form.get(field, "")
    if word not in known:
        wrong[field] = ask
        return ""
    return word


def day_of(form: Form, field: str, wrong: Wrong, *, needed: str = "") -> date | None:
    """Return the day in a date field; None where it is empty, and what is wrong with it otherwise."""
    parts = [form.get(f"{field}-{part}", "").strip() for part in ("year", "month", "day")]
    if not any(parts):
        if needed:
            wrong[field] = needed
        return None
    try:
        year, month, number = (int(part) for part in parts)
        return date(year, month, number)
    except (ValueError, OverflowError):
        wrong[field] = "Enter a real date, such as 27 3 2027"
        return None


def read_heard(form: Form, today: date, wrong: Wrong) -> dict[str, Any]:
    """Return what a `Hear` is made of; what is wrong is added by field. The same rules as for a worker's own note."""
    state = chosen(form, "hear-state", HEARD, "Choose what the service said", wrong)
    how = chosen(form, "hear-how", HOW, "Choose how you heard it", wrong)
    on = day_of(form, "hear-on", wrong, needed="Enter the day on which you heard it")
    if on is not None and on > today:
        wrong["hear-on"] = "Enter today or a day that is past"
    elif on is not None and (today - on).days > 366:
        wrong["hear-on"] = "Enter a day within the last year"
    by_when = day_of(form, "hear-next", wrong)
    if by_when is not None and not 0 <= (by_when - today).days <= 3 * 366:
        wrong["hear-next"] = "Enter today, or a day within three years"
    words = {name: said(form, f"hear-{name}") for name in ("by", "to", "owner", "reason", "text")}
    if not words["to"]:
        wrong["hear-to"] = "Enter who was told: your name, or a colleague's"
    for name, text in words.items():
        rule = prose("", text, FIELD_TEXT) if name == "text" else line("", text)
        if any(rule):
            wrong.setdefault(
                f"hear-{name}", "Make this shorter, on one line" if name != "text" else "Make this shorter"
            )
    if wrong:
        return {}
    answer = Answer(
        AnswerState(state), owner=words["owner"] or words["by"], text=words["text"], reason=words["reason"],
        next_date=by_when,
    )  # fmt: skip
    return {"answer": answer, "how": how, "said_by": words["by"], "told_to": words["to"], "on": on}


def read_escalate(form: Form, wrong: Wrong) -> dict[str, Any]:
    """Return to which step it goes, and why; whether anybody is there is for the verb to say."""
    to = chosen(form, "escalate-to", dict.fromkeys(Role), "Choose who should have it", wrong)
    why = chosen(form, "escalate-reason", ESCALATED_WHY, "Choose why you hand it up", wrong)
    return {} if wrong else {"to": Role(to), "reason": EscalateReason(why)}


def read_snooze(form: Form, wrong: Wrong) -> dict[str, Any]:
    """Return until when it is put off, and why."""
    until = day_of(form, "snooze-until", wrong, needed="Enter the day on which to look again")
    why = chosen(form, "snooze-reason", SNOOZED_WHY, "Choose why you wait", wrong)
    return {} if wrong else {"until": until, "reason": SnoozeReason(why)}


def read_barrier(form: Form, doors: Mapping[str, str], wrong: Wrong) -> dict[str, Any]:
    """Return which door is shut, of those that this alert shows, and the words about it."""
    door = chosen(form, "barrier-door", doors, "Choose what the barrier is", wrong)
    if wrong:
        return {}
    cause, _, name = door.partition(":")
    return {"cause": Cause(cause), "name": name, "words": said(form, "barrier-words")}
