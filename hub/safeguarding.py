"""The table of an override policy, which a partnership may adopt in its file and by nothing else (R23)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hub.domain.override import NEVER, OverridePolicy
from hub.domain.share import Category

#: What a sender can name in a share.
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}$")]
Role = Annotated[str, StringConstraints(pattern=r"^[^\W\d_]+(?:[ -][^\W\d_]+)*$", max_length=60)]


class OverrideTable(BaseModel):
    """What may go without a yes while someone is at risk, and who must agree; without this table, nothing (R23)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    basis: Reference
    services: Annotated[tuple[str, ...], Field(min_length=1)]  #: these alone, such as the adult MASH's own
    categories: Annotated[tuple[Category, ...], Field(min_length=1)]  #: the most that may go
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]  #: what the second person must be, as their partner attests
    agreed_on: date
    assessment: Reference
    location_ok: bool = False  #: also where somebody is

    @model_validator(mode="after")
    def _no_more_than_may_ever_go(self) -> Self:
        if not NEVER.isdisjoint(self.categories):
            raise ValueError("categories may hold neither about_someone_else nor offending: they need a yes")
        if Category.LOCATION in self.categories and not self.location_ok:
            raise ValueError("location_ok must be true where categories hold location")
        return self

    def lacks(self, services: Collection[str]) -> str:
        """Say which of its services are not among these; nothing where all are."""
        return ", ".join(f"{each} is not there" for each in self.services if each not in services)


def policy(table: OverrideTable | None) -> OverridePolicy | None:
    """Return the policy that a partnership adopted; None where it adopted none."""
    if table is None:
        return None
    return OverridePolicy(
        basis=table.basis,
        services=frozenset(table.services),
        categories=frozenset(table.categories),
        roles=frozenset(role.casefold() for role in table.roles),
        agreed_on=table.agreed_on,
        assessment=table.assessment,
        location_ok=table.location_ok,
    )
