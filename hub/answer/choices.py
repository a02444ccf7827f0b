"""What a team can say on the page, as choices: each with the fields that it asks for and the state that it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.domain.answer import PERSON_DIED, AnswerState

_A = AnswerState


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: `asks` are its fields in order (owner, date, reason, words, wait); `needs` must be filled in.

    `reasons` are codes with their words; `check` says that it asks to check with the person (R40).
    """

    say: str
    label: str
    hint: str
    state: AnswerState
    asks: tuple[str, ...]
    needs: frozenset[str]
    words_label: str = ""
    owner_label: str = "Who in your team has this?"
    reason_label: str = "Why?"
    words_hint: str = ""
    date_label: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    check: bool = False


_NO: Final = (
    ("not-what-we-do", "It is not what we do"),
    ("outside-our-area", "They live outside our area"),
    ("not-eligible", "Our rules do not let us help"),
    ("no-room-now", "We have no room now"),
    ("not-enough-to-go-on", "We were not told enough"),
    ("already-with-us", "We are working with them already"),
    ("another-reason", "Another reason"),
)
_NOT_REACHED: Final = (
    ("not-in-touch", "Nobody answered"),
    ("did-not-come", "They did not come to a meeting"),
    ("not-safe-to-contact", "There was no safe way to make contact"),
)
#: In the order in which the page lists them.
CHOICES: Final = (
    Choice("yes", "Yes, we will help", "", _A.ACCEPTED, ("owner", "date", "words", "wait"), frozenset({"owner"}),
           "What happens next? (optional)", date_label="When will you first be in touch? (optional)"),
    Choice("later", "Yes, but there is a wait", "", _A.WAITING_LIST, ("owner", "date", "words", "wait"),
           frozenset({"owner", "date"}), "What happens while they wait? (optional)",
           date_label="When should we ask you again?"),
    Choice("done", "It is done", "You helped, and it is finished.", _A.COMPLETED, ("owner", "words", "wait"),
           frozenset({"owner"}), "What came of it? (optional)"),
    Choice("no", "No, we cannot help", "", _A.DECLINED, ("reason", "owner", "words", "wait"),
           frozenset({"reason", "owner"}), "What should they know, or try? (optional)",
           owner_label="Who in your team can they ask about this?", reasons=_NO),
    Choice("not-reached", "We could not get in touch", "", _A.COULD_NOT_REACH,
           ("reason", "words", "date", "owner"), frozenset({"reason"}), "What did you try, and how often? (optional)",
           date_label="When will you close this if nobody hears from them? (optional)", reason_label="What happened?",
           reasons=_NOT_REACHED),
    Choice("question", "We have a question", "The trusted person answers it.", _A.NEEDS_INFO, ("owner", "words"),
           frozenset({"words"}), "What do you need to know?"),
    Choice("another", "Another service should have this", "The person is asked first. Nothing is passed on.",
           _A.REDIRECT_SUGGESTED, ("owner", "words"), frozenset({"words"}), "Which service, and why?"),
    Choice("signpost", "We can only say where else may help", "This stays open until somebody helps.", _A.SIGNPOSTED,
           ("owner", "words"), frozenset({"words"}), "Where else may help?"),
    Choice("check", "Please check this with the person", "You are not sure that it is the person's own view.",
           _A.NEEDS_INFO, ("owner", "words"), frozenset(), "What should be checked? (optional)", check=True),
    Choice("died", "We were told that the person has died", "Everything stops, and nobody is asked for anything.",
           _A.DECLINED, (), frozenset(), reasons=((PERSON_DIED, ""),)),
)  # fmt: skip

#: What can be said to a request to stop using it (R15), and to what follows a share.
STOPPING: Final = (
    Choice("stopped", "We have stopped using it", "", _A.COMPLETED, ("owner",), frozenset()),
    Choice("kept", "We must keep some of it", "", _A.DECLINED, ("words", "owner"), frozenset({"words"}),
           "What do you keep, and why?", reasons=(("must-keep-some", ""),)),
)  # fmt: skip
FOLLOWING: Final = (
    Choice("noted", "We have read this", "", _A.COMPLETED, ("owner",), frozenset()),
    next(each for each in CHOICES if each.say == "question"),
    next(each for each in CHOICES if each.say == "died"),
)


def choices_of(kind: str, *, coded_only: bool) -> tuple[Choice, ...]:
    """Return what can be said to a delivery of this kind; with `coded_only`, nothing that needs words (R72)."""
    listed = {"share": CHOICES, "please_stop_using": STOPPING}.get(kind, FOLLOWING)
    return tuple(each for each in listed if not coded_only or "words" not in each.needs or each.say == "kept")
