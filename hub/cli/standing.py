"""How each configured connection stands: ready, held, or without a plugin that may run, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hub.config import Configuration
    from hub.courier.reached import Reached
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
            state, why = "held", _what_to_do(str(held[table.id]["held_reason"]), table.id, service.id)
        found.append(Standing(table.id, service.id, table.plugin, table.connector, state, why))
    return found


def described(reached: Reached | None) -> dict[str, Any] | None:
    """Return how a connection's process is held, as `--json` gives it; None where it has no process."""
    if reached is None:
        return None
    strict = "no-network" in reached.measures
    return {"level": reached.level, "strict": strict, "user": reached.run_as, "why": reached.why}


def in_words(held: Mapping[str, Any] | None) -> str:
    """Return the same for people, with what to do where it is held more weakly than hub.toml asks."""
    from hub.containment import NEXT_STEPS  # noqa: PLC0415 - `hub --help` stays fast

    if held is None:
        return ""
    user = f", user {held['user']}" if held["user"] is not None else ""
    words = f" [{held['level']}{', no network' if held['strict'] else ''}{user}]"
    return words + (f" {held['why']}: {NEXT_STEPS.get(held['why'], '')}" if held["why"] else "")


def _what_to_do(reason: str, connection: str, service: str) -> str:
    if reason.startswith("entry-"):
        return f"{reason}: is it still the right team? `hub directory ls`, then `{how_to_check(reason, service)}`"
    from hub.containment import NEXT_STEPS  # noqa: PLC0415 - `hub --help` stays fast

    return f"{reason}: {NEXT_STEPS.get(reason, 'mend it')}, then `hub connection resume {connection}`"


def how_to_check(reason: str, service: str) -> str:
    """Return the command by which people say that a service's entry is right (TH20)."""
    return f"hub directory {'renew' if reason == 'entry-expired' else 'approve'} {service}"


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
