"""A connection's settings: the base class of what partner IT fills in, refusing what it does not know."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Subclass it in a connector; secrets do not belong here: name them in the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
