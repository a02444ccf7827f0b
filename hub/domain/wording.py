"""What the trusted person reads: plain sentences for every state, GOV.UK dates, and the words we never use (R61)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from hub.domain.answer import AnswerState
from hub.domain.calendar import LONDON, london_date
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.minimise import Why
from hub.domain.share import HandlingLine

_D, _A, _K = DeliveryState, AnswerState, DeliveryKind

#: Fixed here, so that the words never follow the machine's locale.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def day(when: date | datetime, *, year: bool = False) -> str:
    """Return a date in London as GOV.UK writes it: "Tuesday 25 November", with `year` "Tuesday 25 November 2026"."""
    on = london_date(when) if isinstance(when, datetime) else when
    words = f"{_DAYS[on.weekday()]} {on.day} {_MONTHS[on.month - 1]}"
    return f"{words} {on.year}" if year else words


def moment(when: datetime) -> str:
    """Return an instant in London as GOV.UK writes it: "3:05pm on Friday 20 November"."""
    local = when.astimezone(LONDON)
    return f"{(local.hour - 1) % 12 + 1}:{local:%M}{'am' if local.hour < 12 else 'pm'} on {day(when)}"


def _date(when: date | datetime, today: date | None) -> str:
    """A date with its year only where that is not this year."""
    on = london_date(when) if isinstance(when, datetime) else when
    return day(on, year=today is not None and on.year != today.year)


#: What has become of a parcel that no service has answered; {it} is the service's name.
_DELIVERY_WORDS = {
    _D.HELD: "{it} does not have this yet. The way to reach them is not working and is being put right.",
    _D.QUEUED: "{it} does not have this yet. It is safe with us and on its way.",
    _D.SENDING: "This is going to {it} now.",
    _D.RETRYING: "{it} does not have this yet. We could not get through and will try again.",
    _D.IN_DOUBT: "We are not sure that {it} has this. We are checking.",
    _D.DELIVERED: "This has reached {it}.",
    _D.DEAD_LETTERED: "{it} does not have this. We could not get it to them and have stopped trying.",
    _D.CANCELLED: "This did not go to {it}. It was stopped before it was sent.",
}

#: What a service has said; for `awaited` the words are those of the delivery.
_ANSWER_WORDS = {
    _A.RECEIVED: "{it} has it.",
    _A.NEEDS_INFO: "{it} has it and has asked a question. Please answer it, so that they can decide.",
    _A.ACCEPTED: "{it} has said yes.",
    _A.IN_PROGRESS: "{it} has started work on this.",
    _A.WAITING_LIST: "{it} has said yes, but there is a wait.",
    _A.DECLINED: "{it} has said no. You can ask them to put the reason in writing, and who else might help.",
    _A.REDIRECT_SUGGESTED: "{it} has said no. They say that someone else may help.",
    _A.SIGNPOSTED: "{it} has said where else may help. This stays open until somebody does.",
    _A.COULD_NOT_REACH: "{it} could not get in touch. Ask the person how they would like to be reached, and tell {it}.",
    _A.COMPLETED: "{it} has done what was asked.",
}

#: The same for a request to stop using it (R15), and for a copy of what was written down (R64).
_STOP_WORDS = {
    _D.HELD: "We have not asked {it} to stop using it yet. The way to reach them is being put right.",
    _D.QUEUED: "We will ask {it} to stop using it. This is safe with us and on its way.",
    _D.SENDING: "We are asking {it} to stop using it now.",
    _D.RETRYING: "We have not asked {it} to stop using it yet. We could not get through and will try again.",
    _D.IN_DOUBT: "We are not sure that {it} knows to stop using it. We are checking.",
    _D.DELIVERED: "We have asked {it} to stop using it.",
    _D.DEAD_LETTERED: "We could not ask {it} to stop using it, and have stopped trying.",
    _D.CANCELLED: "We have not asked {it} to stop using it.",
}
_COPY_WORDS = {
    _D.HELD: "A copy of what was written down waits for {it}. The way to reach them is being put right.",
    _D.QUEUED: "{it} will get a copy of what was written down. It is on its way.",
    _D.SENDING: "A copy of what was written down is going to {it} now.",
    _D.RETRYING: "{it} has no copy of what was written down yet. We will try again.",
    _D.IN_DOUBT: "We are not sure that {it} got a copy of what was written down. We are checking.",
    _D.DELIVERED: "{it} has a copy of what was written down.",
    _D.DEAD_LETTERED: "{it} has no copy of what was written down. We have stopped trying.",
    _D.CANCELLED: "{it} was not sent a copy of what was written down.",
}
#: What a service has said about stopping; an answer that is not here needs a call to be understood.
_STOP_ANSWER_WORDS = {
    _A.RECEIVED: "{it} has our note to stop using it.",
    _A.ACCEPTED: "{it} will stop using it.",
    _A.IN_PROGRESS: "{it} is working on it: they will stop using it.",
    _A.COMPLETED: "{it} has stopped using it. You can tell the person so.",
    _A.DECLINED: "{it} will keep it. You can ask them to put the reason in writing.",
}
#: The same for what follows a share: a later fact, a correction (R41), and the answer to a service's question (R42).
_ADDENDUM_WORDS = {
    _D.HELD: "The new part waits for {it}. The way to reach them is being put right.",
    _D.QUEUED: "The new part is on its way to {it}. It is safe with us.",
    _D.SENDING: "The new part is going to {it} now.",
    _D.RETRYING: "{it} does not have the new part yet. We could not get through and will try again.",
    _D.IN_DOUBT: "We are not sure that {it} has the new part. We are checking.",
    _D.DELIVERED: "{it} has the new part.",
    _D.DEAD_LETTERED: "{it} does not have the new part. We could not get it to them and have stopped trying.",
    _D.CANCELLED: "The new part did not go to {it}. It was stopped before it was sent.",
}
_CORRECTION_WORDS = {
    _D.HELD: "We have not told {it} what to change yet. The way to reach them is being put right.",
    _D.QUEUED: "We will tell {it} what to change. It is safe with us and on its way.",
    _D.SENDING: "We are telling {it} what to change now.",
    _D.RETRYING: "We have not told {it} what to change yet. We could not get through and will try again.",
    _D.IN_DOUBT: "We are not sure that {it} knows what to change. We are checking.",
    _D.DELIVERED: "We have told {it} what to change.",
    _D.DEAD_LETTERED: "We could not tell {it} what to change, and have stopped trying.",
    _D.CANCELLED: "We did not tell {it} what to change. It was stopped before it was sent.",
}
_REPLY_WORDS = {
    _D.HELD: "Your answer waits for {it}. The way to reach them is being put right.",
    _D.QUEUED: "Your answer is on its way to {it}. It is safe with us.",
    _D.SENDING: "Your answer is going to {it} now.",
    _D.RETRYING: "{it} does not have your answer yet. We could not get through and will try again.",
    _D.IN_DOUBT: "We are not sure that {it} has your answer. We are checking.",
    _D.DELIVERED: "{it} has your answer to their question.",
    _D.DEAD_LETTERED: "{it} does not have your answer. We could not get it to them and have stopped trying.",
    _D.CANCELLED: "Your answer did not go to {it}. It was stopped before it was sent.",
}
#: The same for a note about the service's own answer: what is missing, and what was not passed on (R21, R35).
_NOTE_WORDS = {
    _D.HELD: "A note about their answer waits for {it}. The way to reach them is being put right.",
    _D.QUEUED: "{it} will get a note about their answer. It is on its way.",
    _D.SENDING: "A note about their answer is going to {it} now.",
    _D.RETRYING: "{it} has no note about their answer yet. We will try again.",
    _D.IN_DOUBT: "We are not sure that {it} got our note about their answer. We are checking.",
    _D.DELIVERED: "{it} was told what is missing from their answer, or was not passed on.",
    _D.DEAD_LETTERED: "{it} did not get our note about their answer. We have stopped trying.",
    _D.CANCELLED: "{it} was not sent a note about their answer.",
}
_FOLLOWING = {_K.ADDENDUM: _ADDENDUM_WORDS, _K.CORRECTION: _CORRECTION_WORDS, _K.REPLY: _REPLY_WORDS}
_FOLLOWING_ANSWERED = "{it} has seen it, and has replied."
_STOP_UNCLEAR = "{it} has replied. They did not say that they will stop using it."
#: All that comes back of a children's team, or while a service asks not to tell yet (R21).
_DECIDED_ONLY = "{it} has it and has decided their next step."
_QUESTION_ANSWERED = "{it} asked a question, and you have answered it."
_COPY_ANSWERED = "{it} has seen what was written down, and has replied."
_NOTE_ANSWERED = "{it} has seen our note about their answer, and has replied."

#: Of somebody who has died only where it went: nobody is asked to do anything (R69).
_AFTER_A_DEATH = {
    _D.DELIVERED: "{it} got this before.",
    _D.SENDING: "We are not sure that {it} got this.",
    _D.IN_DOUBT: "We are not sure that {it} got this.",
}
_DID_NOT_GO = "This did not go to {it}."

_OWES_REPLY = frozenset({_A.AWAITED, _A.RECEIVED})
#: No more is due from the service, so nothing can be late.
_OVER = frozenset({_A.DECLINED, _A.REDIRECT_SUGGESTED, _A.COMPLETED})
#: Answers that can be questioned (R38).
_NO = frozenset({_A.DECLINED, _A.REDIRECT_SUGGESTED, _A.COULD_NOT_REACH})
_CHAMPION = "Your champion has been told."
#: While nobody has looked whether it is still the right team (TH20): no telephone number of theirs is offered.
_UNCHECKED = "{it} does not have this yet. We are making sure that it is still the right team. This is safe with us."
_UNCHECKED_NEXT = "If it cannot wait, ask your champion."
_NOT_GONE = frozenset({_D.HELD, _D.QUEUED, _D.RETRYING})


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the words about one delivery depend on.

    `service` and `owner` are names as people say them ("Their duty officer"); `named` is who the service itself says
    has it (R35). `due` is when the service should have replied and `overdue` whether that has passed; `next_date` is
    the service's own; `phone` is the service's. `today` is London's: by it a date is past, or in another year.
    `answers_question` tells an answer to a service's question from a copy of what was heard; `question_answered` that
    such an answer has gone since the service asked; `decided_only` that no more than that may be told (R21); `died`
    that they have died (R69); `meets` that a meeting was asked for, where the answer is who comes (R71);
    `about_answer` that it only speaks of the service's own answer; `challenge` what can be done about a "no" (R38).
    """

    service: str
    delivery: DeliveryState
    answer: AnswerState = AnswerState.AWAITED
    owner: str = "They"
    due: datetime | None = None
    overdue: bool = False
    next_date: date | None = None
    phone: str = ""
    named: str = ""
    kind: DeliveryKind = DeliveryKind.SHARE
    today: date | None = None
    answers_question: bool = False
    question_answered: bool = False
    check_with_person: bool = False
    decided_only: bool = False
    died: bool = False
    meets: bool = False
    unchecked: bool = False
    about_answer: bool = False
    challenge: str = ""


def plain(one: Situation) -> str:
    """Return where a delivery stands, in sentences that can be read out: no code, no blame (R61).

    Such as "Housing has it. Their duty officer will reply by Tuesday 25 November."
    """
    if one.died:
        return _begin(_AFTER_A_DEATH.get(one.delivery, _DID_NOT_GO).format(it=one.service))
    if one.unchecked and one.delivery in _NOT_GONE and one.answer is _A.AWAITED:
        return _join((_UNCHECKED.format(it=one.service),), (_UNCHECKED_NEXT,))
    if one.kind is _K.PLEASE_STOP_USING:
        return _join(_about_stopping(one), _what_next(one))
    if one.kind in _FOLLOWING:
        about = _about_copy if one.kind is _K.REPLY and not one.answers_question else _about_following
        return _join(about(one), () if one.delivery is _D.DELIVERED else _not_there(one))
    if one.decided_only and one.answer not in _OWES_REPLY | {_A.NEEDS_INFO} and one.delivery is not _D.CANCELLED:
        return _begin(_DECIDED_ONLY.format(it=one.service))
    words = []
    if one.answer is _A.AWAITED or one.delivery is _D.CANCELLED:
        words.append(_DELIVERY_WORDS[one.delivery].format(it=one.service))
    if one.answer is not _A.AWAITED:
        asked = _QUESTION_ANSWERED if one.answer is _A.NEEDS_INFO and one.question_answered else None
        words.append((asked or _ANSWER_WORDS[one.answer]).format(it=one.service))
        if one.challenge and one.answer in _NO:
            words.append(one.challenge)
        if one.named and one.answer not in _OVER:
            words.append(has_it(one.named, meets=one.meets))
    if one.check_with_person:
        words.append("They ask you to check this with the person.")
    return _join(words, _what_next(one))


def has_it(named: str, *, meets: bool = False) -> str:
    """Return who a service says has it; of a meeting that is who comes (R71)."""
    return f"{'They will come:' if meets else 'It is with'} {named.rstrip('.')}."


def _about_stopping(one: Situation) -> tuple[str, ...]:
    if one.answer is _A.AWAITED or one.delivery is _D.CANCELLED:
        return (_STOP_WORDS[one.delivery].format(it=one.service),)
    return (_STOP_ANSWER_WORDS.get(one.answer, _STOP_UNCLEAR).format(it=one.service),)


def _about_following(one: Situation) -> tuple[str, ...]:
    words = _FOLLOWING[one.kind][one.delivery] if one.answer is _A.AWAITED else _FOLLOWING_ANSWERED
    return (words.format(it=one.service),)


def _about_copy(one: Situation) -> tuple[str, ...]:
    standing, answered = (_NOTE_WORDS, _NOTE_ANSWERED) if one.about_answer else (_COPY_WORDS, _COPY_ANSWERED)
    words = standing[one.delivery] if one.answer is _A.AWAITED else answered
    return (words.format(it=one.service),)


def _join(words: Iterable[str], next_words: Iterable[str]) -> str:
    return " ".join(_begin(sentence) for sentence in (*words, *next_words))


def _what_next(one: Situation) -> tuple[str, ...]:
    if one.answer is _A.AWAITED and one.delivery is not _D.DELIVERED:
        return _not_there(one)
    if one.answer in _OVER:
        return ()
    if one.overdue:
        return (_late(one), _CHAMPION, *_ring(one))
    if one.next_date is not None:
        return (_next_step(one.next_date, one.today),)
    if one.answer in _OWES_REPLY:
        by = f"{one.owner} will reply by {_date(one.due, one.today)}." if one.due else ""
        return (by or "We will tell you when they reply.",)
    return ()


def _next_step(on: date, today: date | None) -> str:
    """What is past may not have happened, so it is only what they said."""
    words = "They said the next step would be on" if today and on < today else "The next step is on"
    return f"{words} {_date(on, today)}."


def _not_there(one: Situation) -> tuple[str, ...]:
    """What has not arrived and is late, or never will, needs a telephone (R44)."""
    needs_ringing = one.delivery is _D.DEAD_LETTERED or (one.overdue and one.delivery not in {_D.SENDING, _D.CANCELLED})
    return (_ring(one) or ("Ring them if you can.",)) if needs_ringing else ()


def _late(one: Situation) -> str:
    if one.answer in _OWES_REPLY and one.due is not None:
        return f"{one.owner} should have replied by {_date(one.due, one.today)}."
    return "We have not heard from them when we should have."


def _ring(one: Situation) -> tuple[str, ...]:
    return (f"Ring them on {one.phone}.",) if one.phone else ()


_HEARD = {"phone": "by phone", "meeting": "at a meeting", "email": "by email"}


def heard(
    told_to: str,
    how: Literal["phone", "meeting", "email"],
    on: date | datetime,
    said_by: str = "",
    today: date | None = None,
) -> str:
    """Return the line for an answer that came outside the hub (R64).

    Such as "The team leader told Jo by phone on Tuesday 25 November."
    """
    return _begin(f"{said_by.rstrip('.') or 'the service'} told {told_to} {_HEARD[how]} on {_date(on, today)}.")


#: Why a part of the story stays behind, for the preview and the receipt.
WITHHELD_WORDS: dict[Why, str] = {
    Why.UNLABELLED: "We could not tell what this part is about, so it stays with you.",
    Why.NOT_AGREED: "They did not agree to share this part with this service.",
    Why.NOT_FOR_SERVICE: "This service is not set up to receive this kind of information.",
    Why.LOCATION_PRIVATE: "This could show where they are, so it stays private.",
    Why.TICK_BY_ITSELF: "This part goes only if they choose it, on its own, for this one service.",
    Why.NO_ARTICLE_10: "This service has not said by what law it may hold this, so it stays with you.",
    Why.NOT_FOR_SHARING: "This kind of detail does not go to any service.",
    Why.WORDS_NOT_CHECKED: "No one has said they read these words through, so they stay with you.",
    Why.SAFE_CONTACT_UNKNOWN: "Nobody has said that this is safe to use. They will be reached through you.",
    Why.NOT_SAFE: "It is not safe to use this. They will be reached through you.",
    Why.NOTIFIES_PERSON: "Their system may write to people on its own, so it does not get this.",
    Why.HANDLING_NOT_CARRIED: "Their system cannot show how to keep this part safe.",
}

#: What is said of a share whose story is gone (R59).
FORGOTTEN_WORDS = (
    "We have forgotten this. We keep nobody's story for long. What is left says where it went and what they answered."
)

#: What is said of a share whose person has died (R69).
DIED_WORDS = "We were told that this person has died. We are so sorry. Nothing more is sent. You need do nothing here."

#: What whoever opens a delivery must take care of (R66): carried in the service's own document.
HANDLING_WORDS: dict[HandlingLine, str] = {
    HandlingLine.HIDE_FROM_ONLINE_RECORD: "Hide this from any record that the person's household can open online.",
    HandlingLine.DO_NOT_DISCLOSE_TO_HOUSEHOLD: "Do not tell anyone in the household that this was sent.",
    HandlingLine.DO_NOT_DISCLOSE_TO_OTHER_PARENT: "Do not tell the other parent that this was sent, or what is in it.",
}

#: Words that judge, and what partners' codes call people; each matches with a short ending too (R61).
STIGMA = (
    "abscond", "abuser", "addict", "alcoholic", "attention seek", "bed blocker", "beggar", "challenging behaviour",
    "chaotic", "complex needs", "criminal", "defaulter", "delinquent", "did not engage", "difficult to engage",
    "disengage", "disengagement", "drug user", "dysfunctional", "failed to attend", "failed to engage", "feckless",
    "frequent flyer", "hard to engage", "hard to help", "hard to reach", "intentionally homeless", "junkie",
    "lacks motivation", "manipulative", "mentally ill", "no fixed abode", "non compliance", "non compliant",
    "non engage", "non engagement", "non engaging", "not compliant", "offender", "problem famil", "prostitute",
    "psychopath", "refused to engage", "revolving door", "substance abuse", "substance misuser", "suffers from",
    "the homeless", "tramp", "treatment resistant", "troubled famil", "unmotivated", "unwilling to engage", "vagrant",
    "vulnerable",
)  # fmt: skip
_STIGMA = re.compile(
    "(?<![a-z])(?:" + "|".join(word.replace(" ", r"[\s_-]*") for word in STIGMA) + ")[a-z]{0,3}(?![a-z])", re.IGNORECASE
)


def stigma_words(text: str) -> list[str]:
    """Return the words of `text` that are on the stigma list, in the order they stand, as they stand (R61).

    Spaces, dashes and underscores count the same, so that a partner's code such as INTENTIONALLY_HOMELESS is found.
    """
    return [found.group() for found in _STIGMA.finditer(text)]


def _begin(sentence: str) -> str:
    """A capital letter first, but for a name that is written otherwise, such as iCope or 111."""
    first = sentence.split(" ", 1)[0].rstrip(".,")
    return sentence[:1].upper() + sentence[1:] if first.islower() and first.isalpha() else sentence
