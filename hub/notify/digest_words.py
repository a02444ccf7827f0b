"""The words of mails that hold many: what each is called, its link, and how many more there are (TH15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.notify.words import NO_REPLY, Words

#: One line of a mail for many: what happened with its reference, and a link or none.
Line = tuple[str, str]

_NAMES_NOBODY: Final = "To keep people's stories private, this email and its links name nobody."
_LAST: Final = "This is the last of these emails for an hour. What comes up until then waits, and is in your list now."
_OUTAGE: Final = (
    "Some of it cannot get to a team just now. We keep trying. While that lasts we write about it once a day, and when "
    "it is over. What is urgent, or about safety, still comes at once."
)


def digest(lines: Sequence[Line], total: int, listed: str, *, not_there: bool, last: bool) -> Words:
    """Tell a reader of many at once; `listed` says where all of them are, for there are `total`."""
    more = total - len(lines)
    parts = [
        f"There are {total} things for you to look at." if total > 1 else "There is 1 thing for you to look at.",
        *([_OUTAGE] if not_there else []),
        "\n".join(f"- {said}\n  {link}" if link else f"- {said}" for said, link in lines),
        *([f"There are {more} more. {listed}"] if more > 0 else [listed]),
        *([_LAST] if last else []),
        f"{_NAMES_NOBODY}\n{NO_REPLY}",
    ]
    return Words(f"{total} things to look at" if total > 1 else "1 thing to look at", _paragraphs(parts))


def outage_ended(number: int, listed: str) -> Words:
    """Tell a reader that what could not get to a team is there now; `number` is how many there were in all."""
    parts = [
        "We can get to a team again that we could not reach.",
        f"{number} things were waiting. All of them have gone, or somebody is looking at them.",
        f"There is nothing you must do. {listed}",
        f"{_NAMES_NOBODY}\n{NO_REPLY}",
    ]
    return Words(f"It works again: {number} things have gone", _paragraphs(parts))


def _paragraphs(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"
