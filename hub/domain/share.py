"""A share: what one person agreed to send through someone they trust, in labelled sections (architecture section 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

#: Anything the case system does not name is refused, so that nothing travels by accident (read by the strict parser).
_STRICT = {"extra": "forbid"}

Value = str | bool | int | list[str]


class Category(StrEnum):
    """The labels a section can carry; an unlabelled section is withheld (R17)."""

    IDENTITY = "identity"
    CONTACT = "contact"
    LOCATION = "location"
    IN_THEIR_WORDS = "in_their_words"
    GOAL = "goal"
    APPROACH = "approach"
    PLAN_REFERENCE = "plan_reference"
    HOUSING = "housing"
    MENTAL_HEALTH = "mental_health"
    PHYSICAL_HEALTH = "physical_health"
    SUBSTANCE_USE = "substance_use"
    DOMESTIC_ABUSE = "domestic_abuse"
    OFFENDING = "offending"
    CHILDREN = "children"
    MONEY = "money"
    WORK_AND_LEARNING = "work_and_learning"
    SAFETY = "safety"
    ABOUT_SOMEONE_ELSE = "about_someone_else"


class HandlingLine(StrEnum):
    """What whoever opens a delivery must take care of, in records that a household can see (R66)."""

    HIDE_FROM_ONLINE_RECORD = "hide_from_online_record"
    DO_NOT_DISCLOSE_TO_HOUSEHOLD = "do_not_disclose_to_household"
    DO_NOT_DISCLOSE_TO_OTHER_PARENT = "do_not_disclose_to_other_parent"


#: Carried by every share that does not say otherwise, so that nobody has to know of abuse (R62, R66).
FOR_EVERYONE = (HandlingLine.HIDE_FROM_ONLINE_RECORD, HandlingLine.DO_NOT_DISCLOSE_TO_HOUSEHOLD)


@dataclass(frozen=True, slots=True)
class Plan:
    """The person's one plan, which a partner's system keeps: where it is and which version was looked at (R20)."""

    __pydantic_config__ = _STRICT

    reference: str
    version: str


@dataclass(frozen=True, slots=True)
class Said:
    """Who said a statement, how the worker came to know it, and when (R39)."""

    __pydantic_config__ = _STRICT

    by: str
    how: Literal["heard_directly", "passed_on", "observed"]
    on: date


@dataclass(frozen=True, slots=True)
class Section:
    """One labelled part of the story: fields, words, or both; no category means that it is withheld (R17)."""

    __pydantic_config__ = _STRICT

    id: str
    category: Category | None = None
    fields: dict[str, Value] = field(default_factory=dict)
    text: str = ""
    said: Said | None = None
    words_checked: bool = False


@dataclass(frozen=True, slots=True)
class RoleContact:
    """How to reach the trusted person: a role, never a worker's private details (R11)."""

    __pydantic_config__ = _STRICT

    role: str
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class TrustedPerson:
    """Who the person chose: a person, group, place, service or organisation (R02)."""

    __pydantic_config__ = _STRICT

    reference: str
    kind: Literal["person", "group", "place", "service", "organisation"]
    name: str
    contact: RoleContact
    can_see: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Person:
    """The person, as the sending partner's own opaque reference; never matched across partners."""

    __pydantic_config__ = _STRICT

    reference: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The worker's one statement that nothing suggests the choice of trusted person is unsafe (R04)."""

    __pydantic_config__ = _STRICT

    discussed_with: str
    nothing_suggests_unsafe: bool


@dataclass(frozen=True, slots=True)
class BestInterests:
    """Who decided for somebody who could not today, as a role, and on what basis, as a code (R12)."""

    __pydantic_config__ = _STRICT

    role: str
    basis: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """When and how they agreed, who did, that they could decide and knew what may follow (R12, R22, R68).

    `young_person_refused`: a parent's yes does not replace a young person's no (R22).
    """

    __pydantic_config__ = _STRICT

    on: date
    how: Literal["spoken", "written", "signed"]
    able_to_decide: Literal["yes", "not_sure", "no_best_interests"]
    duties_explained: bool
    notice: str
    by: Literal["person", "young_person", "parent_or_carer", "both"] = "person"
    young_person_refused: bool = False
    best_interests: BestInterests | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """A grant to one service: what it may see, why, until when, and what may come back (R13).

    `answer` no is kept as what the person said, and permits nothing. `ticked` are categories that go only when ticked
    by themselves, each with the reason in words (R67, R72). `replaces` is the reference of an earlier grant to the same
    service, which this one takes the place of.
    """

    __pydantic_config__ = _STRICT

    reference: str
    service: str
    categories: list[Category]
    purpose: str
    agreed: Agreed
    until: date
    returns: list[Literal["state", "owner", "next_step", "reason", "text"]]
    may_see_other_recipients: bool = False
    location_ok: bool = False
    facts: dict[str, Value] = field(default_factory=dict)
    answer: Literal["yes", "no"] = "yes"
    ticked: dict[Category, str] = field(default_factory=dict)
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """Asks for what a partnership's override policy lets go without a yes: by its basis, and only this (R23)."""

    __pydantic_config__ = _STRICT

    basis: str
    categories: list[Category]


@dataclass(frozen=True, slots=True)
class Share:
    """One telling, for one or more services; `services` defaults to those that the consents name.

    `at_risk_now` is asked of every share (R23). `handling` are lines for whoever opens it (R66), `keep_from` workers of
    a receiver who may not see it (TH02). `withhold_author` keeps a worker's name out of every parcel (R11).
    `redirected_from` is the delivery whose answer named another service (R33). `override` asks for what no consent in
    it is for: without a policy it asks for nothing (R23).
    """

    __pydantic_config__ = _STRICT

    reference: str
    person: Person
    trusted_person: TrustedPerson
    choice: Choice
    sections: list[Section]
    consents: list[Consent]
    at_risk_now: bool
    services: list[str] | None = None
    ask: Literal["act", "know", "meet"] = "act"
    urgent: bool = False
    three_of_five: Literal["yes", "no", "not_said"] = "not_said"
    like_a_hand: bool = False
    withhold_author: bool = False
    handling: list[HandlingLine] = field(default_factory=lambda: list(FOR_EVERYONE))
    keep_from: list[str] = field(default_factory=list)
    plan: Plan | None = None
    redirected_from: str | None = None
    override: Override | None = None

    @property
    def addressed(self) -> tuple[str, ...]:
        """The services this share is for, each once, in the order given."""
        named = self.services if self.services is not None else [c.service for c in self.consents]
        return tuple(dict.fromkeys(named))
