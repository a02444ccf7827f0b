"""What can go wrong, grouped by what the caller does next; no text here ever echoes a value that was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Origin = Literal["sender", "hub", "receiver"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something may not go, in words a worker understands (R12, R25).

    `type` is stable and machine readable, `pointer` is an RFC 6901 JSON pointer into what was sent, `link` where to
    look.
    """

    type: str
    title: str
    next_step: str
    origin: Origin = "sender"
    pointer: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document, at a JSON pointer; `detail` names the rule, never the value."""

    pointer: str
    detail: str


class HubError(Exception):
    """Root of the hub's own errors; carries a `Refusal` so that every face can explain it the same way."""

    def __init__(self, refusal: Refusal, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(refusal.type)
        self.refusal = refusal
        self.faults = faults


class Malformed(HubError):
    """The document is wrong: mend it and send it again."""


class Unauthenticated(HubError):
    """The caller did not prove who it is: get a fresh token or assertion and send again."""


class Forbidden(HubError):
    """The caller is known and may not do this: the refusal says who to ask."""


class NotFound(HubError):
    """Nothing there for this caller: another partner's object looks the same as none (TH02)."""


class Conflict(HubError):
    """It contradicts what the hub already holds, or the same request is still in flight."""


class Unavailable(HubError):
    """The hub cannot keep a promise right now (store full or down): nothing was accepted, try again."""


class IllegalTransition(Exception):
    """A state table has no such move: a defect in the hub, never a sender's or a partner's fault."""


class Undecipherable(Exception):
    """Stored data does not open: altered, moved to another row, or its key is gone; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MissingLeaf(HubError):
    """A target document needs something that this consent does not give: a refusal at submit (architecture 9).

    `path` is an RFC 6901 pointer into the target document; `categories` are those that could have filled it, none
    where it comes from the consent, the service or the sender.
    """

    def __init__(self, path: str, categories: tuple[str, ...]) -> None:
        super().__init__(_incomplete(categories))
        self.path = path
        self.categories = categories


#: What a worker may ask the person to let a service know, by category: "Ask if it may know …".
ABOUT: Final = {
    "identity": "who they are",
    "contact": "how to reach them",
    "location": "where they are",
    "in_their_words": "what they say in their own words",
    "goal": "what they want",
    "approach": "what helps and what does not",
    "plan_reference": "about their plan",
    "housing": "about their housing",
    "mental_health": "about their mental health",
    "physical_health": "about their physical health",
    "substance_use": "about their use of drink or drugs",
    "domestic_abuse": "about abuse by someone close to them",
    "offending": "about the police and the courts",
    "children": "about their children",
    "money": "about their money",
    "work_and_learning": "about their work and learning",
    "safety": "about their safety",
    "about_someone_else": "about someone else",
}


#: More than these nobody asks for in one breath.
_AT_ONCE = 3


def _incomplete(categories: tuple[str, ...]) -> Refusal:
    if not categories:
        return Refusal(
            "document-incomplete",
            "Something this service needs is missing from your organisation's details.",
            "Ask your champion.",
        )
    about = " or ".join(ABOUT[each] for each in categories) if len(categories) <= _AT_ONCE else "more about them"
    return Refusal(
        "document-incomplete",
        "This service needs something that is not in what the person agreed to share.",
        f"Ask the person if this service may know {about}. If so, fill that part in: it needs more.",
    )
