"""Compare two versions of a configuration: what each decides of the same made-up shares, sender by sender (R31)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from hub.domain.route import Directory, Partner
from hub.domain.share import (
    Agreed,
    Category,
    Choice,
    Consent,
    Person,
    RoleContact,
    Said,
    Section,
    Share,
    TrustedPerson,
    Value,
)
from hub.services.decide import Sender, decide


@dataclass(frozen=True, slots=True)
class Fixture:
    """A made-up share: what its sender asserts and how it was agreed; it tells one section of every category.

    `roles` are those of the authors that it is tried with, `on` is the London day on which it is sent.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    on: date
    facts: dict[str, Value] = field(default_factory=dict)
    roles: list[str] = field(default_factory=lambda: ["key worker"])
    three_of_five: Literal["yes", "no", "not_said"] = "not_said"
    able_to_decide: Literal["yes", "not_sure"] = "yes"
    agreed_by: Literal["person", "young_person", "parent_or_carer", "both"] = "person"
    duties_explained: bool = True
    categories: list[Category] = field(default_factory=lambda: list(Category))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is decided: which categories go, or in plain words why nothing does."""

    goes: frozenset[str]
    why: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The outcome as a person reads it."""
        return f"goes with {', '.join(sorted(self.goes))}" if self.goes else " ".join(self.why)


@dataclass(frozen=True, slots=True)
class Difference:
    """One decision that is not what it was; `opens` where more goes than before."""

    fixture: str
    partner: str
    role: str
    service: str
    before: Outcome
    after: Outcome

    @property
    def opens(self) -> bool:
        """Whether something goes that did not."""
        return not self.after.goes <= self.before.goes


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs, of so many decisions."""

    decisions: int
    differences: tuple[Difference, ...]


NO_SERVICE = Outcome(frozenset(), ("There is no such service.",))
NO_PARTNER = Outcome(frozenset(), ("This sender is not in the partnership.",))


def compare(before: Directory, after: Directory, fixtures: Mapping[str, Fixture]) -> Comparison:
    """Decide every fixture for every service, from every partner and role, with each version."""
    tried = list(_every(before, after, fixtures))
    found = []
    for name, role, partner, service in tried:
        share = _share(fixtures[name], before, after, service)
        at = datetime.combine(fixtures[name].on, time(12), tzinfo=UTC)
        was, now = (_outcome(each, share, partner, role, at) for each in (before, after))
        if was != now:
            found.append(Difference(name, partner, role, service, was, now))
    return Comparison(len(tried), tuple(found))


def _every(before: Directory, after: Directory, fixtures: Mapping[str, Fixture]) -> Iterator[tuple[str, str, str, str]]:
    partners = sorted({*before.partners, *after.partners})
    services = sorted({*before.services, *after.services})
    for name, fixture in fixtures.items():
        for role in fixture.roles:
            yield from ((name, role, partner, service) for partner in partners for service in services)


def _outcome(directory: Directory, share: Share, partner: str, role: str, at: datetime) -> Outcome:
    if directory.route(share.addressed[0]) is None:
        return NO_SERVICE
    if partner not in directory.partners:
        return NO_PARTNER
    (verdict,) = decide(share, _sender(directory.partners[partner], role), directory, at)
    if verdict.refusals or verdict.view is None:
        return Outcome(frozenset(), tuple(each.title for each in verdict.refusals))
    return Outcome(frozenset(str(section.category) for section in verdict.view.sections))


def _sender(partner: Partner, role: str) -> Sender:
    return Sender(partner, "config-check", "config-check", role)


def _share(fixture: Fixture, before: Directory, after: Directory, service: str) -> Share:
    """A share agreed the day before, for the first of what the service did: what it does now may be something else."""
    purposes = (before.services.get(service) or after.services[service]).purposes
    agreed_on = fixture.on - timedelta(days=1)
    consent = Consent(
        reference="c-1",
        service=service,
        categories=fixture.categories,
        purpose=purposes[0] if purposes else "none",
        agreed=Agreed(agreed_on, "spoken", fixture.able_to_decide, fixture.duties_explained, "v1", fixture.agreed_by),
        until=fixture.on + timedelta(days=30),
        returns=["state"],
        facts=fixture.facts,
        ticked=dict.fromkeys(fixture.categories, "They want this to be known."),
    )
    said = Said("the person", "heard_directly", agreed_on)
    sections = [
        Section(f"s{number}", category, {}, "Something that was said.", said, words_checked=True)
        for number, category in enumerate(Category)
    ]
    return Share(
        reference="check-1",
        person=Person("check-1"),
        trusted_person=TrustedPerson("check-1", "person", "Somebody", RoleContact("Somebody")),
        choice=Choice("nobody", nothing_suggests_unsafe=True),
        sections=sections,
        consents=[consent],
        at_risk_now=False,
        three_of_five=fixture.three_of_five,
    )
