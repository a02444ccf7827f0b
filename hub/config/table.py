"""What the files of an instance are written in: how a table is read, and the shapes of names, codes and secrets."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ().,:/_-]{0,79}$")]
SecretRef = Annotated[str, StringConstraints(pattern=r"^(file|env):.+$")]


class ConfigurationError(Exception):
    """The configuration is wrong: the message names file and field, and what to do."""


class Table(BaseModel):
    """What every table is: no setting that is not known, nothing changed after it was read, no input in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
