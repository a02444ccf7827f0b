"""How each configured connection stands: ready, held, or without a plugin that may run, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hub.config import Configuration
    from hub.host.discovery import Found

State = Literal["ready", "held", "not allowed"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A connection and how it stands; `why` is empty when it is ready, else words that name the next step."""

    id: str
    service: str
    plugin: str
    connector: str
    state: State
    why: str


def standings(
    configuration: Configuration,
    plugins: Iterable[Found],
    runnable: Collection[str],
    held: Mapping[str, Mapping[str, Any]],
) -> list[Standing]:
    """Return every connection of an instance, in the order of its services."""
    installed = {plugin.name: plugin for plugin in plugins}
    found = []
    for service in configuration.services:
        table = service.connection
        state: State = "ready"
        why = ""
        if table.id not in runnable:
            state, why = "not allowed", why_not_allowed(table.plugin, installed.get(table.plugin))
        elif table.id in held:
            state, why = "held", f"{held[table.id]['held_reason']}: mend it, then `hub connection resume {table.id}`"
        found.append(Standing(table.id, service.id, table.plugin, table.connector, state, why))
    return found


def why_not_allowed(name: str, plugin: Found | None) -> str:
    """Say why a plugin may not run, and what to do."""
    if plugin is None:
        return f"the plugin {name} is not installed: install its package"
    match plugin.status:
        case "unlisted":
            return f"the plugin {name} is not on the allow-list: `hub connector allow {name}`"
        case "changed":
            return f"the plugin {name} is not as it was allowed ({plugin.why}): find out why, then allow it again"
        case "other-sdk":
            return f"the plugin {name} is made for another version of the SDK: install one that fits"
        case "broken":
            return f"the plugin {name} is broken ({plugin.why}): ask its owner"
        case _:
            return ""
