"""What can go wrong, grouped by what the caller does next; no text here ever echoes a value that was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["sender", "hub", "receiver"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something may not go, in words a worker understands (R12, R25).

    `type` is stable and machine readable, `pointer` is an RFC 6901 JSON pointer into what was sent.
    """

    type: str
    title: str
    next_step: str
    origin: Origin = "sender"
    pointer: str = ""


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
        named = " or ".join(category.replace("_", " ") for category in categories)
        super().__init__(
            Refusal(
                type="document-incomplete",
                title="This service needs something that is not in what the person agreed to share.",
                next_step=f"Ask the person if this service may see, and fill in: {named}."
                if named
                else "Ask who looks after this connection: the consent, service or sender lacks something it needs.",
            )
        )
        self.path = path
        self.categories = categories
