"""Gates as an instance names them: checked against its partners and services, and made into what decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from hub.domain.gate import Gate
from hub.domain.precondition import (
    Age,
    Cohort,
    Dated,
    Equals,
    NeverDirect,
    OneOf,
    Pattern,
    Precondition,
    Referrer,
    Step,
    Steps,
)
from hub.sdk.gate import (
    AgeTable,
    CohortTable,
    DatedTable,
    EqualsServiceTable,
    EqualsTable,
    GateTable,
    NeverDirectTable,
    OneOfTable,
    PatternTable,
    PreconditionTable,
    ReferrerTable,
    SequenceTable,
)


class Gated(Protocol):
    """What of a service its gates look at."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def area(self) -> str: ...
    @property
    def gates(self) -> tuple[str, ...]: ...
    @property
    def confidential(self) -> bool: ...


def faults(gates: Mapping[str, GateTable], services: Iterable[Gated], partners: Collection[str]) -> list[str]:
    """Return what is wrong between gates, services and partners, each with its file and key.

    A gate that no service names is read but not compared: those that ship name partners of no instance.
    """
    by_id = {service.id: service for service in services}
    wrong: dict[str, None] = {}
    for service in by_id.values():
        at = f"services/{service.id}.toml"
        for name in service.gates:
            if name not in gates:
                wrong[f"{at}: gates: there is no gates/{name}.toml"] = None
        named = [(name, gates[name]) for name in service.gates if name in gates]
        for name, gate in named:
            for index, each in enumerate(gate.preconditions):
                where = f"gates/{name}.toml: preconditions.{index}"
                wrong.update(dict.fromkeys(_astray(where, each, by_id, partners)))
                wrong.update(dict.fromkeys(unsaid(each, service)))
        ids = [each.id for _, gate in named for each in gate.preconditions]
        for each_id in sorted({each for each in ids if ids.count(each) > 1}):
            wrong[f"{at}: gates: two of them have a precondition {each_id}"] = None
    return list(wrong)


def _astray(
    where: str, each: PreconditionTable, services: Mapping[str, Gated], partners: Collection[str]
) -> Iterator[str]:
    if each.reroute_to is not None and each.reroute_to not in services:
        yield f"{where}.reroute_to: there is no service {each.reroute_to}"
    elif each.reroute_to is not None and services[each.reroute_to].confidential:
        yield f"{where}.reroute_to: {each.reroute_to} is confidential, and a next step would name it"
    if isinstance(each, ReferrerTable):
        for partner in each.partners:
            if partner not in partners:
                yield f"{where}.partners: {partner} is not in the partnership"


def unsaid(each: PreconditionTable, service: Gated) -> Iterator[str]:
    """Say what a service leaves out that a precondition compares a fact with."""
    if isinstance(each, EqualsServiceTable) and not getattr(service, each.equals_service):
        yield (
            f"services/{service.id}.toml: missing are {each.equals_service} "
            f"(what the person chose is compared with it by the gate {each.id})"
        )


def made(
    name: str, title: str, tables: Iterable[PreconditionTable], service: Gated, services: Mapping[str, str]
) -> Gate:
    """Return a gate as it stands for one service; `services` are the names of those that a next step may offer."""
    return Gate(name, title, tuple(_precondition(each, service, services) for each in tables))


def _precondition(  # noqa: PLR0911 - one for each kind
    table: PreconditionTable, service: Gated, services: Mapping[str, str]
) -> Precondition:
    next_step = table.next_step
    if table.reroute_to is not None:
        next_step += f" Or ask if they want {services[table.reroute_to]}."
    told = {"id": table.id, "title": table.title, "next_step": next_step}
    match table:
        case EqualsTable():
            return Equals(**told, fact=table.fact, value=table.equals)
        case EqualsServiceTable():
            return Equals(**told, fact=table.fact, value=getattr(service, table.equals_service))
        case PatternTable():
            return Pattern(**told, fact=table.fact, pattern=table.pattern)
        case OneOfTable():
            return OneOf(**told, fact=table.fact, values=table.values)
        case AgeTable():
            return Age(**told, fact=table.fact, at_least=table.at_least, at_most=table.at_most)
        case DatedTable():
            return Dated(**told, fact=table.fact)
        case SequenceTable():
            return Steps(**told, steps=tuple(Step(step.fact, step.name) for step in table.steps))
        case CohortTable():
            return Cohort(**told, rule=table.rule)
        case ReferrerTable():
            return Referrer(
                **told,
                partners=frozenset(table.partners),
                kinds=frozenset(table.partner_kinds),
                roles=frozenset(table.roles),
            )
        case NeverDirectTable():
            return NeverDirect(**told)
