"""Gates for tests: those that ship, as they stand for one service, and what a sender asserts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from hub import gates
from hub.domain.gate import Gate, refusals
from hub.domain.precondition import Asserted
from hub.partnership import shipped
from hub.sdk.gate import GateTable

SHIPPED = ("complex-needs-housing", "duty-to-refer", "trusted-relationships")


@dataclass(frozen=True, slots=True)
class GatedService:
    """A service as its gates look at it."""

    id: str = "gated"
    name: str = "Gated service"
    address: str = "gated"
    area: str = "E07000008"
    gates: tuple[str, ...] = ()
    confidential: bool = False


def shipped_gate(name: str, *, area: str = "E07000008") -> Gate:
    """Return a gate that ships, as it stands for a service of an area."""
    text = (shipped("config") / "gates" / f"{name}.toml").read_text(encoding="utf-8")
    return gate_of(name, tomllib.loads(text), area=area)


def gate_of(name: str, document: dict[str, Any], *, area: str = "E07000008") -> Gate:
    """Return the gate that a file's document says."""
    table = GateTable.model_validate(document)
    return gates.made(name, table.title, table.preconditions, GatedService(area=area), {"other": "Other"})


def types(
    gate: Gate,
    facts: dict[str, Any],
    on: date = date(2026, 11, 20),
    three_of_five: Literal["yes", "no", "not_said"] = "not_said",
) -> list[str]:
    """Return the types of what a gate refuses, in its order."""
    return [each.type for each in refusals([gate], Asserted(facts, three_of_five, on), "/consents/0")]


#: What a case-holder asserts of a child for whom every step was taken.
TR_FACTS: dict[str, Any] = {
    "birth_date": "2010-05-04",
    "risk_status": "Medium",
    "open_on": "2026-06-01",
    "cera_done_on": "2026-09-01",
    "mace_level_1_on": "2026-09-15",
    "suggested_on": "2026-10-01",
    "agreed_on": "2026-11-18",
    "cera_reference": "CERA-2026-0412",
}
