"""What the person reads, or hears read out: every part, state and answer in words that speak to them (R61, R70)."""

from __future__ import annotations

from datetime import date

from hub.domain.answer import AnswerState
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.share import Category
from hub.domain.wording import day

_D, _A, _C = DeliveryState, AnswerState, Category

TITLE = "What was shared for you"

#: A part of the story by what it is about, never by what it says.
PARTS: dict[Category, str] = {
    _C.IDENTITY: "your name, and facts that show who you are",
    _C.CONTACT: "how to reach you safely",
    _C.LOCATION: "where you are",
    _C.IN_THEIR_WORDS: "your own words",
    _C.GOAL: "what you want to happen",
    _C.APPROACH: "the best way to work with you",
    _C.PLAN_REFERENCE: "that you have a plan",
    _C.HOUSING: "your housing",
    _C.MENTAL_HEALTH: "your mental health",
    _C.PHYSICAL_HEALTH: "your health",
    _C.SUBSTANCE_USE: "drugs or drink",
    _C.DOMESTIC_ABUSE: "harm from someone close to you",
    _C.OFFENDING: "the police or the courts",
    _C.CHILDREN: "children",
    _C.MONEY: "your money",
    _C.WORK_AND_LEARNING: "work and learning",
    _C.SAFETY: "how to keep you safe",
    _C.ABOUT_SOMEONE_ELSE: "facts about someone else",
}

_THE_PERSON = frozenset({"the person", "person", "them", "themselves", "themself"})


def said(by: str, how: str, on: date) -> str:
    """Return who said a part, how it came to be known, and when (R39): "You said this on Wednesday 18 November"."""
    when = day(on, year=True)
    who = "you" if by.strip().lower() in _THE_PERSON else by.strip()
    if how == "passed_on":
        return f"Someone passed on what {who} said, on {when}"
    if how == "observed":
        return f"{who[:1].upper()}{who[1:]} saw this on {when}"
    return f"{who[:1].upper()}{who[1:]} said this on {when}"


#: Where a parcel is that nobody has answered; {it} is the service's name.
_WAITING = {
    _D.HELD: "{it} does not have this yet. The way to reach them is being put right.",
    _D.QUEUED: "{it} does not have this yet. It is on its way.",
    _D.SENDING: "This is going to {it} now.",
    _D.RETRYING: "{it} does not have this yet. We are still trying to reach them.",
    _D.IN_DOUBT: "We are not sure that {it} has this. We are checking.",
    _D.DELIVERED: "{it} has this. They have not answered yet.",
    _D.DEAD_LETTERED: "{it} does not have this. We could not get it to them.",
    _D.CANCELLED: "{it} did not get this. It was stopped before it was sent.",
}
_ANSWERED = {
    _A.RECEIVED: "{it} has this. They have not said yet what they will do.",
    _A.NEEDS_INFO: "{it} wants to know more. Someone you trust can tell them.",
    _A.ACCEPTED: "{it} has said yes.",
    _A.IN_PROGRESS: "{it} has started work on this.",
    _A.WAITING_LIST: "{it} has said yes, but there is a wait.",
    _A.DECLINED: "{it} has said no. You can ask them to write down why.",
    _A.REDIRECT_SUGGESTED: "{it} has said no. They say that someone else may help.",
    _A.SIGNPOSTED: "{it} has said where else may help. We do not count that as help yet.",
    _A.COULD_NOT_REACH: "{it} could not get in touch with you. You can say how you would like to be reached.",
    _A.COMPLETED: "{it} has done what was asked.",
}
#: All that may be told of some answers (R21).
DECIDED = "{it} has this. They have decided what to do next."
_STOPPING = {
    _D.DELIVERED: "We have asked {it} to stop using it.",
    _D.DEAD_LETTERED: "We could not ask {it} to stop using it. Someone you trust can ring them.",
    _D.CANCELLED: "We have not asked {it} to stop using it.",
}
_STOPPED = {
    _A.RECEIVED: "{it} has our note to stop using it.",
    _A.ACCEPTED: "{it} will stop using it.",
    _A.IN_PROGRESS: "{it} will stop using it.",
    _A.COMPLETED: "{it} has stopped. They do not use it any more.",
    _A.DECLINED: "{it} will keep it. You can ask them to write down why.",
}


def stands(service: str, delivery: DeliveryState, answer: AnswerState) -> str:
    """Return where what was shared with a service stands."""
    if answer is _A.AWAITED or delivery is _D.CANCELLED:
        return _WAITING[delivery].format(it=service)
    return _ANSWERED[answer].format(it=service)


def stopping(service: str, delivery: DeliveryState, answer: AnswerState) -> str:
    """Return what came of asking a service to stop using it (R15)."""
    if answer is _A.AWAITED or delivery is _D.CANCELLED:
        return _STOPPING.get(delivery, "We are asking {it} to stop using it.").format(it=service)
    return _STOPPED.get(answer, "{it} has replied. They did not say that they will stop using it.").format(it=service)


#: What came to a service later, by kind.
LATER: dict[DeliveryKind, str] = {
    DeliveryKind.ADDENDUM: "Later, more was shared with them.",
    DeliveryKind.CORRECTION: "Later, they were told that part of it was wrong.",
    DeliveryKind.REPLY: "Later, they were sent an answer to what they asked.",
}

NOT_SENT = "Someone looks at this first, with the person you trust. Nothing has gone to any service."
ALL_TAKEN_BACK = "You took all of this back."
FORGOTTEN = "We have forgotten your story. All we still know is where it went and what they answered."
DIED = "We were told that the person this is about has died. We are so sorry. Nothing more is sent."
TOLD_ABOUT = "They were told about:"
KEPT_LONGER = "We must keep this for longer than we would like. You can ask why."


def forgotten_on(on: date) -> str:
    """Return until when the story is kept."""
    return f"We will forget your story by {day(on, year=True)}. The services keep their own notes."


def change_your_mind(trusted_person: str) -> str:
    """Return how to take it back: as easy as giving it (R15)."""
    whom = trusted_person.rstrip(".") or "the person you trust"
    return (
        f"You can change your mind at any time, about all of this or about one service. Tell {whom}, or anyone who "
        "can get in touch with them. It takes one call. Then nothing more goes. We ask who has it to stop using it."
    )


SAFE_TO_KEEP = "Could someone who may harm you find this sheet? Then do not keep it. Ask to hear it read out."
#: The whole of the sheet that is safer to print: whoever finds it cannot tell that anything was shared.
SAFER_TITLE = "Your reference"
SAFER = (
    "To hear more, ask someone you trust to read it out to you. Tell them this reference.",
    "You can change your mind at any time. It takes one call.",
)
