"""What a gate may say, as data: each kind of precondition with its own keys, in a gate's file or a manifest."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hub.domain.precondition import FIVE


def _is_none_of_the_five(name: str) -> str:
    if name in FIVE:
        raise ValueError("none of the five is ever asked for: ask for three of five with the kind cohort (R30)")
    return name


def _is_a_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error:
        raise ValueError("is not a pattern that can be read") from None
    return text


GateId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,60}$")]
FactName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$"), AfterValidator(_is_none_of_the_five)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Years = Annotated[int, Field(ge=0, le=130)]
Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Precondition(_Table):
    """What every precondition says: a stable id, and in plain words what it asks for and what to do without it.

    `reroute_to` is a service of the same instance that the next step then offers.
    """

    id: GateId
    title: Words
    next_step: Words
    reroute_to: GateId | None = None


class EqualsTable(_Precondition):
    """A fact is just this value."""

    kind: Literal["equals"]
    fact: FactName
    equals: bool | str


class EqualsServiceTable(_Precondition):
    """A fact is what the service says of itself."""

    kind: Literal["equals_service"]
    fact: FactName
    equals_service: Literal["id", "address", "area"]


class PatternTable(_Precondition):
    """A fact is text that matches all of a pattern."""

    kind: Literal["pattern"]
    fact: FactName
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_is_a_pattern)]


class OneOfTable(_Precondition):
    """A fact is one of these words."""

    kind: Literal["one_of"]
    fact: FactName
    values: Annotated[tuple[Named, ...], Field(min_length=1)]


class AgeTable(_Precondition):
    """A fact is a birth date or an age in years, within these bounds on the day it is sent."""

    kind: Literal["age"]
    fact: FactName
    at_least: Years | None = None
    at_most: Years | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("name at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is above at_most: nobody could pass")
        return self


class DatedTable(_Precondition):
    """A fact is the day on which something was done."""

    kind: Literal["dated"]
    fact: FactName


class StepTable(_Table):
    """One step of an order: the fact that is its date, and what it is called."""

    fact: FactName
    name: Words


class SequenceTable(_Precondition):
    """Steps that were all taken, in this order."""

    kind: Literal["sequence"]
    steps: tuple[StepTable, ...]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        names = [step.fact for step in self.steps]
        if len(names) < 2:
            raise ValueError("an order has two steps or more")
        if len(set(names)) < len(names):
            raise ValueError("each step has a fact of its own")
        return self


class CohortTable(_Precondition):
    """Three of the five: `tag` counts the answer, `require` refuses any but yes."""

    kind: Literal["cohort"]
    rule: Literal["tag", "require"]


class ReferrerTable(_Precondition):
    """Who may send: checked first, before anything about the person is read."""

    kind: Literal["referrer"]
    partners: tuple[GateId, ...] = ()
    partner_kinds: tuple[Literal["charity", "public_body", "health", "other"], ...] = ()
    roles: tuple[Named, ...] = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.partners or self.partner_kinds or self.roles):
            raise ValueError("name partners, partner_kinds or roles")
        return self


class NeverDirectTable(_Precondition):
    """Nobody sends to this service directly; the next step says where to go."""

    kind: Literal["never_direct"]


#: Those that may stand in a manifest, where no partner and no other service is known.
FactPrecondition = Annotated[
    EqualsTable | EqualsServiceTable | PatternTable | OneOfTable | AgeTable | DatedTable | SequenceTable,
    Field(discriminator="kind"),
]
PreconditionTable = Annotated[
    EqualsTable
    | EqualsServiceTable
    | PatternTable
    | OneOfTable
    | AgeTable
    | DatedTable
    | SequenceTable
    | CohortTable
    | ReferrerTable
    | NeverDirectTable,
    Field(discriminator="kind"),
]


class GateTable(_Table):
    """`gates/<name>.toml`: what a service that names it asks for, in the order that it is checked."""

    title: Words
    preconditions: Annotated[tuple[PreconditionTable, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        ids = [each.id for each in self.preconditions]
        if len(set(ids)) < len(ids):
            raise ValueError("each precondition has an id of its own")
        return self
