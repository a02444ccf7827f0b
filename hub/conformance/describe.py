"""What a connector's class is, told by a process of its own, so that the kit's never imports a pack."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from hub.conformance.check import Place
from hub.sdk.connector import Connector

#: What takes long to import, or has no place in a host: servers, clients, models of whole standards, test tools.
HEAVY = frozenset({"fastapi", "fhir", "httpx", "pytest", "requests", "sqlalchemy", "starlette", "uvicorn"})
VERBS = ("check", "deliver", "reconcile", "parse_callback", "collect", "acknowledge")


class CannotImport(Exception):
    """The pack's module does not import; the message is what Python says of it."""


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A registered class: where it and its verbs stand, which it brings itself, and its settings by name."""

    name: str
    place: Place
    verbs: dict[str, Place] = field(default_factory=dict)
    settings: dict[str, bool] = field(default_factory=dict)  #: name -> whether it must be given
    strict: bool = True
    heavy: tuple[str, ...] = ()  #: libraries that its import loads, and that a host should not wait for

    def at(self, verb: str) -> Place:
        """Return where a verb is written, or its class where it is inherited."""
        return self.verbs.get(verb, self.place)


def describe(module: str, paths: tuple[str, ...]) -> dict[str, ClassFacts]:
    """Return what a pack's module registers, by connector id; raises `CannotImport`."""
    told = subprocess.run(  # noqa: S603 - our own module, and the pack that is being tried
        [sys.executable, "-B", "-m", "hub.conformance.describe", module, *paths],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    if told.returncode:
        raise CannotImport((told.stderr.strip().splitlines() or ["no reason given"])[-1])
    return {name: _read(facts) for name, facts in json.loads(told.stdout).items()}


def _read(facts: dict[str, Any]) -> ClassFacts:
    verbs = {verb: Place(Path(file), line) for verb, (file, line) in facts["verbs"].items()}
    file, line = facts["place"]
    return ClassFacts(
        facts["name"], Place(Path(file), line), verbs, facts["settings"], facts["strict"], tuple(facts["heavy"])
    )


def _tell(module: str) -> dict[str, Any]:
    offered: dict[str, type[Connector[Any]]] = {}
    import_module(module).register_connectors(offered.__setitem__)
    heavy = sorted(HEAVY & set(sys.modules))
    return {name: _facts(offer) | {"heavy": heavy} for name, offer in offered.items()}


def _facts(offer: type[Connector[Any]]) -> dict[str, Any]:
    fields = offer.settings_type.model_fields
    brought = {verb: getattr(offer, verb) for verb in VERBS if getattr(offer, verb) is not getattr(Connector, verb)}
    return {
        "name": offer.__name__,
        "place": _place(offer),
        "verbs": {verb: _place(function) for verb, function in brought.items()},
        "settings": {name: each.is_required() for name, each in fields.items()},
        "strict": offer.settings_type.model_config.get("extra") == "forbid",
    }


def _place(thing: Any) -> tuple[str, int]:
    return inspect.getsourcefile(thing) or "", inspect.getsourcelines(thing)[1]


if __name__ == "__main__":
    sys.path[:0] = sys.argv[2:]
    print(json.dumps(_tell(sys.argv[1])))
