"""How a pack lets itself be tried: `conformance.toml` in its package, plain data that the kit fills in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

FILE = "conformance.toml"

_WORD = re.compile(r"\{([a-z_]+)\}")


class Trial(BaseModel):
    """`[<connector>]` in `conformance.toml`; `{words}` in its texts are filled in by the kit.

    `sandbox` is the module that plays the partner, `partner` its own settings. `settings` and `secrets` are those of
    the connection. `say` makes the partner answer; where files are dropped it is one row of an answer. A request is the
    parcel's when `parcel_path` stands in its path.
    Where the connector makes a page for people of the parcel's document, it `arrives_as` "page".
    `echoes` are headers that this partner's protocol sends back with every reply, `refusal` the body of a refusal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    sandbox: str = ""
    address: str = ""
    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    partner: dict[str, Any] = {}
    say: dict[str, Any] = {}
    token_path: str = "/oauth/token"  # noqa: S105 - a path, and no token
    parcel_path: str = ""
    arrives_as: Literal["bytes", "page"] = "bytes"
    echoes: tuple[str, ...] = ()
    refusal: str = ""
    issuer: str = "sandbox-partner"


def read_trials(package: Path) -> dict[str, Trial]:
    """Return a pack's trials by connector; raises `ValueError` for a file that breaks the rules, `OSError` for none."""
    tables = tomllib.loads((package / FILE).read_text(encoding="utf-8"))
    return {name: Trial.model_validate(table) for name, table in tables.items()}


def filled(value: Any, words: Mapping[str, str]) -> Any:
    """Return a value with every `{word}` of the kit's in it replaced, also inside tables and lists."""
    if isinstance(value, str):
        return _WORD.sub(lambda found: words.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {key: filled(each, words) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, words) for each in value]
    return value
