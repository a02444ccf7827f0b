"""Loads the one connector that a host was started for: found by name, checked, registered through pluggy."""

from __future__ import annotations

import secrets
import sys
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any

import pluggy
from pydantic import ValidationError

from hub.host.discovery import GROUP, PluginError, content_hash, package_folder
from hub.host.wire import Configure, clean_reason
from hub.sdk.connector import PROJECT, Connector, Hooks


class LoadError(Exception):
    """This connector cannot run; `reason` is a code for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def locate(configure: Configure) -> tuple[EntryPoint, Path]:
    """Find the plugin's entry point and folder and check its files' hash, importing nothing; raises `LoadError`.

    Called before isolation: it also fills the import system's view of the folders that are out of sight later.
    """
    sys.path[:0] = configure.paths  # before an installed pack of the same name; a hub names none
    entry, distribution = _entry(configure)
    try:
        folder = package_folder(distribution, entry, sys.path)
        if configure.sha256 and content_hash(folder) != configure.sha256:
            raise LoadError("plugin-changed")
    except PluginError as error:
        raise LoadError(str(error)) from None
    return entry, folder


def load(entry: EntryPoint, configure: Configure) -> Connector[Any]:
    """Import the plugin and make its connector with checked settings; raises `LoadError`."""
    # From here on every import compiles its source, the one that was hashed: a planted compiled copy is never read.
    sys.pycache_prefix = f"/nowhere/{secrets.token_hex(16)}"
    connector = _register(_import(entry), entry.name).get(configure.connector)
    if connector is None:
        raise LoadError("connector-unknown")
    try:
        settings = connector.settings_type.model_validate(dict(configure.settings))
    except ValidationError as error:
        fields = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        named = clean_reason(f"settings-invalid:{fields}".lower())
        raise LoadError("settings-invalid" if named == "unstated" else named) from None
    try:
        return connector(settings)
    except Exception:  # noqa: BLE001 - the boundary to a plugin's own code; its text may hold anything
        raise LoadError("connector-error") from None


def _entry(configure: Configure) -> tuple[EntryPoint, Distribution]:
    found = [
        (entry, distribution)
        for distribution in distributions(path=list(configure.paths) or sys.path)
        for entry in distribution.entry_points
        if entry.group == GROUP and entry.name == configure.plugin
    ]
    if not found:
        raise LoadError("plugin-missing")
    if len(found) > 1:
        raise LoadError("name-twice")
    if found[0][1].name != configure.distribution:
        raise LoadError("plugin-of-another-distribution")
    return found[0]


def _import(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except (Exception, SystemExit):  # noqa: BLE001 - the boundary to a plugin's own code; its text may hold anything
        raise LoadError("import-failed") from None


def _register(plugin: object, name: str) -> dict[str, type[Connector[Any]]]:
    plugins = pluggy.PluginManager(PROJECT)
    plugins.add_hookspecs(Hooks)
    offered: dict[str, type[Connector[Any]]] = {}

    def register(connector_id: str, connector: type[Connector[Any]]) -> None:
        if connector_id in offered or not (isinstance(connector, type) and issubclass(connector, Connector)):
            raise LoadError("connector-invalid")
        offered[connector_id] = connector

    try:
        plugins.register(plugin, name)
        plugins.check_pending()
        plugins.hook.register_connectors(register=register)
    except pluggy.PluginValidationError:
        raise LoadError("hook-invalid") from None
    except LoadError:
        raise
    except Exception:  # noqa: BLE001 - the boundary to a plugin's own code; its text may hold anything
        raise LoadError("connector-error") from None
    return offered
