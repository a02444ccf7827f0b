"""Gates as data: a share may go to a service only where every precondition of its gates holds (R25 to R30, R63)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hub.domain.errors import Refusal
from hub.domain.precondition import Asserted, Closing, Cohort, NeverDirect, Precondition, Referrer, Steps, lacks
from hub.domain.share import Value

#: How every refusal by a gate begins: what is counted for the barrier report goes by it.
PREFIX = "gate-"


@dataclass(frozen=True, slots=True)
class Gate:
    """What a service asks for before anything is sent to it, in the order that it is checked."""

    id: str
    title: str
    preconditions: tuple[Precondition, ...]
    facts: frozenset[str] = field(init=False)  #: the names of the facts it asks for: no other travels

    def __post_init__(self) -> None:
        """Know once which facts are asked for."""
        object.__setattr__(self, "facts", frozenset(each for one in self.preconditions for each in asks_for(one)))


def asks_for(precondition: Precondition) -> tuple[str, ...]:
    """Return the names of the facts that a precondition reads, in its order."""
    match precondition:
        case Steps():
            return tuple(step.fact for step in precondition.steps)
        case Cohort() | Referrer() | NeverDirect():
            return ()
        case _:
            return (precondition.fact,)


def closed(gates: Iterable[Gate], partner: str, kind: str, role: str | None) -> tuple[Refusal, ...]:
    """Return why this sender may not send to the service at all, before anything about the person is read (R28, TH04).

    `role` is the author's, as the partner attests it; None asks about the partner as a whole, whatever the role.
    What comes back depends on the sender and the service alone, so that it is the same for every child.
    """
    return tuple(
        _refusal(each, "") for each in _of(gates) if isinstance(each, Closing) and _shuts(each, partner, kind, role)
    )


def refusals(gates: Iterable[Gate], asserted: Asserted, pointer: str) -> tuple[Refusal, ...]:
    """Return a refusal for each precondition on what the sender asserts that does not hold, in the order configured.

    Of several preconditions on one fact the first that fails is told: a later one narrows what an earlier one asks.
    `pointer` is the consent's.
    """
    told: set[str] = set()
    found: list[Refusal] = []
    for each in _of(gates):
        if isinstance(each, Closing) or (what := lacks(each, asserted)) is None:
            continue
        names = asks_for(each)
        if len(names) == 1 and names[0] in told:
            continue
        told.update(names[:1] if len(names) == 1 else ())
        found.append(_refusal(each, _pointer(each, pointer), what))
    return tuple(found)


def asked_only(gates: Sequence[Gate], facts: Mapping[str, Value]) -> dict[str, Value]:
    """Return the facts that these gates ask for: what nobody asked for is neither kept nor sent on (R30)."""
    wanted: Collection[str] = gates[0].facts if len(gates) == 1 else {each for gate in gates for each in gate.facts}
    return {name: value for name, value in facts.items() if name in wanted}


def cohorts(gates: Iterable[Gate]) -> tuple[Cohort, ...]:
    """Return the cohort rules among these gates: whatever they do, the answer is counted (R30)."""
    return tuple(each for each in _of(gates) if isinstance(each, Cohort))


def _of(gates: Iterable[Gate]) -> Iterator[Precondition]:
    return (each for gate in gates for each in gate.preconditions)


def _shuts(each: Closing, partner: str, kind: str, role: str | None) -> bool:
    if not isinstance(each, Referrer):
        return True
    return bool(
        (each.partners and partner not in each.partners)
        or (each.kinds and kind not in each.kinds)
        or (each.roles and role is not None and role not in each.roles)
    )


def _pointer(each: Precondition, pointer: str) -> str:
    match each:
        case Cohort():
            return "/three_of_five"
        case Steps():
            return f"{pointer}/facts"
        case _:
            return "".join(f"{pointer}/facts/{name}" for name in asks_for(each))


def _refusal(each: Precondition, pointer: str, what: str = "") -> Refusal:
    return Refusal(f"{PREFIX}{each.id}", each.title, f"{each.next_step} {what}".rstrip(), pointer=pointer)


def blocks(found: Iterable[Refusal]) -> tuple[str, ...]:
    """Return the types of those refusals that are a gate's, each once: they are counted, without a person (R25)."""
    return tuple(dict.fromkeys(each.type for each in found if each.type.startswith(PREFIX)))
