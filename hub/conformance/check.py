"""What a check is: its name, its rule, what it needs of a pack to apply, and how it says what is wrong and where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

if TYPE_CHECKING:
    from hub.conformance.stand import Stand
    from hub.conformance.subject import Subject

Tier = Literal["bronze", "silver", "gold"]
TIERS: tuple[Tier, ...] = ("bronze", "silver", "gold")
Need = Literal[
    "http", "callback", "token", "reconcile", "dedupes", "poll", "mapping", "invite", "mesh", "receipt", "file"
]
Run = Callable[["Stand"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to mend something: a file, and a line of it."""

    file: Path
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Fault(Exception):
    """A pack breaks a rule; `what` is wrong at `place`, and `fix` mends it. Holds no value that a person gave."""

    def __init__(self, what: str, place: Place, fix: str) -> None:
        super().__init__(f"{place}: {what}\n    mend it: {fix}")
        self.what, self.place, self.fix = what, place, fix


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the kit; `rule` is the line of the quality scale that it proves, `at` the method it blames."""

    name: str
    rule: str
    says: str
    run: Run
    needs: tuple[Need, ...] = ()

    def exempt(self, subject: Subject) -> str:
        """Return why this check cannot apply to a connector, from its manifest; "" when it applies."""
        return next((why for need in self.needs if (why := subject.lacks(need))), "")


CHECKS: dict[str, Check] = {}


def check(rule: str, *needs: Need) -> Callable[[Run], Run]:
    """Enter a function as a check: its name is the function's, what it says the first line of its docstring."""

    def enter(run: Run) -> Run:
        name = run.__name__.replace("_", "-")
        CHECKS[name] = Check(name, rule, (run.__doc__ or "").strip().splitlines()[0], run, needs)
        return run

    return enter


def every_check() -> tuple[Check, ...]:
    """Return every check there is, in the order of the kit's modules."""
    from hub.conformance import answers, failures, files, guards, mesh, sending, written  # noqa: F401, PLC0415 - they enter themselves

    return tuple(CHECKS.values())


def wrong(what: str, place: Place, fix: str) -> NoReturn:
    """End a check: this is wrong, there, and that mends it."""
    raise Fault(what, place, fix)
