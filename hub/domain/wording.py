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
_STOP_UNCLEAR = "{it} has replied. They did not say that they will stop using it."
_COPY_ANSWERED = "{it} has seen what was written down, and has replied."

_OWES_REPLY = frozenset({_A.AWAITED, _A.RECEIVED})
#: No more is due from the service, so nothing can be late.
_OVER = frozenset({_A.DECLINED, _A.REDIRECT_SUGGESTED, _A.COMPLETED})
_CHAMPION = "Your champion has been told."


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the words about one delivery depend on.

    `service` and `owner` are names as people say them ("Their duty officer"); `named` is who the service itself says
    has it (R35). `due` is when the service should have replied and `overdue` whether that has passed; `next_date` is
    the service's own; `phone` is the service's. `today` is London's: by it a date is past, or in another year.
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


def plain(one: Situation) -> str:
    """Return where a delivery stands, in sentences that can be read out: no code, no blame (R61).

    Such as "Housing has it. Their duty officer will reply by Tuesday 25 November."
    """
    if one.kind is _K.PLEASE_STOP_USING:
        return _join(_about_stopping(one), _what_next(one))
    if one.kind is _K.REPLY:
        return _join(_about_copy(one), () if one.delivery is _D.DELIVERED else _not_there(one))
    words = []
    if one.answer is _A.AWAITED or one.delivery is _D.CANCELLED:
        words.append(_DELIVERY_WORDS[one.delivery].format(it=one.service))
    if one.answer is not _A.AWAITED:
        words.append(_ANSWER_WORDS[one.answer].format(it=one.service))
        if one.named and one.answer not in _OVER:
            words.append(f"It is with {one.named.rstrip('.')}.")
    return _join(words, _what_next(one))


def _about_stopping(one: Situation) -> tuple[str, ...]:
    if one.answer is _A.AWAITED or one.delivery is _D.CANCELLED:
        return (_STOP_WORDS[one.delivery].format(it=one.service),)
    return (_STOP_ANSWER_WORDS.get(one.answer, _STOP_UNCLEAR).format(it=one.service),)


def _about_copy(one: Situation) -> tuple[str, ...]:
    words = _COPY_WORDS[one.delivery] if one.answer is _A.AWAITED else _COPY_ANSWERED
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
