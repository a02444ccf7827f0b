"""How long a rung may take, as every file that may say so says it (R43)."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from hub.config.table import Table

LevelName = Literal["L1", "L2", "L3", "L4"]


class WindowTable(Table):
    """How long a rung may take, in one unit."""

    minutes: int | None = Field(default=None, ge=1)
    hours: int | None = Field(default=None, ge=1)  #: by day and night, such as a safeguarding clock's
    working_hours: int | None = Field(default=None, ge=1)
    working_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("name one of minutes, hours, working_hours and working_days")
        return self


class ClockTable(Table):
    """Windows with who agreed them and when (R43)."""

    agreed_by: str
    agreed_on: date
    standard: dict[LevelName, WindowTable] = Field(default_factory=dict)
    urgent: dict[LevelName, WindowTable] = Field(default_factory=dict)
    safety: dict[LevelName, WindowTable] = Field(default_factory=dict)  #: where someone is at risk now
